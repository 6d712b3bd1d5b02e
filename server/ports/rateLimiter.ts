export interface RateLimitVerdict {
  readonly allowed: boolean;
  /** Whole seconds until the next try is allowed; 0 where allowed. */
  readonly retryAfterSeconds: number;
}

/** Counts events under a key (a mailbox, an IP address) within a window. */
export interface RateLimiter {
  /** Looks without counting. */
  peek(key: string): Promise<RateLimitVerdict>;
  /** Counts one event. */
  consume(key: string): Promise<RateLimitVerdict>;
  reset(key: string): Promise<void>;
}
