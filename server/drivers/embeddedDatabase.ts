import { join } from 'node:path';
import { hash } from '@node-rs/argon2';
import { type Kysely, sql } from 'kysely';
import { openSqlite } from '../state/sqlite.ts';

/** Times are milliseconds since the epoch. */
export interface EmbeddedTables {
  mailbox: { address: string; display_name: string; hash: string; enabled: number; password_changed_at: number; sessions_valid_from: number; change_required: number };
  session: { id: string; token_hash: string; csrf_token: string; address: string; issued_at: number; last_seen_at: number; client: string; remote_address: string };
}

export type EmbeddedDatabase = Kysely<EmbeddedTables>;

/** OWASP Password Storage Cheat Sheet: Argon2id, 19 MiB, two passes, one lane (the library's default algorithm). */
export const ARGON2ID = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** The mailboxes of a new embedded host. Known to everybody: this host is for trying things out. */
export const DEMO_MAILBOXES = [
  { address: 'alice@example.test', displayName: 'Alice Adams', password: 'Wonder-land-7' },
  { address: 'bob@example.test', displayName: 'Bob Brown', password: 'Builder-can-8' },
  { address: 'carol@mail.test', displayName: 'Carol Clark', password: 'Singing-bells-9' },
] as const;

const opened = new Map<string, { readonly database: Promise<EmbeddedDatabase>; users: number }>();

async function makeTables(database: EmbeddedDatabase): Promise<void> {
  await database.schema.createTable('mailbox').ifNotExists()
    .addColumn('address', 'varchar(320)', (column) => column.primaryKey())
    .addColumn('display_name', 'varchar(200)', (column) => column.notNull())
    .addColumn('hash', 'varchar(255)', (column) => column.notNull())
    .addColumn('enabled', 'integer', (column) => column.notNull())
    .addColumn('password_changed_at', 'bigint', (column) => column.notNull())
    .addColumn('sessions_valid_from', 'bigint', (column) => column.notNull())
    .addColumn('change_required', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
  // Files of 0.1 have the table without it.
  const { rows: columns } = await sql<{ name: string }>`pragma table_info(mailbox)`.execute(database);
  if (columns.every(({ name }) => name !== 'change_required')) await database.schema.alterTable('mailbox').addColumn('change_required', 'integer', (column) => column.notNull().defaultTo(0)).execute();
  await database.schema.createTable('session').ifNotExists()
    .addColumn('id', 'varchar(64)', (column) => column.primaryKey())
    .addColumn('token_hash', 'varchar(64)', (column) => column.notNull().unique())
    .addColumn('csrf_token', 'varchar(64)', (column) => column.notNull())
    .addColumn('address', 'varchar(320)', (column) => column.notNull())
    .addColumn('issued_at', 'bigint', (column) => column.notNull())
    .addColumn('last_seen_at', 'bigint', (column) => column.notNull())
    .addColumn('client', 'varchar(512)', (column) => column.notNull())
    .addColumn('remote_address', 'varchar(64)', (column) => column.notNull())
    .execute();
  const { count } = await database.selectFrom('mailbox').select((row) => row.fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
  if (count > 0) return;
  const rows = await Promise.all(DEMO_MAILBOXES.map(async ({ address, displayName, password }) => ({
    address, display_name: displayName, hash: await hash(password, ARGON2ID), enabled: 1, password_changed_at: 0, sessions_valid_from: 0, change_required: 0,
  })));
  await database.insertInto('mailbox').values(rows).execute();
}

async function open(dataDir: string): Promise<EmbeddedDatabase> {
  const database = openSqlite<EmbeddedTables>(join(dataDir, 'host.db'));
  try {
    // Under SQLite's one lock for writers, taken before the first look: two commands on a new folder each found it empty and both filled it.
    await database.connection().execute(async (connection) => {
      await sql`begin immediate`.execute(connection);
      await makeTables(connection);
      await sql`commit`.execute(connection);
    });
    return database;
  } catch (error) {
    await database.destroy();
    throw error;
  }
}

/** One connection per data folder, shared by the embedded accounts, sessions and host. */
export function embeddedDatabase(dataDir: string): Promise<EmbeddedDatabase> {
  const known = opened.get(dataDir) ?? { database: open(dataDir), users: 0 };
  opened.set(dataDir, known);
  return known.database;
}

/** The host holds it open: while a configuration is exchanged there are two. Returns the way to let go; the last one closes it. */
export function holdEmbedded(dataDir: string): () => Promise<void> {
  const known = opened.get(dataDir);
  if (known === undefined) return () => Promise.resolve();
  known.users += 1;
  return async () => {
    known.users -= 1;
    if (known.users > 0) return;
    if (opened.get(dataDir) === known) opened.delete(dataDir);
    await (await known.database).destroy();
  };
}
