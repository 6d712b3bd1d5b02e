import { randomUUID } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { Clock } from '../../ports/clock.ts';
import type { NoticeOutbox, OwedNotice } from '../../ports/noticeOutbox.ts';
import type { NoticeDraft, NoticeFacts } from '../../ports/notices.ts';
import { CLOCKS_APART_MS } from '../../state/sharedClock.ts';
import type { StateDatabase, StateTables } from '../../state/stateDatabase.ts';

/** What was given up can be looked at, and sent after all, for so long. */
const GIVEN_UP_KEPT_MS = 30 * 86_400_000;

/** PostgreSQL hands a bigint over as text. */
const owed = (row: Selectable<StateTables['notice']>): OwedNotice => ({
  id: row.id,
  changeId: row.change_id,
  recipient: row.recipient,
  facts: JSON.parse(row.facts) as NoticeFacts,
  happenedAt: Number(row.happened_at ?? row.recorded_at),
  attempts: Number(row.attempts),
  nextAttemptAt: Number(row.next_attempt_at),
  lastError: row.last_error,
});

/** The part of a change's record that tells people; within the transaction of the outbox. */
export async function recordNotices(transaction: StateDatabase, changeId: string, drafts: readonly NoticeDraft[], now: number): Promise<void> {
  if (drafts.length === 0) return;
  await transaction.insertInto('notice').values(drafts.map(({ id, recipient, facts }) => ({
    id, change_id: changeId, recipient, state: 'recorded', facts: JSON.stringify(facts), recorded_at: now, happened_at: null,
    attempts: 0, next_attempt_at: now, last_error: null, claimed_by: null, claimed_until: 0,
  }))).execute();
}

export async function cancelNotices(transaction: StateDatabase, changeId: string): Promise<void> {
  await transaction.deleteFrom('notice').where('change_id', '=', changeId).where('state', '=', 'recorded').execute();
}

/** Due when the first log-out has been tried, which `release` tells; at `dueAt` where nobody is left to tell. */
export async function confirmNotices(transaction: StateDatabase, changeId: string, changedAt: number, dueAt: number): Promise<void> {
  await transaction.updateTable('notice').set({ state: 'confirmed', happened_at: changedAt, next_attempt_at: dueAt })
    .where('change_id', '=', changeId).where('state', '=', 'recorded').execute();
}

/** The notices in the module's state database. */
export function createStateNoticeOutbox(database: StateDatabase, clock: Clock): NoticeOutbox {
  const node = randomUUID();
  const confirmed = () => database.selectFrom('notice').selectAll().where('state', '=', 'confirmed');
  const failed = (error: string) => ({ state: 'failed', last_error: error.slice(0, 255), claimed_by: null, claimed_until: 0 });
  return {
    async release(changeId, ended, pending) {
      for (const row of await confirmed().where('change_id', '=', changeId).execute()) {
        const facts: NoticeFacts = { ...(JSON.parse(row.facts) as NoticeFacts), ended, pending };
        await database.updateTable('notice').set({ facts: JSON.stringify(facts), next_attempt_at: clock.now() })
          // Where it was so late that the mail is under way already, the mail stays as it is.
          .where('id', '=', row.id).where('attempts', '=', 0).where('claimed_until', '<=', clock.now()).execute();
      }
    },
    async claimDue(limit, leaseMs, which) {
      const now = clock.now();
      const wanted = which === undefined ? confirmed() : confirmed().where('attempts', which === 'first' ? '=' : '>', 0);
      const due = await wanted.where('next_attempt_at', '<=', now).where('claimed_until', '<=', now).orderBy('next_attempt_at').limit(limit).execute();
      const claimed: OwedNotice[] = [];
      for (const { id } of due) {
        // The condition is repeated: of two nodes that saw the same row, one updates it.
        const result = await database.updateTable('notice').set({ claimed_by: node, claimed_until: now + leaseMs })
          .where('id', '=', id).where('claimed_until', '<=', now).executeTakeFirst();
        if (Number(result.numUpdatedRows) !== 1) continue;
        const row = await database.selectFrom('notice').selectAll().where('id', '=', id).executeTakeFirst();
        if (row !== undefined) claimed.push(owed(row));
      }
      return claimed;
    },
    async remove(id) {
      await database.deleteFrom('notice').where('id', '=', id).execute();
    },
    async giveUp(id, error) {
      await database.updateTable('notice').set((row) => ({ ...failed(error), attempts: row('attempts', '+', 1) })).where('id', '=', id).execute();
    },
    async postpone(id, error, nextAttemptAt, counts) {
      await database.updateTable('notice')
        .set((row) => ({ attempts: row('attempts', '+', counts ? 1 : 0), last_error: error.slice(0, 255), next_attempt_at: nextAttemptAt, claimed_by: null, claimed_until: 0 }))
        .where('id', '=', id).execute();
    },
    async expire(before) {
      const now = clock.now();
      await database.deleteFrom('notice').where('state', '=', 'failed').where('recorded_at', '<', now - GIVEN_UP_KEPT_MS).execute();
      // Not by the time of the change: one that is sent after all has as long as a new one.
      const old = await confirmed().where('recorded_at', '<', before).where('claimed_until', '<=', now).limit(1000).execute();
      const gone: OwedNotice[] = [];
      for (const row of old) {
        const result = await database.updateTable('notice').set(failed(row.last_error ?? 'it was not sent in time'))
          .where('id', '=', row.id).where('state', '=', 'confirmed').where('claimed_until', '<=', now).executeTakeFirst();
        if (Number(result.numUpdatedRows) === 1) gone.push(owed(row));
      }
      return gone;
    },
    async summary() {
      const { count, oldest } = await database.selectFrom('notice').select(({ fn }) => [fn.countAll().as('count'), fn.min('happened_at').as('oldest')])
        .where('state', '=', 'confirmed').executeTakeFirstOrThrow();
      return { count: Number(count), oldestHappenedAt: oldest === null ? null : Number(oldest) };
    },
    async retryNow(changeId) {
      const all = database.updateTable('notice').set({ next_attempt_at: clock.now() - CLOCKS_APART_MS }).where('state', '=', 'confirmed');
      const result = await (changeId === undefined ? all : all.where('change_id', '=', changeId)).executeTakeFirst();
      return Number(result.numUpdatedRows);
    },
    async retryGivenUp(changeId) {
      const now = clock.now();
      const all = database.updateTable('notice').set({ state: 'confirmed', attempts: 0, recorded_at: now, next_attempt_at: now - CLOCKS_APART_MS }).where('state', '=', 'failed');
      const result = await (changeId === undefined ? all : all.where('change_id', '=', changeId)).executeTakeFirst();
      return Number(result.numUpdatedRows);
    },
    async givenUp(limit) {
      return (await database.selectFrom('notice').selectAll().where('state', '=', 'failed').orderBy('happened_at').limit(limit).execute()).map(owed);
    },
    async list(limit) {
      return (await confirmed().orderBy('happened_at').limit(limit).execute()).map(owed);
    },
    async freeAll() {
      await database.updateTable('notice').set({ claimed_by: null, claimed_until: 0 }).where('claimed_until', '>', 0).execute();
    },
  };
}
