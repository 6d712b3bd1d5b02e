import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Kysely, type Migration, Migrator, sql } from 'kysely';
import { ModuleError } from '../../module/errors.ts';
import type { NoticeTables } from '../notices/tables.ts';
import type { PasswordHistoryTables } from '../passwordPolicy/tables.ts';
import { describeSqlError } from '../sql/describeSqlError.ts';
import { openSql, type SqlTlsOptions } from '../sql/openSql.ts';
import { sqlDialectOf } from '../sql/sqlUrl.ts';
import { MIGRATIONS } from './migrations.ts';
import type { TurnTables } from './mailboxTurns.ts';
import type { RateLimitTables } from './rateLimitTable.ts';
import { openSqliteHandles, type SqliteHandles } from './sqlite.ts';

/** All times are milliseconds since the epoch. */
export interface StateTables extends PasswordHistoryTables, NoticeTables, RateLimitTables, TurnTables {
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

/** The database's own "now" in milliseconds: the one clock that all nodes share. */
const NOW = {
  mysql: sql<{ now: number | string }>`select cast(unix_timestamp(now(3)) * 1000 as unsigned) as now`,
  postgres: sql<{ now: number | string }>`select cast(extract(epoch from clock_timestamp()) * 1000 as bigint) as now`,
} as const;

export interface OpenedState {
  readonly database: StateDatabase;
  /** The same database for what a power cut may take back (never a crash of the process); only SQLite knows the difference. */
  readonly relaxed: StateDatabase;
  /** True where other nodes may use it too. */
  readonly shared: boolean;
  /** Statements of `work` may take hours: an index over millions of rows. Nobody else must use it meanwhile. */
  readonly unhurried: <T>(work: () => Promise<T>) => Promise<T>;
  /** Null where this machine's own clock is the only one. */
  readonly now: (() => Promise<number>) | null;
}

export interface StateVersion {
  /** Steps that were done, in order. */
  readonly applied: readonly string[];
  /** Steps of this version that were not done yet. */
  readonly pending: readonly string[];
  /** Done steps that this version does not know: the database is of a newer one. */
  readonly newer: readonly string[];
}

const MIGRATION_TABLE = 'mailbox_password_migration';

/** The steps that were done, by any version. */
async function stepsDone(database: StateDatabase): Promise<readonly string[]> {
  const tables = await database.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === MIGRATION_TABLE)) return [];
  return (await sql<{ name: string }>`select name from ${sql.table(MIGRATION_TABLE)} order by name`.execute(database)).rows.map(({ name }) => name);
}

/**
 * Steps that a newer version has taken already. Steps only ever add, so an older one, after a rollback or as a node that is
 * upgraded last, works beside them; Kysely by itself refuses a database with steps that it does not know.
 */
async function stepsOfNewerVersions(database: StateDatabase): Promise<Record<string, Migration>> {
  const nothing = { up: async (): Promise<void> => undefined };
  return Object.fromEntries((await stepsDone(database)).filter((name) => !(name in MIGRATIONS)).map((name) => [name, nothing]));
}

const SQLITE_TRIES = 10;
/** One statement of a migration; that a database which does not answer is noticed at all. */
const MIGRATION_MS = 6 * 3_600_000;

/** The module's own database: what it owes (outbox), what it did (audit), who is logged in to its panels. As it is found. */
export function connectState(dataDir: string, url: string | null, previousUrl: string | null = null, tls: SqlTlsOptions | null = null, queryTimeoutMs = 5_000): OpenedState {
  let limitMs = queryTimeoutMs;
  const dialect = url === null ? 'sqlite' : sqlDialectOf(url);
  const open = (): SqliteHandles<StateTables> => {
    if (url === null || dialect === 'sqlite' || dialect === null) return openSqliteHandles(join(dataDir, 'state.db'));
    const server = openSql(url, { queryTimeoutMs: () => limitMs, previousUrl, tls }) as unknown as StateDatabase;
    return { durable: server, relaxed: server };
  };
  const { durable: database, relaxed } = open();
  const statement = dialect === 'mysql' || dialect === 'postgres' ? NOW[dialect] : null;
  return {
    database, relaxed, shared: statement !== null,
    async unhurried(work) {
      limitMs = MIGRATION_MS;
      try {
        return await work();
      } finally {
        limitMs = queryTimeoutMs;
      }
    },
    now: statement === null ? null : async () => Number((await statement.execute(database)).rows[0]?.now),
  };
}

/** Throws `STATE_UNAVAILABLE`. */
export async function stateVersion(database: StateDatabase): Promise<StateVersion> {
  try {
    const applied = await stepsDone(database);
    return { applied, pending: Object.keys(MIGRATIONS).filter((name) => !applied.includes(name)), newer: applied.filter((name) => !(name in MIGRATIONS)) };
  } catch (error) {
    throw new ModuleError('STATE_UNAVAILABLE', { detail: `state database: ${describeSqlError(error).detail}` });
  }
}

/** Brings it up to date; returns the steps that were done now. Throws `STATE_UNAVAILABLE`. */
export async function migrateState({ database, unhurried, shared }: Pick<OpenedState, 'database' | 'unhurried' | 'shared'>): Promise<readonly string[]> {
  // Before the migrator: while it runs it holds the one connection of SQLite. What fails here fails there too, with its words.
  const newer = await stepsOfNewerVersions(database).catch(() => ({}));
  const migrator = new Migrator({
    db: database, provider: { getMigrations: async () => ({ ...newer, ...MIGRATIONS }) },
    migrationTableName: MIGRATION_TABLE, migrationLockTableName: 'mailbox_password_migration_lock', allowUnorderedMigrations: true,
  });
  let { error, results = [] } = await unhurried(() => migrator.migrateToLatest());
  // SQLite has no lock for this: two commands at the first start take the same step, and one of them finds it taken.
  for (let tries = 1; error !== undefined && !shared && tries < SQLITE_TRIES; tries += 1) {
    await wait(50 * tries);
    ({ error, results = [] } = await migrator.migrateToLatest());
  }
  if (error !== undefined) {
    const failed = results.find(({ status }) => status === 'Error')?.migrationName ?? 'connection';
    throw new ModuleError('STATE_UNAVAILABLE', { detail: `state database (${failed}): ${describeSqlError(error).detail}` });
  }
  return results.map(({ migrationName }) => migrationName);
}

/** {@link connectState}, brought up to date. */
export async function openState(dataDir: string, url: string | null, previousUrl: string | null = null, tls: SqlTlsOptions | null = null): Promise<OpenedState> {
  const state = connectState(dataDir, url, previousUrl, tls);
  try {
    await migrateState(state);
    return state;
  } catch (error) {
    await state.database.destroy();
    throw error;
  }
}
