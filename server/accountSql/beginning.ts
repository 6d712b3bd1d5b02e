import { type RawBuilder, sql } from 'kysely';
import type { Sql } from '../sql/openSql.ts';
import type { SqlDialect } from '../sql/sqlUrl.ts';

/** What LIKE takes for the text itself; `!` is its escape. */
export const likeText = (text: string): string => text.replaceAll(/[!%_]/g, '!$&');

/** Behind every text that begins so: the last code point there is. */
const LAST = '\u{10FFFF}';

export interface Beginning {
  /** The column as an index sorts it that can find beginnings; pages come in this order. */
  readonly order: RawBuilder<unknown>;
  /** What begins with a text in lower case. Where capitals count, what is stored in capitals does not. */
  with(text: string): RawBuilder<unknown>;
}

/**
 * How one column is asked for what begins with a text, so that it is a range of an index. MariaDB and SQLite sort as they compare. A
 * PostgreSQL column that sorts by a language has to be asked in byte order, by an index of its own (`COLLATE "C"`), and one that sorts by
 * bytes must not be: an index fits only what is spelt like it (https://www.postgresql.org/docs/current/indexes-collations.html).
 */
export function beginningOf({ table, column, dialect }: { readonly table: string; readonly column: string; readonly dialect: SqlDialect }): (database: Sql) => Promise<Beginning> {
  const plain = sql`${sql.ref(column)}`;
  const like = (text: string): RawBuilder<unknown> => sql`${plain} like ${`${likeText(text)}%`} escape '!'`;
  const range = (order: RawBuilder<unknown>, text: string): RawBuilder<unknown> => sql`${order} >= ${text} and ${order} < ${text + LAST}`;
  if (dialect === 'mysql') return async () => ({ order: plain, with: like });
  if (dialect === 'sqlite') return async () => ({ order: plain, with: (text) => sql`(${range(plain, text)})` });
  const name = table.split('.').map((part) => `"${part}"`).join('.');
  let known: Beginning | undefined;
  return async (database) => {
    if (known !== undefined) return known;
    const { rows } = await sql<{ collation: unknown }>`
      select case c.collprovider when 'c' then c.collcollate when 'd' then case coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') when 'c' then d.datcollate end end as collation
      from pg_attribute a join pg_collation c on c.oid = a.attcollation cross join pg_database d
      where a.attrelid = to_regclass(${name}) and a.attname = ${column} and d.datname = current_database()`.execute(database);
    const order = rows[0]?.collation === 'C' || rows[0]?.collation === 'POSIX' ? plain : sql`${plain} collate "C"`;
    known = { order, with: (text) => sql`(${range(order, text)} and ${like(text)})` };
    return known;
  };
}

/** Rows looked at for what stands inside, in the same page as what begins so: those of a usual list, at once. */
export const LOOKED_AT_FIRST = 1_000;
/** And in every page after it. What it costs does not grow with the list; a page may be short, or empty, and still have a next one. */
export const LOOKED_AT = 20_000;
