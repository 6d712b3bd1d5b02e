import { expect, it } from '@jest/globals';
import { createSharedClock } from '../../../server/state/sharedClock.ts';

it('takes the quickest of its questions: a database that stalled before or after it looked at its clock does not turn the clock', async () => {
  let system = 1_000_000;
  const AHEAD = 5_000;
  // Milliseconds on the way there and back: one question stalls on its way back, one on its way there.
  const ways: [number, number][] = [[2, 1_800], [2, 2], [1_400, 4]];
  const clock = await createSharedClock(() => {
    const [there, back] = ways.shift() ?? [0, 0];
    system += there;
    const told = system + AHEAD;
    system += back;
    return Promise.resolve(told);
  }, () => system);
  expect(clock.now() - system).toBe(AHEAD);
  expect(ways).toEqual([]);
  clock.close();
});
