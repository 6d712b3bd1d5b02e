import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { openSqlite } from './sqlite.ts';

/** All times are milliseconds since the epoch. */
export interface StateTables {
  outbox: {
    change_id: string;
    store: string;
    address: string;
    state: string;
    recorded_at: number;
    changed_at: number | null;
    password_version: string | null;
    settle_after: number;
    attempts: number;
    next_attempt_at: number;
    last_error: string | null;
    claimed_by: string | null;
    claimed_until: number;
  };
  audit: {
    at: number;
    request_id: string;
    action: string;
    actor: string;
    actor_kind: string;
    address: string;
    remote_address: string;
    user_agent: string;
    outcome: string;
    ended: string;
  };
}

export type StateDatabase = Kysely<StateTables>;

/** The module's own database: what it owes (outbox) and what it did (audit). */
export async function openState(dataDir: string): Promise<StateDatabase> {
  const database = openSqlite<StateTables>(join(dataDir, 'state.db'));
  await database.schema.createTable('outbox').ifNotExists()
    .addColumn('change_id', 'varchar(64)', (column) => column.notNull())
    .addColumn('store', 'varchar(64)', (column) => column.notNull())
    .addColumn('address', 'varchar(320)', (column) => column.notNull())
    .addColumn('state', 'varchar(16)', (column) => column.notNull())
    .addColumn('recorded_at', 'bigint', (column) => column.notNull())
    .addColumn('changed_at', 'bigint')
    .addColumn('password_version', 'varchar(128)')
    .addColumn('settle_after', 'bigint', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('next_attempt_at', 'bigint', (column) => column.notNull())
    .addColumn('last_error', 'varchar(64)')
    .addColumn('claimed_by', 'varchar(64)')
    .addColumn('claimed_until', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('outbox_key', ['change_id', 'store'])
    .execute();
  await database.schema.createTable('audit').ifNotExists()
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('request_id', 'varchar(64)', (column) => column.notNull())
    .addColumn('action', 'varchar(16)', (column) => column.notNull())
    .addColumn('actor', 'varchar(320)', (column) => column.notNull())
    .addColumn('actor_kind', 'varchar(16)', (column) => column.notNull())
    .addColumn('address', 'varchar(320)', (column) => column.notNull())
    .addColumn('remote_address', 'varchar(64)', (column) => column.notNull())
    .addColumn('user_agent', 'varchar(512)', (column) => column.notNull())
    .addColumn('outcome', 'varchar(64)', (column) => column.notNull())
    .addColumn('ended', 'varchar(512)', (column) => column.notNull())
    .execute();
  return database;
}
