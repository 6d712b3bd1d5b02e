import { useEffect, useRef } from 'react';

/** Coming back to a tab is two events at once. */
const ONCE_MS = 1_000;

/** Calls when somebody comes back to the page: from another tab, or from another window. */
export function useOnReturn(act: () => void): void {
  const latest = useRef(act);
  useEffect(() => { latest.current = act; });
  useEffect(() => {
    let last = 0;
    const returned = (): void => {
      if (document.hidden || Date.now() - last < ONCE_MS) return;
      last = Date.now();
      latest.current();
    };
    addEventListener('focus', returned);
    document.addEventListener('visibilitychange', returned);
    return () => {
      removeEventListener('focus', returned);
      document.removeEventListener('visibilitychange', returned);
    };
  }, []);
}
