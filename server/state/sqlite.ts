import Database from 'libsql';
import { Kysely, type SqliteDatabase, SqliteDialect } from 'kysely';
import { ModuleError } from '../../module/errors.ts';

const RETURNS_ROWS = /^\s*(select|with|pragma|explain)\b|\breturning\b/i;

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

/**
 * SQLite through libsql, for Kysely. `synchronous = FULL` in WAL mode: a committed row survives a power cut, which is what the
 * outbox promises (I1).
 */
export function openSqlite<Tables>(path: string): Kysely<Tables> {
  const database = new Database(path);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('PRAGMA synchronous = FULL');
  database.exec('PRAGMA busy_timeout = 5000');
  const adapted: SqliteDatabase = {
    close: () => { database.close(); },
    prepare: (sql) => {
      const statement = database.prepare(sql);
      return {
        reader: RETURNS_ROWS.test(sql),
        all: (parameters) => written(() => statement.all(parameters)),
        run: (parameters) => written(() => statement.run(parameters)),
        iterate: (parameters) => statement.iterate(parameters),
      };
    },
  };
  return new Kysely<Tables>({ dialect: new SqliteDialect({ database: adapted }) });
}
