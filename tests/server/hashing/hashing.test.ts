import { expect, it } from '@jest/globals';
import { hashing } from '../../../server/hashing/hashing.ts';

it('what is told of a hash is its own time, without the wait for its turn behind others', async () => {
  let [busy, most] = [0, 0];
  const told: number[] = [];
  const order: string[] = [];
  // As many as make the last one wait for long, however many run at once.
  await Promise.all(Array.from({ length: 40 }, async (_, at) => {
    const began = performance.now();
    await hashing(async () => {
      most = Math.max(most, busy += 1);
      await new Promise((resolve) => { setTimeout(resolve, 20); });
      busy -= 1;
    }, (milliseconds) => { told[at] = milliseconds; });
    if (at === 39) order.push(String(told[at] !== undefined && told[at] < (performance.now() - began) / 2));
  }));
  expect([told.length, order]).toEqual([40, ['true']]);
  expect(most).toBeLessThan(40);
});
