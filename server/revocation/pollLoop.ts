export interface PollLoop {
  /** The first pass begins at once. */
  readonly start: () => void;
  /** No pass begins any more; resolves when the one under way has ended. */
  readonly stop: () => Promise<void>;
  /** For a pass that looks between two rows whether it may go on. */
  readonly stopped: boolean;
}

export interface PollLoopOptions {
  /** Resolves with true where there may be more to do right now. */
  readonly pass: () => Promise<boolean>;
  readonly pollMs: number;
  /** A pass that rejected; the loop goes on. */
  readonly onError: (detail: string) => void;
}

/** One pass after the other, never two at once: the next one `pollMs` after the last one has ended, or at once where there is more. */
export function createPollLoop({ pass, pollMs, onError }: PollLoopOptions): PollLoop {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  const tick = (): void => {
    running = pass()
      .catch((error: unknown) => {
        onError(error instanceof Error ? error.message : 'unknown');
        return false;
      })
      .then((more) => { if (!stopped) timer = setTimeout(tick, more ? 0 : pollMs); });
  };
  return {
    get stopped() { return stopped; },
    start() { if (!stopped) tick(); },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
