import type { Kysely } from 'kysely';

/** Times are milliseconds since the epoch. Both tables live in the module's state database. */
export interface PanelTables {
  panel_session: {
    id: string;
    /** SHA-256 of the cookie's value; the value itself is kept nowhere. */
    token_hash: string;
    /** `user` or `admin`. */
    kind: string;
    /** The mailbox, or the administrator's name. */
    subject: string;
    /** SHA-256 of what the administrator's log-in counted on: another hash in the configuration ends the session. Empty for mailboxes. */
    credential: string;
    csrf_token: string;
    /** Never leaves the server; seals paging cursors. */
    cursor_key: string;
    issued_at: number;
    last_seen_at: number;
    client: string;
    remote_address: string;
  };
  /** Sessions of a mailbox that were issued before `valid_from` do not count, also when they are written after it was set. */
  panel_mark: { address: string; valid_from: number };
}

/** Types and sizes that SQLite, PostgreSQL and MariaDB share. */
export async function panelTables(database: Kysely<PanelTables>): Promise<void> {
  await database.schema.createTable('panel_session').ifNotExists()
    .addColumn('id', 'varchar(64)', (column) => column.notNull().unique())
    .addColumn('token_hash', 'varchar(64)', (column) => column.notNull().unique())
    .addColumn('kind', 'varchar(16)', (column) => column.notNull())
    .addColumn('subject', 'varchar(320)', (column) => column.notNull())
    .addColumn('credential', 'varchar(64)', (column) => column.notNull())
    .addColumn('csrf_token', 'varchar(64)', (column) => column.notNull())
    .addColumn('cursor_key', 'varchar(64)', (column) => column.notNull())
    .addColumn('issued_at', 'bigint', (column) => column.notNull())
    .addColumn('last_seen_at', 'bigint', (column) => column.notNull())
    .addColumn('client', 'varchar(512)', (column) => column.notNull())
    .addColumn('remote_address', 'varchar(64)', (column) => column.notNull())
    .addPrimaryKeyConstraint('panel_session_key', ['kind', 'subject', 'id'])
    .execute();
  await database.schema.createTable('panel_mark').ifNotExists()
    .addColumn('address', 'varchar(320)', (column) => column.primaryKey())
    .addColumn('valid_from', 'bigint', (column) => column.notNull())
    .execute();
}
