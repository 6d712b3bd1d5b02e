/** What the process as a whole is doing; it outlives every configuration. */
export interface Lifecycle {
  /** Told to end: `/readyz` says no, what comes is still served. */
  draining: boolean;
}
