import { expect, it } from '@jest/globals';
import { Lane } from '../../server/lane.ts';

it('never more at once than it is wide, in the order of arrival, also after one that failed', async () => {
  const lane = new Lane(2);
  const [begun, ends]: [number[], (() => void)[]] = [[], []];
  let [busy, most] = [0, 0];
  const all = Array.from({ length: 5 }, (_, at) => lane.run(async () => {
    begun.push(at);
    most = Math.max(most, busy += 1);
    await new Promise<void>((resolve) => { ends[at] = resolve; });
    busy -= 1;
    if (at === 0) throw new Error('failed');
  }).catch(() => undefined));
  for (let at = 0; at < 5; at += 1) {
    while (ends[at] === undefined) await new Promise((resolve) => { setImmediate(resolve); });
    ends[at]?.();
  }
  await Promise.all(all);
  expect([begun, most, busy]).toEqual([[0, 1, 2, 3, 4], 2, 0]);
});

it('what waited until its time was over is never begun, and takes nobody\'s place', async () => {
  const lane = new Lane(1);
  let end = (): void => undefined;
  const first = lane.run(() => new Promise<void>((resolve) => { end = resolve; }));
  const deadline = new AbortController();
  let ran = 0;
  const late = lane.run(async () => { ran += 1; }, { signal: deadline.signal, late: () => new Error('late') });
  const next = lane.run(async () => { ran += 10; });
  deadline.abort();
  await expect(late).rejects.toThrow('late');
  await expect(lane.run(async () => { ran += 100; }, { signal: deadline.signal, late: () => new Error('late') })).rejects.toThrow('late');
  end();
  await Promise.all([first, next]);
  expect(ran).toBe(10);
});
