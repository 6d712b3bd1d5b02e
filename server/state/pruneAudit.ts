import type { StateDatabase } from './stateDatabase.ts';
import { stateAnswer } from './stateAnswer.ts';

/** Rows that one statement deletes, about: short enough that nobody else waits for it. More only where that many share one millisecond. */
const BATCH = 1_000;

export interface Pruned {
  readonly deleted: number;
  /** Whether there may be more. */
  readonly more: boolean;
}

/**
 * Deletes the oldest rows of the audit log, one batch, as far as they are older than `before` (milliseconds since the epoch). Two nodes at
 * once delete each row once. Throws `STATE_UNAVAILABLE`.
 */
export const pruneAudit = (database: StateDatabase, before: number): Promise<Pruned> => stateAnswer(async () => {
  // Not `delete ... limit`, which only MariaDB knows.
  const last = await database.selectFrom('audit').select('at').where('at', '<', before).orderBy('at').offset(BATCH - 1).limit(1).executeTakeFirst();
  let rows = database.deleteFrom('audit').where('at', '<', before);
  if (last !== undefined) rows = rows.where('at', '<=', last.at);
  const { numDeletedRows } = await rows.executeTakeFirstOrThrow();
  return { deleted: Number(numDeletedRows), more: last !== undefined };
});

/** How many rows are older. */
export const countAuditBefore = (database: StateDatabase, before: number): Promise<number> => stateAnswer(async () =>
  Number((await database.selectFrom('audit').select(({ fn }) => fn.countAll().as('count')).where('at', '<', before).executeTakeFirstOrThrow()).count));
