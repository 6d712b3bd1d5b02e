import { useEffect, useRef } from 'react';
import type { CheckPasswordResponse } from '../../module/operations.ts';

/** Who leaves a field by the button sends the password for good: that goes first. */
const PAUSE_MS = 400;
/** A check that takes longer does not hold up the change. */
const PATIENCE_MS = 3000;

interface ServerCheckOptions<Request> {
  /** Undefined where there is nothing to ask. */
  readonly ask: ((request: Request) => Promise<CheckPasswordResponse>) | undefined;
  readonly onAnswer: (answer: CheckPasswordResponse, request: Request) => void;
  readonly onFailed: (error: unknown, request: Request) => void;
}

/**
 * Asks the server what its own rules say of a new password, once for each that somebody has finished typing: not at every key, since that
 * would tell it every attempt.
 */
export function useServerCheck<Request>({ ask, onAnswer, onFailed }: ServerCheckOptions<Request>) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const asked = useRef('');
  const underWay = useRef<Promise<void>>(Promise.resolve());
  const handlers = useRef({ onAnswer, onFailed });
  handlers.current = { onAnswer, onFailed };
  const here = useRef(true);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
      clearTimeout(timer.current);
      asked.current = '';
    };
  }, []);

  return {
    /** Soon, unless the same was asked already. */
    check(request: Request): void {
      clearTimeout(timer.current);
      const key = JSON.stringify(request);
      if (ask === undefined || key === asked.current) return;
      timer.current = setTimeout(() => {
        asked.current = key;
        underWay.current = ask(request).then(
          (answer) => {
            // What could not be told now may be told the next time.
            if (answer.rules.some(({ outcome }) => outcome === 'unknown' || outcome === 'unavailable')) asked.current = '';
            if (here.current) handlers.current.onAnswer(answer, request);
          },
          (error: unknown) => { if (here.current) handlers.current.onFailed(error, request); },
        );
      }, PAUSE_MS);
    },
    /** No more of it: resolves when nothing is under way any more, so that it cannot meet the change that follows. */
    async settle(): Promise<void> {
      clearTimeout(timer.current);
      await Promise.race([underWay.current, new Promise((resolve) => { setTimeout(resolve, PATIENCE_MS); })]);
    },
    /** What was asked is no longer kept. */
    forget(): void {
      clearTimeout(timer.current);
      asked.current = '';
    },
  };
}
