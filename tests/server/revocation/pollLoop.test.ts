import { createPollLoop } from '../../../server/revocation/pollLoop.ts';

const settled = async (): Promise<void> => { for (let n = 0; n < 10; n += 1) await Promise.resolve(); };
beforeEach(() => { jest.useFakeTimers(); });
afterEach(() => { jest.useRealTimers(); });

function loopOf(answers: readonly (() => Promise<boolean>)[]) {
  let passes = 0;
  const errors: string[] = [];
  const loop = createPollLoop({ pollMs: 1000, onError: (detail) => errors.push(detail), pass: () => { passes += 1; return (answers[passes - 1] ?? (() => Promise.resolve(false)))(); } });
  return { ...loop, loop, errors, passes: () => passes };
}

test('the first pass at once, the next one after the interval, or right away where there is more', async () => {
  const one = loopOf([() => Promise.resolve(false), () => Promise.resolve(true)]);
  one.start();
  expect(one.passes()).toBe(1);
  await settled();
  await jest.advanceTimersByTimeAsync(999);
  expect(one.passes()).toBe(1);
  await jest.advanceTimersByTimeAsync(1);
  expect(one.passes()).toBe(2);
  await jest.advanceTimersByTimeAsync(1);
  expect(one.passes()).toBe(3);
  await jest.advanceTimersByTimeAsync(999);
  expect(one.passes()).toBe(3);
  await one.stop();
});

test('a slow pass is never joined by another one', async () => {
  let end: (more: boolean) => void = () => undefined;
  const one = loopOf([() => new Promise((resolve) => { end = resolve; })]);
  one.start();
  await jest.advanceTimersByTimeAsync(60_000);
  expect(one.passes()).toBe(1);
  end(true);
  await jest.advanceTimersByTimeAsync(0);
  expect(one.passes()).toBe(2);
  await one.stop();
});

test('a pass that fails is told and does not end the loop', async () => {
  const one = loopOf([() => Promise.reject(new Error('away')), () => Promise.reject(new Error('still away')), () => Promise.resolve(false)]);
  one.start();
  await jest.advanceTimersByTimeAsync(2000);
  expect([one.passes(), one.errors]).toEqual([3, ['away', 'still away']]);
  await one.stop();
});

test('stop waits for the pass under way, which sees it; no other one begins, also where nothing had begun', async () => {
  let end: (more: boolean) => void = () => undefined;
  const one = loopOf([() => new Promise((resolve) => { end = resolve; })]);
  one.start();
  let gone = false;
  const stopping = one.stop().then(() => { gone = true; });
  await settled();
  expect([gone, one.loop.stopped]).toEqual([false, true]);
  end(true);
  await stopping;
  await jest.advanceTimersByTimeAsync(60_000);
  expect(one.passes()).toBe(1);
  one.start();
  expect(one.passes()).toBe(1);
  const never = loopOf([]);
  await never.stop();
  never.start();
  expect(never.passes()).toBe(0);
});
