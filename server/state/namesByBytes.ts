import { type Kysely, MysqlAdapter, sql } from 'kysely';

/** Columns by which one mailbox is told from another. */
const NAMES = [['panel_mark', 'address'], ['panel_session', 'subject'], ['password_history', 'address'], ['audit', 'address']] as const;
/** MariaDB's, MySQL's, and of any age; the last one overlooks blanks at the end. */
const COLLATIONS = ['utf8mb4_nopad_bin', 'utf8mb4_0900_bin', 'utf8mb4_bin'];

/**
 * MariaDB's collations hold `ä` for `a` and `ß` for `ss`: one mailbox's log-out ended the panel sessions of the other, and its old passwords were
 * refused to the other, which tells them. Here the bytes decide, as in SQLite and PostgreSQL. A version before this works beside it.
 */
export async function namesByBytes(database: Kysely<unknown>): Promise<void> {
  if (!(database.getExecutor().adapter instanceof MysqlAdapter)) return;
  const { rows } = await sql<{ name: string }>`select collation_name as name from information_schema.collations where collation_name in (${sql.join(COLLATIONS)})`.execute(database);
  const known = new Set(rows.map(({ name }) => name));
  const collation = COLLATIONS.find((name) => known.has(name)) ?? 'utf8mb4_bin';
  for (const [table, column] of NAMES) await sql`alter table ${sql.table(table)} modify ${sql.ref(column)} varchar(320) character set utf8mb4 collate ${sql.raw(collation)} not null`.execute(database);
}
