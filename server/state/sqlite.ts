import Database from 'libsql';
import { type Dialect, type Driver, Kysely, SqliteAdapter, type SqliteDatabase, SqliteDriver, SqliteIntrospector, SqliteQueryCompiler, type SqliteStatement } from 'kysely';
import { ModuleError } from '../../module/errors.ts';
import { type ToDisk, WalSync } from './walSync.ts';

const RETURNS_ROWS = /^\s*(select|with|pragma|explain)\b|\breturning\b/i;
/** Statements that come again and again; those that build the tables come once. */
const KEPT = /^\s*(select|insert|update|delete|begin|commit|rollback)\b/i;
const MOST_PREPARED = 200;
const ONLY_READS = /^\s*(select|pragma|explain|begin)\b/i;

/** A full disk, a broken one, one that was mounted read-only: SQLite takes the statement back, nothing was written. */
const NO_WRITING = /^SQLITE_(FULL|IOERR|READONLY)/;

function written<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const { code } = cause as { readonly code?: unknown };
    if (typeof code !== 'string' || !NO_WRITING.test(code)) throw cause;
    throw new ModuleError('STATE_UNAVAILABLE', { detail: `the folder of the databases cannot be written (${code})`, cause });
  }
}

/** Kysely's driver of the one connection; whoever wrote waits for the disk after giving it back, so that others write meanwhile and one sync serves all. */
class SyncingDriver extends SqliteDriver {
  readonly #wal: WalSync | null;
  #begun: Promise<void> | undefined;
  #wrote = false;

  constructor(database: SqliteDatabase, wal: WalSync | null) {
    super({ database: {
      close: () => { database.close(); },
      prepare: (sql) => {
        if (!ONLY_READS.test(sql)) this.#wrote = true;
        return database.prepare(sql);
      },
    } });
    this.#wal = wal;
  }

  override init(): Promise<void> {
    return this.#begun ??= super.init();
  }

  /** Without waiting for the disk: in a power cut, never in a crash of the process, what was written since the last sync may be lost. */
  async release(): Promise<boolean> {
    const wrote = this.#wrote;
    this.#wrote = false;
    await super.releaseConnection();
    return wrote;
  }

  override async releaseConnection(): Promise<void> {
    if (await this.release()) await this.#wal?.durable();
  }

  override async destroy(): Promise<void> {
    await this.#wal?.close();
    await super.destroy();
  }
}

const dialectOf = (driver: Driver): Dialect => ({
  createDriver: () => driver, createQueryCompiler: () => new SqliteQueryCompiler(), createAdapter: () => new SqliteAdapter(),
  createIntrospector: (database) => new SqliteIntrospector(database),
});

export interface SqliteHandles<Tables> {
  /** What a call has written survives a power cut when it resolves: what the outbox promises (I1). The one to destroy. */
  readonly durable: Kysely<Tables>;
  /** The same connection for what a power cut may take back; a later durable call covers it too. */
  readonly relaxed: Kysely<Tables>;
}

const LOG_TRIES = 250;
const LOG_PAUSE_MS = 20;

/** WAL mode; false where the file system cannot have it. Of two who give a new file its log SQLite refuses one at once, whatever the time-out: each holds what the other waits for. */
function logAhead(database: Database.Database): boolean {
  for (let tries = 1; ; tries += 1) {
    try {
      const [mode] = database.prepare('PRAGMA journal_mode = WAL').all() as { journal_mode?: string }[];
      return mode?.journal_mode === 'wal';
    } catch (cause) {
      if (tries === LOG_TRIES || (cause as { readonly code?: unknown }).code !== 'SQLITE_BUSY') throw cause;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOG_PAUSE_MS);
  }
}

/** SQLite through libsql, for Kysely. In WAL mode a commit is brought to the disk by {@link WalSync}; where there is no WAL, by SQLite itself. */
export function openSqliteHandles<Tables>(path: string, toDisk?: ToDisk): SqliteHandles<Tables> {
  const database = new Database(path);
  // First: of two processes that make the file at the same moment one waits for the other from here on.
  database.exec('PRAGMA busy_timeout = 5000');
  const inWal = logAhead(database);
  database.exec(`PRAGMA synchronous = ${inWal ? 'NORMAL' : 'FULL'}`);
  const prepared = new Map<string, SqliteStatement>();
  const prepare = (sql: string): SqliteStatement => {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    const statement = database.prepare(sql);
    const adapted: SqliteStatement = {
      reader: RETURNS_ROWS.test(sql),
      all: (parameters) => written(() => statement.all(parameters)),
      run: (parameters) => written(() => statement.run(parameters)),
      iterate: (parameters) => statement.iterate(parameters),
    };
    // Lists of values make texts without end.
    if (prepared.size >= MOST_PREPARED) prepared.clear();
    if (KEPT.test(sql)) prepared.set(sql, adapted);
    return adapted;
  };
  const driver = new SyncingDriver({ close: () => { database.close(); }, prepare }, inWal ? new WalSync(path, toDisk) : null);
  const relaxed: Driver = {
    init: () => driver.init(), acquireConnection: () => driver.acquireConnection(), destroy: () => Promise.resolve(),
    releaseConnection: async () => { await driver.release(); },
    beginTransaction: (connection) => driver.beginTransaction(connection), commitTransaction: (connection) => driver.commitTransaction(connection),
    rollbackTransaction: (connection) => driver.rollbackTransaction(connection),
  };
  return { durable: new Kysely<Tables>({ dialect: dialectOf(driver) }), relaxed: new Kysely<Tables>({ dialect: dialectOf(relaxed) }) };
}

/** {@link openSqliteHandles}, every write durable. */
export const openSqlite = <Tables>(path: string): Kysely<Tables> => openSqliteHandles<Tables>(path).durable;
