import { existsSync } from 'node:fs';
import Database from 'libsql';
import type { SqliteDatabase } from 'kysely';

const RETURNS_ROWS = /^\s*(select|with|pragma|explain)\b|\breturning\b/i;

/**
 * Somebody else's SQLite file, for Kysely. Unlike the module's own state, its journal mode is left as the owner chose it, and a
 * file that is not there is an error instead of a new, empty database.
 */
export function openSqliteFile(path: string, busyTimeoutMs: number): SqliteDatabase {
  if (!existsSync(path)) throw Object.assign(new Error('the database file is not there'), { code: 'SQLITE_CANTOPEN' });
  const database = new Database(path);
  database.exec(`PRAGMA busy_timeout = ${String(busyTimeoutMs)}`);
  return {
    close: () => { database.close(); },
    prepare: (statement) => {
      const prepared = database.prepare(statement);
      return {
        reader: RETURNS_ROWS.test(statement),
        // As one array: a null or a Buffer that stands alone would be taken for named parameters.
        all: (parameters) => prepared.all([...parameters]).map(withBuffers),
        run: (parameters) => prepared.run([...parameters]),
        iterate: (parameters) => prepared.iterate([...parameters]),
      };
    },
  };
}

/** libsql gives an ArrayBuffer where the other two databases give a Buffer. */
const withBuffers = (row: unknown): unknown =>
  Object.fromEntries(Object.entries(row as object).map(([name, value]) => [name, value instanceof ArrayBuffer ? Buffer.from(value) : (value as unknown)]));
