import Database from 'libsql';
import { Kysely, type SqliteDatabase, SqliteDialect } from 'kysely';

const RETURNS_ROWS = /^\s*(select|with|pragma|explain)\b|\breturning\b/i;

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
        all: (parameters) => statement.all(parameters),
        run: (parameters) => statement.run(parameters),
        iterate: (parameters) => statement.iterate(parameters),
      };
    },
  };
  return new Kysely<Tables>({ dialect: new SqliteDialect({ database: adapted }) });
}
