import { Kysely, MysqlDialect, PostgresDialect, SqliteDialect, type Dialect } from 'kysely';
import { createPool, type Pool as RawMysqlPool } from 'mysql2';
import { Pool } from 'pg';
import { readCertificateFile } from '../config/certificateFile.ts';
import { boundedMysqlPool, boundedPostgresPool } from './pools.ts';
import { openSqliteFile } from './sqliteFile.ts';
import { parseSqlUrl, type ServerTarget, SQL_URL_FORMS, type SqlTarget } from './sqlUrl.ts';
import { whicheverMysql, whicheverPostgres } from './whicheverLogsIn.ts';

/** Tables whose names and columns only the configuration knows. */
export type AnyTables = Record<string, Record<string, unknown>>;
export type Sql = Kysely<AnyTables>;

export interface SqlTlsOptions {
  /** Files in PEM. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Default true. */
  readonly verify?: boolean | undefined;
}

export interface OpenSqlOptions {
  readonly tls?: SqlTlsOptions | null | undefined;
  /** The same database with the other password, while it is exchanged: tried where the log-in is refused. */
  readonly previousUrl?: string | null | undefined;
  /** Connections at most; default 4. */
  readonly poolSize?: number | undefined;
  /** Default 3000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Milliseconds after which a statement without an answer rejects with `SqlTimeout` and its connection is closed; default 10000. Asked anew for each statement where it is a function. */
  readonly queryTimeoutMs?: number | (() => number) | undefined;
  /** MariaDB only: what a date and time without a zone means; `utc` (default) or as the server's default says. */
  readonly timeZone?: 'utc' | 'server' | undefined;
}

/**
 * A connection pool to an operator's own database: MariaDB, PostgreSQL or an SQLite file. Nothing is connected before the
 * first statement, except that TLS files are read here (one that cannot be read is a ValidationError).
 *
 * Errors of statements are the client libraries' own: they may hold values of the statement, so they go through
 * `describeSqlError` and never into a log or another error's `cause`.
 */
export function openSql(url: string, options: OpenSqlOptions = {}): Sql {
  const target = parseSqlUrl(url);
  if (target === null) throw new Error(`the database url must be ${SQL_URL_FORMS}`);
  const previous = typeof options.previousUrl === 'string' ? parseSqlUrl(options.previousUrl) : undefined;
  if (previous === null) throw new Error(`the previous database url must be ${SQL_URL_FORMS}`);
  return new Kysely<AnyTables>({ dialect: dialectFor(target, previous, options), log: () => undefined });
}

function dialectFor(target: SqlTarget, previous: SqlTarget | undefined, options: OpenSqlOptions): Dialect {
  const connectTimeoutMs = options.connectTimeoutMs ?? 3_000;
  const { queryTimeoutMs: told = 10_000 } = options;
  const queryTimeoutMs = typeof told === 'number' ? () => told : told;
  const poolSize = options.poolSize ?? 4;
  // SQLite answers in this thread: a lock of somebody else is waited for shortly, then it is "busy".
  if (target.dialect === 'sqlite') return new SqliteDialect({ database: async () => openSqliteFile(target.path, 1_000) });

  const tls = options.tls === undefined || options.tls === null ? undefined : tlsFor(options.tls);
  const targets: [ServerTarget, ...ServerTarget[]] = previous === undefined || previous.dialect === 'sqlite' ? [target] : [target, previous];
  if (target.dialect === 'mysql') {
    const open = ({ host, port, user, password, database, socket }: ServerTarget): RawMysqlPool => createPool({
      ...(socket === null ? { host, port } : { socketPath: socket }),
      user, password, database,
      ...(tls === undefined ? {} : { ssl: { ...tls, verifyIdentity: tls.rejectUnauthorized } }),
      connectTimeout: connectTimeoutMs, connectionLimit: poolSize, maxIdle: 1, idleTimeout: 60_000,
      charset: 'utf8mb4_general_ci', timezone: 'Z', supportBigNumbers: true, dateStrings: true, multipleStatements: false,
    });
    const setUp = [
      // mysql2 quotes with back slashes, which a server with NO_BACKSLASH_ESCAPES would take for text; strict, so that a value
      // too long for its column is an error and never cut.
      "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
      ...(options.timeZone === 'server' ? [] : ["SET SESSION time_zone = '+00:00'"]),
    ];
    const [first, ...more] = targets;
    // Made with the first statement: a pool has a timer that only its end stops, and one that was never asked is never ended.
    return new MysqlDialect({ pool: async () => boundedMysqlPool(whicheverMysql([open(first), ...more.map(open)]), setUp, queryTimeoutMs) });
  }
  const open = ({ host, port, user, password, database, socket }: ServerTarget): Pool => {
    const pool = new Pool({
      host: socket ?? host, port, user, password, database,
      ssl: tls ?? false,
      connectionTimeoutMillis: connectTimeoutMs, max: poolSize, idleTimeoutMillis: 60_000, keepAlive: true, allowExitOnIdle: true,
      application_name: 'mailbox-password',
    });
    // An idle connection that breaks is not an error of anybody's statement; the pool forgets it.
    pool.on('error', () => undefined);
    return pool;
  };
  const [first, ...more] = targets;
  return new PostgresDialect({ pool: boundedPostgresPool(whicheverPostgres([open(first), ...more.map(open)]), queryTimeoutMs) });
}

function tlsFor({ ca, cert, key, verify = true }: SqlTlsOptions) {
  return {
    rejectUnauthorized: verify,
    ...(ca === undefined ? {} : { ca: readCertificateFile(ca, 'tls.ca') }),
    ...(cert === undefined ? {} : { cert: readCertificateFile(cert, 'tls.cert') }),
    ...(key === undefined ? {} : { key: readCertificateFile(key, 'tls.key') }),
  };
}
