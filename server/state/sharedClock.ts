import type { Clock } from '../ports/clock.ts';

const REFRESH_MS = 30_000;
/** Of so many questions the quickest answer is taken: a stall anywhere on the way makes the clock wrong by up to half of it. */
const QUESTIONS = 3;

/** Milliseconds by which two nodes' `now()` may differ, generously: half a round trip to the database of each. What is due for one that much ago is due for all. */
export const CLOCKS_APART_MS = 1000;

/**
 * The state database's clock, so that nodes whose own clocks differ agree on what was before a change. Asked now and then; in
 * between this machine's clock carries on from there. `system` is milliseconds since the epoch, as this machine has it.
 */
export async function createSharedClock(ask: (() => Promise<number>) | null, system: () => number = Date.now): Promise<Clock & { close(): void }> {
  let offset = 0;
  const measure = async (): Promise<void> => {
    if (ask === null) return;
    let quickest = Infinity;
    let nearest = offset;
    for (let question = 0; question < QUESTIONS; question += 1) {
      const before = system();
      const told = await ask();
      const after = system();
      if (after - before >= quickest) continue;
      quickest = after - before;
      nearest = told - (before + after) / 2;
    }
    offset = nearest;
  };
  await measure();
  const timer = ask === null ? undefined : setInterval(() => {
    // The last known offset holds while the database is away.
    measure().catch(() => undefined);
  }, REFRESH_MS);
  timer?.unref();
  return { now: () => Math.round(system() + offset), close: () => { clearInterval(timer); } };
}
