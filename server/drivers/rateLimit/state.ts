import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import { ModuleError } from '../../../module/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RateLimiter } from '../../ports/rateLimiter.ts';
import type { RateLimitTables } from '../../state/rateLimitTable.ts';

/** Others may take, give back or let a window end between two statements; then it is looked at again. */
const TRIES = 50;
const PURGE_EVERY_MS = 60_000;

const idOf = (key: string): string => createHash('sha256').update(key).digest('hex');

/** Rate limits in the module's state database: conditional updates, which SQLite, PostgreSQL and MariaDB all judge row by row. */
export function createStateRateLimiter(database: Kysely<RateLimitTables>, clock: Clock): RateLimiter {
  const asked = <T>(work: Promise<T>): Promise<T> => work.catch((cause: unknown) => { throw cause instanceof ModuleError ? cause : new ModuleError('STATE_UNAVAILABLE', { cause }); });
  const rowOf = (id: string) => database.selectFrom('rate_limit').selectAll().where('id', '=', id).executeTakeFirst();
  let purgedAt = 0;

  async function purge(now: number): Promise<void> {
    if (now - purgedAt < PURGE_EVERY_MS) return;
    purgedAt = now;
    await database.deleteFrom('rate_limit').where('expires_at', '<', now - PURGE_EVERY_MS).execute();
  }

  async function take(id: string, points: number, windowMs: number): ReturnType<RateLimiter['take']> {
    for (let left = TRIES; left > 0; left -= 1) {
      const now = clock.now();
      const row = await rowOf(id);
      if (row === undefined) {
        // Two nodes at once: the key lets one of them in, the other looks again.
        const first = await database.insertInto('rate_limit').values({ id, points: 1, expires_at: now + windowMs }).execute().then(() => true, async (error: unknown) => {
          if (await rowOf(id) === undefined) throw error;
          return false;
        });
        if (!first) continue;
        await purge(now);
        return { taken: true };
      }
      const expiresAt = Number(row.expires_at);
      const over = expiresAt <= now;
      if (!over && row.points >= points) return { taken: false, retryAfterMs: expiresAt - now };
      const changed = over
        ? await database.updateTable('rate_limit').set({ points: 1, expires_at: now + windowMs }).where('id', '=', id).where('expires_at', '<=', now).executeTakeFirst()
        : await database.updateTable('rate_limit').set((eb) => ({ points: eb('points', '+', 1) })).where('id', '=', id).where('expires_at', '=', expiresAt).where('points', '<', points).executeTakeFirst();
      if (Number(changed.numUpdatedRows) === 1) return { taken: true };
    }
    throw new ModuleError('STATE_UNAVAILABLE', { detail: 'the rate limit could not be counted' });
  }

  return {
    take: (key, { points, windowSeconds }) => asked(take(idOf(key), points, windowSeconds * 1000)),
    giveBack: (key) => asked(database.updateTable('rate_limit').set((eb) => ({ points: eb('points', '-', 1) })).where('id', '=', idOf(key)).where('points', '>', 0).execute().then(() => undefined)),
    forget: (key) => asked(database.deleteFrom('rate_limit').where('id', '=', idOf(key)).execute().then(() => undefined)),
    close: () => Promise.resolve(),
  };
}
