import { useEffect, useState } from 'react';

/** The value when it has not changed for a while, so that a list is not asked for at every letter. */
export function useDebounced<T>(value: T, pauseMs = 250): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => { setSettled(value); }, pauseMs);
    return () => { clearTimeout(timer); };
  }, [value, pauseMs]);
  return settled;
}
