/** What an operator may be told of a database's error. */
export interface SqlProblem {
  /** `misconfigured` does not heal by itself (wrong name, missing right, wrong log-in); anything else may. */
  readonly kind: 'unavailable' | 'misconfigured';
  /** Never a value of the statement: only a code and, where the error is about a name, that name. */
  readonly detail: string;
}

const TLS_REFUSED = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HANDSHAKE_NO_SSL)/;

/** MariaDB's and MySQL's symbols for what only an operator can put right. */
const MYSQL_LASTING = new Set([
  'ER_ACCESS_DENIED_ERROR', 'ER_ACCESS_DENIED_NO_PASSWORD_ERROR', 'ER_DBACCESS_DENIED_ERROR', 'ER_TABLEACCESS_DENIED_ERROR',
  'ER_COLUMNACCESS_DENIED_ERROR', 'ER_SPECIFIC_ACCESS_DENIED_ERROR', 'ER_PROCACCESS_DENIED_ERROR', 'ER_BAD_DB_ERROR', 'ER_NO_DB_ERROR',
  'ER_NO_SUCH_TABLE', 'ER_BAD_TABLE_ERROR', 'ER_BAD_FIELD_ERROR', 'ER_PARSE_ERROR', 'ER_SP_DOES_NOT_EXIST', 'ER_NON_UNIQ_ERROR',
  'ER_DATA_TOO_LONG', 'ER_TRUNCATED_WRONG_VALUE', 'ER_TRUNCATED_WRONG_VALUE_FOR_FIELD', 'ER_WRONG_FIELD_WITH_GROUP',
  'ER_NON_UPDATABLE_TABLE', 'ER_ROW_IS_REFERENCED_2', 'ER_NO_REFERENCED_ROW_2', 'ER_BAD_NULL_ERROR', 'ER_DUP_ENTRY',
  'ER_NOT_SUPPORTED_AUTH_MODE', 'AUTH_SWITCH_PLUGIN_ERROR', 'ER_SECURE_TRANSPORT_REQUIRED', 'ER_CANT_AGGREGATE_2COLLATIONS', 'ER_UNKNOWN_TIME_ZONE',
]);
/** Messages that hold only names of the schema. */
const MYSQL_NAMES = new Set(['ER_NO_SUCH_TABLE', 'ER_BAD_FIELD_ERROR', 'ER_BAD_DB_ERROR', 'ER_NON_UNIQ_ERROR']);
/** https://www.postgresql.org/docs/current/errcodes-appendix.html, by class: 08, 53, 57, 58, 40 and 55 pass by themselves. */
const POSTGRES_LASTING = /^(0A|22|23|25006|28|2B|3D|3F|42)/;
/** Undefined table, column, database, schema; no right on a relation. */
const POSTGRES_NAMES = new Set(['42P01', '42703', '3D000', '3F000', '42501']);
const SQLITE_LASTING = /^SQLITE_(ERROR|READONLY|CANTOPEN|AUTH|PERM|CORRUPT|NOTADB|CONSTRAINT|MISMATCH)/;
const SQLITE_NAMES = /^no such (table|column): [\w.$"-]+$/;

/** Takes any rejection of a statement sent through `openSql`; the original belongs in no log, it may hold values. */
export function describeSqlError(error: unknown): SqlProblem {
  const { code, message } = (typeof error === 'object' && error !== null ? error : {}) as { code?: unknown; message?: unknown };
  const text = typeof message === 'string' ? message : '';
  if (typeof code !== 'string') {
    // A value that cannot be bound, not a connection.
    if (error instanceof TypeError || error instanceof RangeError) return { kind: 'misconfigured', detail: error.name };
    // pg words the end of a connection and a full pool without a code.
    return { kind: 'unavailable', detail: /timeout/i.test(text) ? 'no connection in time' : 'the connection failed' };
  }
  const sqliteText = text.replace(/^SQLITE_\w+:\s*/, '');
  const named = MYSQL_NAMES.has(code) || POSTGRES_NAMES.has(code) || (code.startsWith('SQLITE_') && SQLITE_NAMES.test(sqliteText));
  const lasting = MYSQL_LASTING.has(code) || SQLITE_LASTING.test(code) || TLS_REFUSED.test(code)
    || (/^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]{4}$/.test(code) && POSTGRES_LASTING.test(code));
  return { kind: lasting ? 'misconfigured' : 'unavailable', detail: named ? `${code}: ${text.slice(0, 300)}` : code };
}
