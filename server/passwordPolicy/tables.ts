import type { Kysely } from 'kysely';

/** The last passwords of mailboxes, for the rule `history`. */
export interface PasswordHistoryTables {
  password_history: {
    id: string;
    /** Lower case. */
    address: string;
    /** Milliseconds since the epoch at which it began to count. */
    at: number;
    /** Argon2id. */
    hash: string;
    /** The change that it waits for; null = it counts. */
    change_id: string | null;
  };
}

/** Types and sizes that SQLite, PostgreSQL and MariaDB share. */
export async function passwordHistoryTables(database: Kysely<unknown>): Promise<void> {
  await database.schema.createTable('password_history')
    .addColumn('id', 'varchar(64)', (column) => column.primaryKey())
    .addColumn('address', 'varchar(320)', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('hash', 'varchar(255)', (column) => column.notNull())
    .execute();
  await database.schema.createIndex('password_history_address').ifNotExists().on('password_history').columns(['address', 'at']).execute();
}

/** An entry is written before the password is touched, and counts from the change's confirmation on. */
export async function historyWithChange(database: Kysely<unknown>): Promise<void> {
  await database.schema.alterTable('password_history').addColumn('change_id', 'varchar(64)').execute();
  await database.schema.createIndex('password_history_change').ifNotExists().on('password_history').columns(['change_id']).execute();
}
