import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRedisRateLimiter } from '../../../server/drivers/rateLimit/redis.ts';
import { createStateRateLimiter } from '../../../server/drivers/rateLimit/state.ts';
import type { Clock } from '../../../server/ports/clock.ts';
import type { RateLimiter } from '../../../server/ports/rateLimiter.ts';
import { createMailboxTurns } from '../../../server/state/mailboxTurns.ts';
import { type OpenedState, openState, type StateDatabase } from '../../../server/state/stateDatabase.ts';
import { tempFolder } from '../../fixtures/service.ts';
import { type MariaDb, startMariaDb } from '../../services/mariadb.ts';
import { type Postgres, startPostgres } from '../../services/postgres.ts';
import { until } from '../../services/process.ts';
import { type RedisService, startRedis } from '../../services/redis.ts';

let mariadb: MariaDb;
let postgres: Postgres;
let redis: RedisService;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => { [mariadb, postgres, redis] = await Promise.all([startMariaDb(), startPostgres(), startRedis()]); }, 120_000);
afterAll(async () => {
  for (const one of opened) await one.close();
  await Promise.all([mariadb.stop(), postgres.stop(), redis.stop()]);
}, 60_000);

const ENGINES = ['sqlite', 'mariadb', 'postgres'] as const;
const folder = tempFolder();

/** A node's own connections to the state that all nodes share. */
async function stateOf(engine: (typeof ENGINES)[number]): Promise<OpenedState> {
  const state = await openState(folder, { sqlite: null, mariadb: mariadb.url, postgres: postgres.url }[engine]);
  opened.push({ close: () => state.database.destroy() });
  return state;
}
const node = async (engine: (typeof ENGINES)[number]): Promise<StateDatabase> => (await stateOf(engine)).database;

const clock = (): Clock & { at: number } => {
  const one = { at: Date.now(), now: (): number => one.at };
  return one;
};
const LIMIT = { points: 10, windowSeconds: 60 };
const taken = (answers: readonly Awaited<ReturnType<RateLimiter['take']>>[]) => answers.filter((answer) => answer.taken).length;

describe.each([...ENGINES, 'redis'] as const)('rate limits on %s', (engine) => {
  async function limiter(time: Clock): Promise<RateLimiter> {
    const one = engine === 'redis' ? createRedisRateLimiter({ url: redis.url }) : createStateRateLimiter(await node(engine), time);
    opened.push(one);
    return one;
  }

  it('two nodes, sixty tries at once: exactly as many as the limit allows, again after a restart', async () => {
    const time = clock();
    const [one, two] = [await limiter(time), await limiter(time)];
    const answers = await Promise.all(Array.from({ length: 60 }, (_, n) => (n % 2 === 0 ? one : two).take('mailbox a', LIMIT)));
    expect(taken(answers)).toBe(10);
    for (const answer of answers) if (!answer.taken) expect([answer.retryAfterMs > 0, answer.retryAfterMs <= 60_000]).toEqual([true, true]);
    expect((await one.take('mailbox b', LIMIT)).taken).toBe(true);
    const restarted = await limiter(time);
    expect((await restarted.take('mailbox a', LIMIT)).taken).toBe(false);
  }, 60_000);

  it('what is given back can be taken again; more than was taken cannot be given; forgotten is as new', async () => {
    const one = await limiter(clock());
    for (let n = 0; n < 10; n += 1) await one.take('mailbox c', LIMIT);
    await one.giveBack('mailbox c');
    expect(taken(await Promise.all(Array.from({ length: 5 }, () => one.take('mailbox c', LIMIT))))).toBe(1);
    await Promise.all(Array.from({ length: 25 }, () => one.giveBack('mailbox c')));
    expect(taken(await Promise.all(Array.from({ length: 25 }, () => one.take('mailbox c', LIMIT))))).toBe(10);
    await one.forget('mailbox c');
    expect((await one.take('mailbox c', LIMIT)).taken).toBe(true);
    await one.giveBack('never taken');
  });

  it('a window ends, and of many at that moment no more than the limit come in', async () => {
    const time = clock();
    const [one, two] = [await limiter(time), await limiter(time)];
    const limit = { points: 3, windowSeconds: 1 };
    for (let n = 0; n < 3; n += 1) await one.take('mailbox d', limit);
    expect((await one.take('mailbox d', limit)).taken).toBe(false);
    if (engine === 'redis') await new Promise((resolve) => { setTimeout(resolve, 1100); });
    time.at += 1001;
    expect(taken(await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? one : two).take('mailbox d', { points: 3, windowSeconds: 60 }))))).toBe(3);
  });
});

describe('a Redis that stands still', () => {
  it('counts no try of those who were told that none was looked at, when it goes on', async () => {
    const still = await startRedis();
    const [held, other] = [createRedisRateLimiter({ url: still.url }, 1000), createRedisRateLimiter({ url: still.url })];
    opened.push(held, other);
    for (let n = 0; n < 9; n += 1) await held.take('mailbox full', LIMIT);
    process.kill(still.pid, 'SIGSTOP');
    const tries = Array.from({ length: 30 }, (_, n) => held.take(n % 2 === 0 ? 'mailbox held' : 'mailbox full', LIMIT));
    expect((await Promise.allSettled(tries)).map((one) => (one.status === 'rejected' ? (one.reason as { code: string }).code : one.value))).toEqual(Array.from({ length: 30 }, () => 'STATE_UNAVAILABLE'));
    process.kill(still.pid, 'SIGCONT');
    // Answers of one connection come in order: behind this one none is outstanding, and what they caused has been sent.
    for (let turn = 0; turn < 2; turn += 1) await until('an answer', async () => { await held.giveBack('nobody'); return true; });
    expect(taken(await Promise.all(Array.from({ length: 20 }, () => other.take('mailbox held', LIMIT))))).toBe(10);
    // What was full stays full: only what was taken is given back.
    expect(taken(await Promise.all(Array.from({ length: 5 }, () => other.take('mailbox full', LIMIT))))).toBe(1);
    await still.stop();
  }, 60_000);
});

describe.each(ENGINES)('whose turn it is, on %s', (engine) => {
  it('two nodes at once: one gets it; released, the next one does; a dead one blocks nobody for long', async () => {
    const time = clock();
    const nodes = [createMailboxTurns(await stateOf(engine), time), createMailboxTurns(await stateOf(engine), time)];
    for (let round = 0; round < 10; round += 1) {
      const address = `user${String(round)}@example.test`;
      const turns = await Promise.all([...nodes, ...nodes].map((one) => one.take(round % 2 === 0 ? address : address.toUpperCase(), 60_000)));
      const held = turns.filter((turn) => turn !== null);
      expect(held).toHaveLength(1);
      await held[0]?.release();
      expect(await nodes[1]?.take(address, 60_000)).not.toBeNull();
      expect(await nodes[0]?.take(address, 60_000)).toBeNull();
      time.at += 60_001;
      const after = await nodes[0]?.take(address, 60_000);
      expect(after).not.toBeNull();
      await after?.release();
    }
  }, 60_000);

  it('a turn that has run out does not end the one of somebody else', async () => {
    const time = clock();
    const turns = createMailboxTurns(await stateOf(engine), time);
    const old = await turns.take('slow@example.test', 1000);
    time.at += 1001;
    await turns.take('slow@example.test', 60_000);
    await old?.release();
    expect(await turns.take('slow@example.test', 60_000)).toBeNull();
  });

  it('the mark differs after every change, and only then', async () => {
    const turns = createMailboxTurns(await stateOf(engine), clock());
    const marks = [await turns.mark('x@example.test')];
    await (await turns.take('x@example.test', 1000))?.release();
    expect(await turns.mark('X@example.test')).toBe(marks[0]);
    for (const change of ['one', 'two']) {
      await turns.changed('x@example.test', change);
      marks.push(await turns.mark('x@example.test'));
    }
    expect(new Set(marks).size).toBe(3);
    expect(await turns.mark('y@example.test')).toBe(marks[0]);
  });
});
