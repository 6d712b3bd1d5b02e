import type { Kysely } from 'kysely';

export interface NoticeTables {
  /** One e-mail still to be sent: per event one row for the mailbox and one for its recovery address. Times are milliseconds. */
  notice: {
    id: string;
    /** The row of the outbox that it belongs to shares this. */
    change_id: string;
    recipient: string;
    /** `recorded`: the change is not certain yet. `confirmed`: it happened; the mail is due. `failed`: given up, kept for a month. */
    state: string;
    /** What the mail says, as JSON; never a password, a hash or a token. */
    facts: string;
    recorded_at: number;
    /** When it happened; null while `recorded`. It is the Date of the mail. */
    happened_at: number | null;
    attempts: number;
    next_attempt_at: number;
    last_error: string | null;
    claimed_by: string | null;
    claimed_until: number;
  };
}

/** Types and sizes that SQLite, PostgreSQL and MariaDB share. */
export async function noticeTables(database: Kysely<unknown>): Promise<void> {
  await database.schema.createTable('notice')
    .addColumn('id', 'varchar(64)', (column) => column.primaryKey())
    .addColumn('change_id', 'varchar(64)', (column) => column.notNull())
    .addColumn('recipient', 'varchar(320)', (column) => column.notNull())
    .addColumn('state', 'varchar(16)', (column) => column.notNull())
    .addColumn('facts', 'varchar(4000)', (column) => column.notNull())
    .addColumn('recorded_at', 'bigint', (column) => column.notNull())
    .addColumn('happened_at', 'bigint')
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('next_attempt_at', 'bigint', (column) => column.notNull())
    .addColumn('last_error', 'varchar(255)')
    .addColumn('claimed_by', 'varchar(64)')
    .addColumn('claimed_until', 'bigint', (column) => column.notNull())
    .execute();
  await database.schema.createIndex('notice_due').ifNotExists().on('notice').columns(['state', 'next_attempt_at']).execute();
  await database.schema.createIndex('notice_change').ifNotExists().on('notice').columns(['change_id']).execute();
}
