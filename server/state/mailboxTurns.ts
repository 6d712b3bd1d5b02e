import { createHash, randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import { ModuleError } from '../../module/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { MailboxTurns } from '../ports/mailboxTurns.ts';

export interface TurnTables {
  mailbox_turn: {
    /** SHA-256 of the address in lower case: no database takes two of them for the same. */
    id: string;
    holder: string;
    /** Milliseconds since the epoch; 0 = nobody has it. */
    held_until: number;
    /** Of the last change that this module made. */
    mark: string;
  };
}

export async function turnTable(database: Kysely<unknown>): Promise<void> {
  await database.schema.createTable('mailbox_turn').ifNotExists()
    .addColumn('id', 'varchar(64)', (column) => column.primaryKey())
    .addColumn('holder', 'varchar(64)', (column) => column.notNull())
    .addColumn('held_until', 'bigint', (column) => column.notNull())
    .addColumn('mark', 'varchar(64)', (column) => column.notNull())
    .execute();
}

const idOf = (address: string): string => createHash('sha256').update(address.toLowerCase()).digest('hex');

/** Where only one process has the database: what a dead one held. */
export const freeTurns = async (database: Kysely<TurnTables>): Promise<void> => { await database.updateTable('mailbox_turn').set({ held_until: 0 }).execute(); };

/** Turns by conditional updates in the state database, which SQLite, PostgreSQL and MariaDB all judge row by row. */
export function createMailboxTurns({ database, relaxed }: { readonly database: Kysely<TurnTables>; /** For the turns, which end with the process anyway. */ readonly relaxed: Kysely<TurnTables> }, clock: Clock): MailboxTurns {
  const asked = <T>(work: Promise<T>): Promise<T> => work.catch((cause: unknown) => { throw new ModuleError('STATE_UNAVAILABLE', { cause }); });
  const rowOf = (id: string) => relaxed.selectFrom('mailbox_turn').selectAll().where('id', '=', id).executeTakeFirst();

  /** Another node may write the row at the same time: then it is there all the same. */
  async function made(id: string): Promise<void> {
    if (await rowOf(id) !== undefined) return;
    await relaxed.insertInto('mailbox_turn').values({ id, holder: '', held_until: 0, mark: '' }).execute().catch(async (error: unknown) => { if (await rowOf(id) === undefined) throw error; });
  }

  return {
    take: (address, leaseMs) => asked((async () => {
      const [id, holder, now] = [idOf(address), randomUUID(), clock.now()];
      await made(id);
      const taken = await relaxed.updateTable('mailbox_turn').set({ holder, held_until: now + leaseMs }).where('id', '=', id).where('held_until', '<=', now).executeTakeFirst();
      if (Number(taken.numUpdatedRows) !== 1) return null;
      return {
        // Where the database is away just then, the turn ends by itself.
        release: async () => { await relaxed.updateTable('mailbox_turn').set({ held_until: 0 }).where('id', '=', id).where('holder', '=', holder).execute().catch(() => undefined); },
      };
    })()),
    mark: (address) => asked(rowOf(idOf(address)).then((row) => `mark ${row?.mark ?? ''}`)),
    changed: (address, changeId) => asked((async () => {
      await made(idOf(address));
      await database.updateTable('mailbox_turn').set({ mark: changeId }).where('id', '=', idOf(address)).execute();
    })()),
  };
}
