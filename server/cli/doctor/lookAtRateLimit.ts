import type { Config } from '../../../module/config/configSchema.ts';
import { reasonOf, urlTlsFinding } from '../../diagnosis/findings.ts';
import { createRedisRateLimiter } from '../../drivers/rateLimit/redis.ts';
import type { RateLimiter } from '../../ports/rateLimiter.ts';
import { fail, type Finding, ok } from '../../ports/diagnosis.ts';

const PROBE = 'mailbox-password doctor';

/** The Redis that counts wrong passwords, where there is one: the way there, the log-in, and one count up and away again. */
export async function lookAtRateLimit({ rateLimit: { redis } }: Pick<Config, 'rateLimit'>, signal: AbortSignal): Promise<Finding[]> {
  if (redis === null) return [];
  const { host } = new URL(redis.url);
  const secured = await urlTlsFinding(redis.url, signal, { caFile: redis.tls?.ca, verified: redis.tls?.verify ?? true });
  let limiter: RateLimiter;
  try {
    limiter = createRedisRateLimiter(redis);
  } catch {
    // The file of authorities: the line before names it.
    return [secured];
  }
  try {
    await limiter.take(PROBE, { points: 1_000_000, windowSeconds: 10 });
    await limiter.forget(PROBE);
    return [secured, ok('log-in', `${host} counts`)];
  } catch (error) {
    return [secured, fail('log-in', `${host}: ${reasonOf(error)}`, 'check rateLimit.redis.url, and that its user may eval, get, incr, decr, pexpire, pttl and del keys that begin with mailbox-password:. Until then every log-in is refused')];
  } finally {
    await limiter.close();
  }
}
