/** Milliseconds since the epoch, the same on every node that shares the state database. */
export interface Clock {
  now(): number;
}

/**
 * The first moment of which it is certain that it lies after what has just been done. A log-in that began in the same millisecond may have
 * seen the old password, so where a change was made now, sessions of now are still sessions of before (I2 spares those from here on).
 */
export const firstMomentAfter = (clock: Clock): number => clock.now() + 1;
