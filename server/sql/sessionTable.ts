import { createHash } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import type { SqlDialect } from './sqlUrl.ts';

export interface SessionTableOptions {
  readonly table: string;
  readonly columns: {
    readonly id: string;
    readonly user: string;
    readonly issuedAt?: string | undefined;
    readonly lastSeenAt?: string | undefined;
    readonly client?: string | undefined;
    readonly remoteAddress?: string | undefined;
  };
  readonly timeFormat: 'seconds' | 'milliseconds' | 'datetime';
  readonly timeZone: 'utc' | 'server';
  readonly userIs: 'address' | 'userId';
  readonly caseInsensitive: boolean;
}

export interface SessionRow {
  readonly id: unknown;
  readonly issued_at: number | string | null;
  readonly seen_at: number | string | null;
  readonly client: unknown;
  readonly remote_address: unknown;
}

type Expression = RawBuilder<unknown>;

const always = sql`1 = 1`;

/** A session's id is what its cookie holds: only a hash of it is shown. */
export const opaqueId = (id: unknown): string =>
  createHash('sha256').update(id instanceof Uint8Array ? id : String(id)).digest('hex');

/** The statements on an operator's session table, in the words of its database. Names are quoted, values are bound. */
export class SessionTable {
  readonly #dialect: SqlDialect;
  readonly #options: SessionTableOptions;

  constructor(dialect: SqlDialect, options: SessionTableOptions) {
    this.#dialect = dialect;
    this.#options = options;
  }

  select(user: unknown, { issuedBefore, none = false, limit }: { issuedBefore?: number; none?: boolean; limit: number }): RawBuilder<SessionRow> {
    const { table, columns } = this.#options;
    const text = (column: string | undefined): Expression => (column === undefined ? sql`null` : sql.id(column));
    return sql<SessionRow>`select ${sql.id(columns.id)} as ${sql.id('id')}, ${this.#milliseconds(columns.issuedAt)} as ${sql.id('issued_at')},
      ${this.#milliseconds(columns.lastSeenAt)} as ${sql.id('seen_at')}, ${text(columns.client)} as ${sql.id('client')},
      ${text(columns.remoteAddress)} as ${sql.id('remote_address')}
      from ${sql.table(table)} where ${this.#of(user)} and ${this.#old(issuedBefore)} and ${none ? sql`1 = 0` : always} limit ${sql.lit(limit)}`;
  }

  delete(user: unknown, ids: readonly unknown[], issuedBefore?: number): RawBuilder<unknown> {
    const { table, columns } = this.#options;
    const these = ids.length === 0 ? sql`1 = 0` : sql`${sql.id(columns.id)} in (${sql.join(ids)})`;
    return sql`delete from ${sql.table(table)} where ${these} and ${this.#of(user)} and ${this.#old(issuedBefore)}`;
  }

  #of(user: unknown): Expression {
    const { columns, userIs, caseInsensitive } = this.#options;
    const column = sql.id(columns.user);
    if (userIs === 'userId') return sql`${column} = ${user}`;
    if (this.#dialect === 'sqlite')
      return caseInsensitive ? sql`lower(${column}) = lower(${user})` : sql`${column} = ${user} collate binary`;
    if (this.#dialect === 'postgres')
      return caseInsensitive ? sql`lower(cast(${column} as text)) = lower(cast(${user} as text))` : sql`(${column} = ${user} and cast(${column} as text) = cast(${user} as text))`;
    // MariaDB's collations hold `ä` for `a` and overlook blanks at the end: the bytes decide.
    const bytes = (value: Expression): Expression => sql`cast(${value} as binary)`;
    const utf8 = (value: Expression): Expression => sql`convert(${value} using utf8mb4)`;
    if (caseInsensitive) return sql`${bytes(sql`lower(${utf8(column)})`)} = ${bytes(sql`lower(${utf8(sql`${user}`)})`)}`;
    return sql`(${column} = ${user} and ${bytes(utf8(column))} = ${bytes(utf8(sql`${user}`))})`;
  }

  /** What has no readable time counts as old: a session that cannot be judged must not survive. */
  #old(issuedBefore: number | undefined): Expression {
    const { issuedAt } = this.#options.columns;
    if (issuedBefore === undefined || issuedAt === undefined) return always;
    return sql`coalesce(${this.#milliseconds(issuedAt)}, 0) < ${Math.ceil(issuedBefore)}`;
  }

  #milliseconds(name: string | undefined): Expression {
    if (name === undefined) return sql`null`;
    const column = sql.id(name);
    const { timeFormat, timeZone } = this.#options;
    if (timeFormat === 'milliseconds') return sql`${column}`;
    if (timeFormat === 'seconds') return sql`round(${column} * 1000.0)`;
    if (this.#dialect === 'mysql') return sql`round(unix_timestamp(${column}) * 1000)`;
    if (this.#dialect === 'postgres')
      return timeZone === 'server' ? sql`round(extract(epoch from cast(${column} as timestamptz)) * 1000)` : sql`round(extract(epoch from ${column}) * 1000)`;
    const at = timeZone === 'server' ? sql`${column}, 'utc'` : sql`${column}`;
    return sql`(strftime('%s', ${at}) * 1000 + cast(round((strftime('%f', ${at}) - strftime('%S', ${at})) * 1000) as integer))`;
  }
}
