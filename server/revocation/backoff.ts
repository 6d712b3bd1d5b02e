/** Capped exponential back-off with full jitter (AWS Architecture Blog, 2015). `attempts` failed so far; milliseconds. */
export function backoff(attempts: number, firstDelayMs: number, maxDelayMs: number, random: () => number = Math.random): number {
  const ceiling = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(attempts, 30));
  return Math.max(1, Math.round(ceiling / 2 + (random() * ceiling) / 2));
}
