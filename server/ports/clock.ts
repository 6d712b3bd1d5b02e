/** Milliseconds since the epoch, the same on every node that shares the state database. */
export interface Clock {
  now(): number;
}
