import { type RawBuilder, sql } from 'kysely';
import type { Sql } from '../sql/openSql.ts';
import type { SqlDialect } from '../sql/sqlUrl.ts';
import { type Beginning, beginningOf, likeText, LOOKED_AT, LOOKED_AT_FIRST } from './beginning.ts';
import { openPosition, sealPosition } from './cursor.ts';

/** Where the mailboxes of a domain stand. */
export interface MailboxColumns {
  readonly table: string;
  readonly dialect: SqlDialect;
  /** What a row of the list holds; `address` and, in the order of the pages, `position`. */
  readonly selected: RawBuilder<unknown>;
  /** The column in whose order the pages come: the address, or its part before the @. */
  readonly column: string;
  readonly isLocalPart: boolean;
  readonly whole: RawBuilder<unknown>;
  readonly displayName: string | undefined;
  readonly inDomain: (domain: string) => InDomain;
}

export interface InDomain {
  readonly condition: RawBuilder<unknown>;
  /** What stands in an ORDER BY before the position; all rows have the same there. */
  readonly before: RawBuilder<unknown>;
}

export interface ListQuery {
  readonly domain: string;
  readonly search: string;
  readonly cursor: string | null;
  readonly limit: number;
}

export interface RowPage<Row> {
  readonly rows: readonly Row[];
  readonly nextCursor: string | null;
}

type Row = Readonly<Record<string, unknown>>;

/** `all`: no search. `begins`: what begins with it. `holds`: what holds it elsewhere. */
const PHASES = ['all', 'begins', 'holds'] as const;

/**
 * The mailboxes of a domain page by page, in one order that an index can give. Of a search the first pages hold what begins with it, which
 * is a range of that index however large the domain is. What holds it elsewhere (the owner's name too) follows: for that the domain is gone
 * through from one end to the other, a stretch for each page. The cursor says in which of the two it is, and behind which mailbox, so that
 * none comes twice, and none that was there all the time is left out.
 */
export function mailboxPages<T>(columns: MailboxColumns, toRow: (row: Row) => T): (database: Sql, query: ListQuery) => Promise<RowPage<T>> {
  const { selected, whole, displayName, inDomain, isLocalPart } = columns;
  const table = sql.table(columns.table);
  const column = sql`${sql.ref(columns.column)}`;
  const inOrder = beginningOf(columns);

  function beginsAddress(search: string, domain: string, beginning: Beginning): RawBuilder<unknown> {
    const at = search.lastIndexOf('@');
    if (!isLocalPart || at === -1) return beginning.with(search);
    return domain.toLowerCase().startsWith(search.slice(at + 1)) ? sql`${column} = ${search.slice(0, at)}` : sql`1 = 0`;
  }

  return async (database, { domain, search: typed, cursor, limit }) => {
    const search = typed.toLowerCase();
    const [phase, after] = cursor === null ? [search === '' ? 'all' : 'begins', ''] as const : openPosition(cursor, search === '' ? ['all'] : PHASES.slice(1));
    const within = inDomain(domain);
    const read = async (condition: RawBuilder<unknown>, order: RawBuilder<unknown>, from: string, wanted: number): Promise<readonly Row[]> => (await sql<Row>`
      select ${selected}, ${column} as ${sql.ref('position')} from ${table}
      where ${within.condition}${condition}${from === '' ? sql`` : sql` and ${order} > ${from}`} order by ${within.before}${order} limit ${sql.lit(wanted)}`.execute(database)).rows;
    const pageOf = (rows: readonly Row[], wanted: number, at: (typeof PHASES)[number], otherwise: string | null): RowPage<T> => {
      const shown = rows.slice(0, wanted);
      return { rows: shown.map(toRow), nextCursor: rows.length > wanted ? sealPosition(at, positionOf(shown.at(-1))) : otherwise };
    };

    if (phase === 'all') return pageOf(await read(sql``, column, after, limit + 1), limit, 'all', null);

    const beginning = await inOrder(database);
    const first = beginsAddress(search, domain, beginning);
    const pattern = `%${likeText(search)}%`;
    const name = displayName === undefined ? sql`` : sql` or lower(${sql.ref(displayName)}) like ${pattern} escape '!'`;
    const elsewhere = sql` and (lower(${whole}) like ${pattern} escape '!'${name}) and not ${first}`;

    /** The next stretch of the domain. */
    async function holds(from: string, stretch: number, wanted: number): Promise<RowPage<T>> {
      const { rows: [end] } = await sql<Row>`
        select ${column} as ${sql.ref('position')} from ${table} where ${within.condition}${from === '' ? sql`` : sql` and ${column} > ${from}`}
        order by ${within.before}${column} limit 1 offset ${sql.lit(stretch - 1)}`.execute(database);
      const last = end === undefined ? null : positionOf(end);
      const rows = await read(last === null ? elsewhere : sql` and ${column} <= ${last}${elsewhere}`, column, from, wanted + 1);
      return pageOf(rows, wanted, 'holds', last === null ? null : sealPosition('holds', last));
    }

    if (phase === 'holds') return holds(after, LOOKED_AT, limit);
    const page = pageOf(await read(sql` and ${first}`, beginning.order, after, limit + 1), limit, 'begins', sealPosition('holds', ''));
    if (page.rows.length === limit) return page;
    const rest = await holds('', LOOKED_AT_FIRST, limit - page.rows.length);
    return { rows: [...page.rows, ...rest.rows], nextCursor: rest.nextCursor };
  };
}

const positionOf = (row: Row | undefined): string => {
  const value = row?.['position'];
  return Buffer.isBuffer(value) ? value.toString('utf8') : typeof value === 'string' ? value : '';
};
