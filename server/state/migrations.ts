import type { Kysely, Migration } from 'kysely';
import { noticeTables } from '../notices/tables.ts';
import { panelTables } from '../panels/tables.ts';
import { historyWithChange, passwordHistoryTables } from '../passwordPolicy/tables.ts';
import { listIndexes } from './listIndexes.ts';
import { turnTable } from './mailboxTurns.ts';
import { namesByBytes } from './namesByBytes.ts';
import { rateLimitTable } from './rateLimitTable.ts';

/**
 * Steps of the state's tables, in the order of their names; a step that was published is never edited. Types and sizes are those
 * that SQLite, PostgreSQL and MariaDB share: times are bigint milliseconds, no auto-increment.
 */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '001_outbox_and_audit': {
    async up(database: Kysely<unknown>) {
      // "If not exists": files of 0.1 had these tables before there were steps.
      await database.schema.createTable('outbox').ifNotExists()
        .addColumn('change_id', 'varchar(64)', (column) => column.notNull())
        .addColumn('store', 'varchar(64)', (column) => column.notNull())
        .addColumn('address', 'varchar(320)', (column) => column.notNull())
        .addColumn('state', 'varchar(16)', (column) => column.notNull())
        .addColumn('recorded_at', 'bigint', (column) => column.notNull())
        .addColumn('changed_at', 'bigint')
        .addColumn('password_version', 'varchar(255)')
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
      await database.schema.createIndex('outbox_due').ifNotExists().on('outbox').columns(['next_attempt_at']).execute();
      await database.schema.createIndex('audit_at').ifNotExists().on('audit').columns(['at', 'request_id']).execute();
    },
  },
  '002_panels': {
    up: (database: Kysely<unknown>) => panelTables(database),
  },
  '003_password_history': { up: passwordHistoryTables },
  '004_notices': { up: noticeTables },
  '005_rate_limits': { up: rateLimitTable },
  '006_mailbox_turns': { up: turnTable },
  '007_history_with_change': { up: historyWithChange },
  '008_list_indexes': { up: listIndexes },
  '009_names_by_bytes': { up: namesByBytes },
};
