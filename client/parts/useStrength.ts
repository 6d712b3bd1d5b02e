import { useEffect, useRef, useState } from 'react';
import { startStrengthWorker } from './startStrengthWorker.ts';

const PAUSE_MS = 200;

interface Judged { readonly password: string; readonly score: number }

/** The strength of what is typed, worked out in a worker that starts with the first letter; undefined until it is known. */
export function useStrength(password: string): (asked: string) => number | undefined {
  const worker = useRef<Worker | null>(null);
  const [judged, setJudged] = useState<Judged | null>(null);
  useEffect(() => () => {
    worker.current?.terminate();
    worker.current = null;
  }, []);
  useEffect(() => {
    if (password === '') {
      setJudged(null);
      return undefined;
    }
    const timer = setTimeout(() => {
      try {
        if (worker.current === null) {
          worker.current = startStrengthWorker();
          worker.current.onmessage = ({ data }: MessageEvent<Judged>) => { setJudged(data); };
        }
        worker.current.postMessage(password);
      } catch {
        // Without workers there is no meter; the rules and the server judge as ever.
      }
    }, PAUSE_MS);
    return () => { clearTimeout(timer); };
  }, [password]);
  return (asked) => (judged?.password === asked ? judged.score : undefined);
}
