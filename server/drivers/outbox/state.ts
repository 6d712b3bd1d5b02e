import { randomUUID } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { Clock } from '../../ports/clock.ts';
import type { OwedRevocation, RevocationOutbox } from '../../ports/revocationOutbox.ts';
import { cancelMemories, confirmMemories, recordMemories } from '../../passwordPolicy/memories.ts';
import { cancelNotices, confirmNotices, recordNotices } from '../noticeOutbox/state.ts';
import { CLOCKS_APART_MS } from '../../state/sharedClock.ts';
import type { OpenedState, StateDatabase, StateTables } from '../../state/stateDatabase.ts';

/** PostgreSQL hands a bigint over as text. */
const owed = (row: Selectable<StateTables['outbox']>): OwedRevocation => ({
  changeId: row.change_id,
  store: row.store,
  address: row.address,
  state: row.state === 'confirmed' ? 'confirmed' : 'recorded',
  recordedAt: Number(row.recorded_at),
  changedAt: row.changed_at === null ? null : Number(row.changed_at),
  passwordVersion: row.password_version,
  settleAfter: Number(row.settle_after),
  attempts: Number(row.attempts),
  nextAttemptAt: Number(row.next_attempt_at),
  lastError: row.last_error,
});

/**
 * The outbox in the module's state database. Only what is owed has to survive a power cut before anything goes on: that it was confirmed or
 * completed may get lost in one, for then the durable record of it is settled and delivered once more, which ends nobody new (I2).
 */
export function createStateOutbox({ database, relaxed }: Pick<OpenedState, 'database' | 'relaxed'>, clock: Clock, leaseMs: number): RevocationOutbox {
  const node = randomUUID();
  /** A change, its notices and what the history keeps of it in one transaction: there is no crash that leaves one without the other. */
  const together = <T>(work: (transaction: StateDatabase) => Promise<T>, on = database): Promise<T> => on.transaction().execute(work);
  return {
    async record({ changeId, address, stores, passwordVersion, settleAfter, confirmedAt, notices = [], memories = [] }) {
      const now = clock.now();
      const insert = async (into: StateDatabase): Promise<void> => {
        await into.insertInto('outbox').values(stores.map((store) => ({
          change_id: changeId, store, address, state: confirmedAt === undefined ? 'recorded' : 'confirmed', recorded_at: now, changed_at: confirmedAt ?? null,
          password_version: passwordVersion, settle_after: settleAfter, attempts: 0, next_attempt_at: now,
          last_error: null, claimed_by: node, claimed_until: Math.max(settleAfter, now + leaseMs),
        }))).execute();
        await recordNotices(into, changeId, notices, now);
        await recordMemories(into, changeId, memories);
      };
      await (notices.length + memories.length === 0 ? insert(database) : together(insert));
    },
    cancel: (changeId) => together(async (transaction) => {
      await transaction.deleteFrom('outbox').where('change_id', '=', changeId).execute();
      await cancelNotices(transaction, changeId);
      await cancelMemories(transaction, changeId);
    }),
    confirm: (changeId, changedAt) => together(async (transaction) => {
      await transaction.updateTable('outbox').set({ state: 'confirmed', changed_at: changedAt })
        .where('change_id', '=', changeId).where('state', '=', 'recorded').execute();
      await confirmNotices(transaction, changeId, changedAt, clock.now() + leaseMs);
      await confirmMemories(transaction, changeId);
      return {};
    }, relaxed),
    async complete(changeId, store) {
      await relaxed.deleteFrom('outbox').where('change_id', '=', changeId).where('store', '=', store).execute();
    },
    async fail(changeId, store, error, nextAttemptAt) {
      await database.updateTable('outbox')
        .set((row) => ({ attempts: row('attempts', '+', 1), last_error: error, next_attempt_at: nextAttemptAt, claimed_by: null, claimed_until: 0 }))
        .where('change_id', '=', changeId).where('store', '=', store).execute();
    },
    async claimDue(limit, claimMs) {
      const now = clock.now();
      const due = await database.selectFrom('outbox').select(['change_id', 'store'])
        .where('next_attempt_at', '<=', now).where('claimed_until', '<=', now)
        .orderBy('next_attempt_at').limit(limit).execute();
      const claimed: OwedRevocation[] = [];
      for (const { change_id, store } of due) {
        // The condition is repeated: of two nodes that saw the same row, one updates it.
        const result = await database.updateTable('outbox').set({ claimed_by: node, claimed_until: now + claimMs })
          .where('change_id', '=', change_id).where('store', '=', store).where('claimed_until', '<=', now).executeTakeFirst();
        if (Number(result.numUpdatedRows) !== 1) continue;
        const row = await database.selectFrom('outbox').selectAll().where('change_id', '=', change_id).where('store', '=', store).executeTakeFirst();
        if (row !== undefined) claimed.push(owed(row));
      }
      return claimed;
    },
    async release(rows) {
      for (const { changeId, store } of rows) {
        await database.updateTable('outbox').set({ claimed_by: null, claimed_until: 0 })
          .where('change_id', '=', changeId).where('store', '=', store).where('claimed_by', '=', node).execute();
      }
    },
    async summary() {
      const stores = await database.selectFrom('outbox').select((row) => ['store', row.fn.countAll().as('count'), row.fn.min('recorded_at').as('oldest')]).groupBy('store').execute();
      return {
        rows: Object.fromEntries(stores.map(({ store, count }) => [store, Number(count)])),
        oldestRecordedAt: stores.length === 0 ? null : Math.min(...stores.map(({ oldest }) => Number(oldest))),
      };
    },
    async list(limit) {
      return (await database.selectFrom('outbox').selectAll().orderBy('recorded_at').limit(limit).execute()).map(owed);
    },
    async retryNow(changeId) {
      let update = database.updateTable('outbox').set({ next_attempt_at: clock.now() - CLOCKS_APART_MS, claimed_until: 0 });
      if (changeId !== undefined) update = update.where('change_id', '=', changeId);
      return Number((await update.executeTakeFirst()).numUpdatedRows);
    },
  };
}
