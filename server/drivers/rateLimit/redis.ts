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

/** Rate limits in Redis, for installations that have one. */
export function createRedisRateLimiter(options: RedisConnectionOptions): RateLimiter {
  const redis = openRedis(options);
  const keyOf = (key: string): string => `mailbox-password:rate-limit:${createHash('sha256').update(key).digest('hex')}`;
  // ioredis' errors carry the command with its arguments.
  const asked = <T>(work: Promise<T>): Promise<T> => work.catch((error: unknown) => { throw new ModuleError('STATE_UNAVAILABLE', { detail: `the rate limit is not counted: ${redisReason(error)}` }); });
  return {
    async take(key, { points, windowSeconds }) {
      const left = Number(await asked(redis.eval(TAKE, 1, keyOf(key), points, windowSeconds * 1000)));
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
