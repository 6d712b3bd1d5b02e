import { useEffect, useState } from 'react';

/** Whole seconds left; 0 when over. */
export function useCountdown(): [left: number, start: (seconds: number) => void] {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (left <= 0) return undefined;
    const timer = setTimeout(() => { setLeft(left - 1); }, 1000);
    return () => { clearTimeout(timer); };
  }, [left]);
  return [left, setLeft];
}
