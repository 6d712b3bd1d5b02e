/** An answer that carries another clock's time, and between which moments of ours it came. All in milliseconds since the epoch. */
export interface ClockReading<T extends { readonly now: number } = { readonly now: number }> {
  readonly before: number;
  readonly answer: T;
  readonly after: number;
}

/** A reading as exact as this is not taken again. */
const EXACT_MS = 250;
const MOST_READINGS = 3;

const exactness = ({ before, after }: ClockReading): number => after - before;

/** How far the other clock is ahead of ours at the least, negative where it is behind; 0 where the answer's own travel time explains the difference. */
export function clockAhead({ before, answer: { now }, after }: ClockReading): number {
  return now > after ? now - after : Math.min(0, now - before);
}

/** The quickest of a few answers: a busy server takes seconds, and its clock may be right all the same. Rejects where the first try does. */
export async function readClock<T extends { readonly now: number }>(ask: () => Promise<T>, clock: { now(): number } = Date): Promise<ClockReading<T>> {
  const once = async (): Promise<ClockReading<T>> => {
    const before = clock.now();
    return { before, answer: await ask(), after: clock.now() };
  };
  let best = await once();
  for (let reading = 1; reading < MOST_READINGS && exactness(best) > EXACT_MS; reading++) {
    const next = await once().catch(() => best);
    if (exactness(next) < exactness(best)) best = next;
  }
  return best;
}
