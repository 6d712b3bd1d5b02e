import { useEffect } from 'react';
import { ApiError } from '../api/apiError.ts';

/** Leaves when a call says that the session is over. */
export function useSignedOut(error: unknown, onSignedOut: () => void): void {
  const gone = error instanceof ApiError && error.code === 'AUTHENTICATION_REQUIRED';
  useEffect(() => { if (gone) onSignedOut(); }, [gone, onSignedOut]);
}
