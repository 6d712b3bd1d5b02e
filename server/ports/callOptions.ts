export interface CallOptions {
  /** Aborted at the deadline. After it fires the driver rejects at once; see the errors below. */
  readonly signal: AbortSignal;
  /**
   * Told how long the back end needed to look at a password, or to hash one, milliseconds: by itself, without what waited for its turn in this
   * process. A driver that cannot tell leaves it.
   */
  readonly took?: (milliseconds: number) => void;
}
