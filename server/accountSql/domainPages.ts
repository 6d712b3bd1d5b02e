import { type RawBuilder, sql } from 'kysely';
import type { DomainPage, DomainQuery } from '../ports/accountApi.ts';
import type { Sql } from '../sql/openSql.ts';
import type { SqlDialect } from '../sql/sqlUrl.ts';
import { beginningOf, likeText, LOOKED_AT } from './beginning.ts';
import { openPosition, sealPosition } from './cursor.ts';

/**
 * Names looked at for what stands inside, in the page of what begins so. Fewer than of mailboxes: this page is asked for at every pause of
 * typing, and PostgreSQL, where a collation is a language's, takes a millisecond for a thousand lower() and LIKE. The drop-down asks for the next page itself.
 */
const LOOKED_AT_FIRST = 250;

/** A column in which the names of the domains stand. */
export interface DomainColumn {
  readonly table: string;
  readonly column: string;
  readonly dialect: SqlDialect;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : Buffer.isBuffer(value) ? value.toString('utf8') : '');

// PostfixAdmin keeps a row ALL for its own administrators.
const shown = (names: readonly string[]): string[] => names.map((one) => one.toLowerCase()).filter((one) => one.includes('.') || one === 'localhost');

/**
 * Domains page by page. Names that begin with what is searched for come first: an index finds them however many there are. Names that
 * hold it elsewhere come after them, for which the column is gone through, a stretch for each page. The cursor says in which of the two it
 * is, and after which name.
 */
export function domainPages({ table, column, dialect }: DomainColumn): (database: Sql, query: DomainQuery) => Promise<DomainPage> {
  const name = sql`${sql.ref(column)}`;
  const inOrder = beginningOf({ table, column, dialect });

  return async (database, { search, cursor, limit }) => {
    const [part, after] = cursor === null ? ['begins', ''] as const : openPosition(cursor, ['begins', 'holds']);
    const read = async (condition: RawBuilder<unknown>, order: RawBuilder<unknown>, from: string, wanted: number, offset = 0): Promise<string[]> => {
      const further = from === '' ? sql`` : sql` and ${order} > ${from}`;
      const { rows } = await sql<{ domain: unknown }>`
        select distinct ${order} as ${sql.ref('domain')} from ${sql.table(table)} where ${condition}${further} order by ${order} limit ${sql.lit(wanted)} offset ${sql.lit(offset)}`.execute(database);
      return rows.map((row) => text(row.domain));
    };
    if (search === '') {
      const found = await read(sql`1 = 1`, name, after, limit + 1);
      return { domains: shown(found.slice(0, limit)), nextCursor: found.length > limit ? sealPosition('begins', found[limit - 1] ?? '') : null };
    }
    const beginning = await inOrder(database);
    const begins = beginning.with(search);

    async function holds(from: string, stretch: number, wanted: number): Promise<DomainPage> {
      const [last] = await read(sql`1 = 1`, name, from, 1, stretch - 1);
      const found = await read(sql`lower(${name}) like ${`%${likeText(search)}%`} escape '!' and not ${begins}${last === undefined ? sql`` : sql` and ${name} <= ${last}`}`, name, from, wanted + 1);
      const further = found.length > wanted ? (found[wanted - 1] ?? '') : last;
      return { domains: shown(found.slice(0, wanted)), nextCursor: further === undefined ? null : sealPosition('holds', further) };
    }

    if (part === 'holds') return holds(after, LOOKED_AT, limit);
    const found = await read(begins, beginning.order, after, limit + 1);
    const domains = shown(found.slice(0, limit));
    if (found.length > limit) return { domains, nextCursor: sealPosition('begins', found[limit - 1] ?? '') };
    if (domains.length === limit) return { domains, nextCursor: sealPosition('holds', '') };
    const rest = await holds('', LOOKED_AT_FIRST, limit - domains.length);
    return { domains: [...domains, ...rest.domains], nextCursor: rest.nextCursor };
  };
}
