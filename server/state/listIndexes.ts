import type { Kysely } from 'kysely';

/**
 * What is asked in an order, or cleaned up by age, at every log-in to a panel, every look of a monitor and every list of what is owed: without
 * these, each read its whole table.
 */
export async function listIndexes(database: Kysely<unknown>): Promise<void> {
  const indexes = [
    ['panel_session_issued', 'panel_session', ['kind', 'issued_at']],
    ['panel_session_seen', 'panel_session', ['kind', 'last_seen_at']],
    // The store is in it for the counts: the index alone answers them.
    ['outbox_recorded', 'outbox', ['recorded_at', 'store']],
    ['notice_happened', 'notice', ['state', 'happened_at']],
  ] as const;
  for (const [name, table, columns] of indexes) await database.schema.createIndex(name).ifNotExists().on(table).columns([...columns]).execute();
}
