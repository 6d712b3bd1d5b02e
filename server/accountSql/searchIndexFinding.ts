import { sql } from 'kysely';
import { type Finding, ok, warn } from '../ports/diagnosis.ts';
import type { Sql } from '../sql/openSql.ts';
import type { SqlDialect } from '../sql/sqlUrl.ts';
import type { AccountTable } from './accountTable.ts';

/** Below this a search that reads the whole table is not noticed. */
const LARGE = 20_000;

/**
 * Whether PostgreSQL has the index by which a search of the Admin Panel finds what begins with a text: it must sort by bytes
 * (docs/drivers/accounts-sql.md). Nothing is said of small tables, of other databases, and where the domain has no column of its own.
 */
export async function searchIndexFinding(database: Sql, { table, columns }: Pick<AccountTable, 'table' | 'columns'>, dialect: SqlDialect): Promise<Finding[]> {
  const column = columns.address ?? columns.local;
  const { domain } = columns;
  if (dialect !== 'postgres' || column === undefined || domain === undefined) return [];
  const name = table.split('.').map((part) => `"${part}"`).join('.');
  const { rows: [size] } = await sql<{ rows: unknown }>`select reltuples as rows from pg_class where oid = to_regclass(${name})`.execute(database);
  if (Number(size?.rows ?? 0) < LARGE) return [];
  const { rows: [found] } = await sql<{ index: string }>`
    select i.indexrelid::regclass::text as index
    from pg_index i
    join pg_attribute first on first.attrelid = i.indrelid and first.attnum = i.indkey[0]
    join pg_attribute second on second.attrelid = i.indrelid and second.attnum = i.indkey[1]
    join pg_collation c on c.oid = i.indcollation[1] cross join pg_database d
    where i.indrelid = to_regclass(${name}) and i.indisvalid and i.indpred is null and first.attname = ${domain} and second.attname = ${column} and d.datname = current_database()
      and case c.collprovider when 'c' then c.collcollate when 'd' then case coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') when 'c' then d.datcollate end end in ('C', 'POSIX')`.execute(database);
  return [found === undefined
    ? warn('search index', `${table} has no index that finds the beginning of an address: each search of the Admin Panel reads the table`, `CREATE INDEX CONCURRENTLY mailbox_search ON ${table} (${domain}, ${column} COLLATE "C")`)
    : ok('search index', `${found.index} finds the beginning of an address`)];
}
