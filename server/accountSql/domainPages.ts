import { type RawBuilder, sql } from 'kysely';
import type { DomainPage, DomainQuery } from '../ports/accountApi.ts';
import type { Sql } from '../sql/openSql.ts';

/** A column in which the names of the domains stand. */
export interface DomainColumn {
  readonly table: string;
  readonly column: string;
  /** Whether the database tells capitals apart when it compares. */
  readonly exactCase: boolean;
}

/** What LIKE takes for the text itself; `!` is its escape. */
export const likeText = (text: string): string => text.replaceAll(/[!%_]/g, '!$&');

const text = (value: unknown): string => (typeof value === 'string' ? value : Buffer.isBuffer(value) ? value.toString('utf8') : '');

/**
 * Domains page by page. Names that begin with what is searched for come first: an index finds them however many there are. Names that
 * hold it elsewhere, for which the whole column is read, come after them. The cursor says in which of the two it is, and after which name.
 */
export async function pageOfDomainColumn(database: Sql, { table, column, exactCase }: DomainColumn, { search, cursor, limit }: DomainQuery): Promise<DomainPage> {
  const name = sql.ref(column);
  const wanted = likeText(search);
  const begins = sql`${exactCase ? sql`lower(${name})` : name} like ${`${wanted}%`} escape '!'`;
  const holds = sql`lower(${name}) like ${`%${wanted}%`} escape '!' and not (${begins})`;
  const read = async (condition: RawBuilder<unknown>, after: string): Promise<string[]> => {
    const from = after === '' ? sql`` : sql` and ${name} > ${after}`;
    const { rows } = await sql<{ domain: unknown }>`select distinct ${name} as ${sql.ref('domain')} from ${sql.table(table)} where ${condition}${from} order by ${name} limit ${sql.lit(limit + 1)}`.execute(database);
    return rows.map((row) => text(row.domain));
  };
  const seal = (part: 'begins' | 'holds', after: string): string => Buffer.from(JSON.stringify([part, after])).toString('base64url');
  // PostfixAdmin keeps a row ALL for its own administrators.
  const shown = (names: readonly string[]): string[] => names.map((one) => one.toLowerCase()).filter((one) => one.includes('.') || one === 'localhost');

  const [part, after] = cursor === null ? ['begins', ''] as const : JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as ['begins' | 'holds', string];
  if (part === 'begins') {
    const found = await read(search === '' ? sql`1 = 1` : begins, after);
    const domains = shown(found.slice(0, limit));
    if (found.length > limit) return { domains, nextCursor: seal('begins', found[limit - 1] ?? '') };
    if (search === '') return { domains, nextCursor: null };
    if (domains.length > 0) return { domains, nextCursor: seal('holds', '') };
  }
  const found = await read(holds, part === 'holds' ? after : '');
  return { domains: shown(found.slice(0, limit)), nextCursor: found.length > limit ? seal('holds', found[limit - 1] ?? '') : null };
}
