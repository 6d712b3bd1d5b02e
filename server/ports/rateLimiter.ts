import type { CallOptions } from './callOptions.ts';

export interface RateLimit {
  readonly points: number;
  readonly windowSeconds: number;
}

/** Counts by key within a window, over all nodes and restarts. */
export interface RateLimiter {
  /**
   * Takes one point, atomically: however many ask at once, no more than `points` get one until some are given back or the window ends.
   * Else says in how many milliseconds the window ends.
   */
  take(key: string, limit: RateLimit): Promise<{ readonly taken: true } | { readonly taken: false; readonly retryAfterMs: number }>;
  /** Gives back one point that was taken. */
  giveBack(key: string): Promise<void>;
  /** Forgets what was counted. */
  forget(key: string): Promise<void>;
  /** Only where it is a server of its own. Rejects with a coded error where it does not count now; for `/readyz`. Counts nothing. */
  check?(options: CallOptions): Promise<void>;
  close(): Promise<void>;
}
