import { isAbsolute, resolve } from 'node:path';

export type SqlDialect = 'mysql' | 'postgres' | 'sqlite';

/** What a database URL says. `password` is a secret. */
export type SqlTarget = { readonly dialect: 'sqlite'; readonly path: string } | ServerTarget;

export interface ServerTarget {
  readonly dialect: 'mysql' | 'postgres';
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Path of a Unix socket (MariaDB) or its folder (PostgreSQL); it stands in for host and port. */
  readonly socket: string | null;
}

const DIALECTS: Readonly<Record<string, 'mysql' | 'postgres'>> = {
  'mysql:': 'mysql', 'mariadb:': 'mysql', 'postgres:': 'postgres', 'postgresql:': 'postgres',
};

export const SQL_URL_FORMS = 'mysql://user:password@host:port/database, postgres://... (?socket=/path for a Unix socket) or sqlite:/path/of/the/file';

/** Null where the text is none of {@link SQL_URL_FORMS}; the text itself never stands in an error, it holds a password. */
export function parseSqlUrl(url: unknown): SqlTarget | null {
  // A rule between keys is asked before the type of each is known to be right.
  if (typeof url !== 'string') return null;
  if (url.startsWith('sqlite:')) {
    const path = url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '');
    if (path === '' || path.includes('\0') || (path.startsWith('//') && isAbsolute(path))) return null;
    return { dialect: 'sqlite', path: resolve(path) };
  }
  try {
    const parsed = new URL(url);
    const dialect = DIALECTS[parsed.protocol];
    const database = decodeURIComponent(parsed.pathname.slice(1));
    const socket = parsed.searchParams.get('socket');
    const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
    if (dialect === undefined || database === '' || parsed.hash !== '' || (host === '' && socket === null)) return null;
    // An unknown parameter is refused: a misspelt `sslmode=require` would otherwise be a connection in the clear.
    if ([...parsed.searchParams.keys()].some((key) => key !== 'socket') || (socket !== null && !isAbsolute(socket))) return null;
    return {
      dialect, host, database, socket,
      port: parsed.port === '' ? (dialect === 'mysql' ? 3306 : 5432) : Number(parsed.port),
      user: decodeURIComponent(parsed.username),
      password: decodeURIComponent(parsed.password),
    };
  } catch {
    return null;
  }
}

/** Which database a URL means, whoever logs in to it; the text itself where it is none. */
export function databaseOf(url: string): string {
  const target = parseSqlUrl(url);
  if (target === null || target.dialect === 'sqlite') return url;
  const { dialect, host, port, socket, database } = target;
  return JSON.stringify([dialect, socket ?? host, socket === null ? port : null, database]);
}

/** Which SQL a URL's server speaks; null where it is no database URL. */
export const sqlDialectOf = (url: string): SqlDialect | null => parseSqlUrl(url)?.dialect ?? null;
