import { createHash } from 'node:crypto';
import { ModuleError } from '../../../module/errors.ts';
import type { RateLimiter } from '../../ports/rateLimiter.ts';
import { openRedis, type RedisConnectionOptions, redisInTime, redisReason } from '../../redisSessions/openRedis.ts';

/** Redis runs a script as one step: between looking and counting nobody else can come. */
const TAKE = `
local points = tonumber(redis.call('get', KEYS[1]) or '0')
if points >= tonumber(ARGV[1]) then return redis.call('pttl', KEYS[1]) end
if redis.call('incr', KEYS[1]) == 1 then redis.call('pexpire', KEYS[1], ARGV[2]) end
return 0`;
/** The window stays; a key whose window has ended is not made anew. */
const GIVE_BACK = `if tonumber(redis.call('get', KEYS[1]) or '0') > 0 then redis.call('decr', KEYS[1]) end return 0`;

/** How long an answer is waited for. */
const ANSWER_MS = 10_000;

/** The answer in time, or an error; one that comes after that goes to `late`. */
function inTime<T>(work: Promise<T>, answerMs: number, late: (answer: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false;
    const timer = setTimeout(() => { over = true; reject(new Error('no answer in time')); }, answerMs);
    work.then((answer) => { if (over) late(answer); else resolve(answer); }, reject).finally(() => { clearTimeout(timer); });
  });
}

/** Rate limits in Redis, for installations that have one. `answerMs` is how long an answer is waited for. */
export function createRedisRateLimiter(options: RedisConnectionOptions, answerMs = ANSWER_MS): RateLimiter {
  const redis = openRedis(options, { unlimited: true });
  const keyOf = (key: string): string => `mailbox-password:rate-limit:${createHash('sha256').update(key).digest('hex')}`;
  // ioredis' errors carry the command with its arguments.
  const asked = <T>(work: Promise<T>, late: (answer: T) => void = () => undefined): Promise<T> => inTime(work, answerMs, late).catch((error: unknown) => { throw new ModuleError('STATE_UNAVAILABLE', { detail: `the rate limit is not counted: ${redisReason(error)}` }); });
  return {
    async take(key, { points, windowSeconds }) {
      const left = Number(await asked(redis.eval(TAKE, 1, keyOf(key), points, windowSeconds * 1000), (answer) => {
        // A Redis that stood still counts, when it goes on, the tries of all who were told that nothing was looked at: they would be locked out.
        if (Number(answer) === 0) redis.eval(GIVE_BACK, 1, keyOf(key)).catch(() => undefined);
      }));
      return left === 0 ? { taken: true } : { taken: false, retryAfterMs: Math.max(1, left) };
    },
    async giveBack(key) { await asked(redis.eval(GIVE_BACK, 1, keyOf(key))); },
    async forget(key) { await asked(redis.del(keyOf(key))); },
    // A script as well: a user who may not run one counts nothing. There is no such key.
    check: ({ signal }) => asked(redisInTime(signal, async () => { await redis.eval(GIVE_BACK, 1, keyOf('check')); })),
    close() {
      redis.disconnect();
      return Promise.resolve();
    },
  };
}
