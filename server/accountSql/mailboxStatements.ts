import { type RawBuilder, sql } from 'kysely';
import type { DomainPage, DomainQuery } from '../ports/accountApi.ts';
import type { SqlProbe } from '../diagnosis/sqlConnection.ts';
import type { Sql } from '../sql/openSql.ts';
import type { SqlDialect } from '../sql/sqlUrl.ts';
import { bindStatement } from '../sql/statement.ts';
import { openPosition, sealPosition } from './cursor.ts';
import { likeText } from './beginning.ts';
import { domainPages } from './domainPages.ts';
import { type ListQuery, mailboxPages, type RowPage } from './mailboxPages.ts';
import { type AccountTable, isEnabled, type MailboxRow, readTime, writeTime } from './accountTable.ts';

/** An operator's own SQL, with named parameters; see docs/drivers/accounts-sql.md. */
export interface OwnStatements {
  /** `:address`, `:local`, `:domain`; returns `password` and, where it can, `address`, `enabled`, `displayName`, `recoveryAddress`, `language`. */
  readonly find: string;
  /** `:hash`, `:oldHash`, `:address`, `:local`, `:domain`, `:now`, `:changeRequired` (1 or 0); changes exactly one row. */
  readonly update: string;
  /** `:changeRequired` (1 or 0), `:address`, `:local`, `:domain`. */
  readonly requireChange?: string | undefined;
  /** `:search`, a pattern of LIKE with `!` as its escape; returns `domain`. */
  readonly listDomains?: string | undefined;
  /** `:domain`, `:search` (a pattern of LIKE, `!` escapes), `:after`, `:limit`; returns `address`, ordered by it, and what `find` may return. */
  readonly listMailboxes?: string | undefined;
}

export interface Replacement {
  readonly address: string;
  readonly oldHash: string;
  readonly newHash: string;
  readonly now: number;
  readonly changeRequired: boolean;
}

/** The statements of one account table; what they return is judged by the driver. */
export interface MailboxStatements {
  find(database: Sql, address: string): Promise<MailboxRow[]>;
  /** Rows changed. */
  replace(database: Sql, change: Replacement): Promise<number>;
  /** Null where the table cannot keep it. */
  readonly requireChange: ((database: Sql, address: string, required: boolean) => Promise<number>) | null;
  readonly listDomains: ((database: Sql, search: string) => Promise<string[]>) | null;
  /** Null where only all of them can be asked for. */
  readonly pageDomains: ((database: Sql, query: DomainQuery) => Promise<DomainPage>) | null;
  readonly listMailboxes: ((database: Sql, query: ListQuery) => Promise<RowPage<MailboxRow>>) | null;
  /** Characters that the password column takes; null where the database does not tell or does not hold to it. */
  width(database: Sql): Promise<number | null>;
  /** Stored values of some mailboxes, to see their schemes; null where the operator's own statements cannot be asked. */
  readonly sample: ((database: Sql) => Promise<readonly string[]>) | null;
  /** Each fails where a table, a column or a right is missing, and changes nothing. */
  readonly probes: readonly SqlProbe[];
}

/** Mailboxes whose stored values are looked at for their schemes. */
const SAMPLE = 500;
/** RFC 2606: nobody's, for ever. */
const NOBODY = { address: 'nobody@mailbox-password.invalid', local: 'nobody', domain: 'mailbox-password.invalid' };

class TakenBack extends Error {}

const contains = (search: string): string => `%${likeText(search.toLowerCase())}%`;

function split(address: string): { local: string; domain: string } {
  const at = address.lastIndexOf('@');
  return { local: address.slice(0, Math.max(0, at)), domain: address.slice(at + 1) };
}

/** As a text, which every one of the databases takes for a number and for a truth value. */
const flag = (value: boolean): string => (value ? '1' : '0');

const text = (value: unknown): string => (typeof value === 'string' ? value : Buffer.isBuffer(value) ? value.toString('utf8') : '');

const optional = (value: unknown): string | null => {
  const told = value === undefined || value === null ? '' : text(value).trim();
  return told === '' ? null : told;
};

function toRow(row: Readonly<Record<string, unknown>>, asked: string, format: AccountTable['changedAtFormat']): MailboxRow {
  const password = row['password'];
  const displayName = row['displayName'] ?? row['displayname'];
  const changeRequired = 'changeRequired' in row ? row['changeRequired'] : row['changerequired'];
  return {
    address: row['address'] === undefined ? asked : text(row['address']),
    password: password === null || password === undefined ? null : text(password),
    enabled: row['enabled'] === undefined || isEnabled(row['enabled']),
    displayName: optional(displayName),
    recoveryAddress: optional(row['recoveryAddress'] ?? row['recoveryaddress']),
    language: optional(row['language'])?.replace('_', '-') ?? null,
    changedAt: readTime(row['changedAt'] ?? row['changedat'], format),
    changeRequired: changeRequired === undefined ? null : isEnabled(changeRequired),
  };
}

/** As it is spelt and in lower case: one index look-up, where `lower(column)` would read the whole table. */
const spellings = (value: string): string[] => [...new Set([value, value.toLowerCase()])];

export function tableStatements(layout: AccountTable, dialect: SqlDialect): MailboxStatements {
  const { columns, changedAtFormat: format, domains } = layout;
  const table = sql.table(layout.table);
  const ref = (column: string) => sql.ref(column);
  const same = (column: string, value: string) => (spellings(value).length === 1 ? sql`${ref(column)} = ${value}` : sql`${ref(column)} in (${sql.join(spellings(value))})`);
  const { address, local, domain } = columns;
  const listed = domains?.column ?? domain;
  const listedIn = domains === undefined ? layout.table : domains.table;
  const whole = (): RawBuilder<unknown> => {
    if (address !== undefined) return ref(address);
    return dialect === 'mysql' ? sql`concat(${ref(local ?? '')}, '@', ${ref(domain ?? '')})` : sql`${ref(local ?? '')} || '@' || ${ref(domain ?? '')}`;
  };
  const key = (wanted: string): RawBuilder<unknown> => {
    if (address !== undefined) return same(address, wanted);
    const parts = split(wanted);
    return sql`${same(local ?? '', parts.local)} and ${same(domain ?? '', parts.domain)}`;
  };
  const listedColumns = (): RawBuilder<unknown> => sql.join([
    sql`${whole()} as ${ref('address')}`,
    ...(columns.enabled === undefined ? [] : [sql`${ref(columns.enabled)} as ${ref('enabled')}`]),
    ...(columns.displayName === undefined ? [] : [sql`${ref(columns.displayName)} as ${ref('displayName')}`]),
    ...(columns.recoveryAddress === undefined ? [] : [sql`${ref(columns.recoveryAddress)} as ${ref('recoveryAddress')}`]),
    ...(columns.language === undefined ? [] : [sql`${ref(columns.language)} as ${ref('language')}`]),
    ...(columns.changedAt === undefined ? [] : [sql`${ref(columns.changedAt)} as ${ref('changedAt')}`]),
    ...(columns.changeRequired === undefined ? [] : [sql`${ref(columns.changeRequired)} as ${ref('changeRequired')}`]),
  ]);
  const selected = (): RawBuilder<unknown> => sql`${listedColumns()}, ${ref(columns.password)} as ${ref('password')}`;
  // MariaDB's usual collations take A for a and ignore blanks at the end: a hash is compared byte by byte.
  const exactly = (column: string, value: string) =>
    dialect === 'mysql' ? sql`cast(${ref(column)} as binary) = cast(${value} as binary)` : sql`${ref(column)} = ${value}`;

  return {
    async find(database, wanted) {
      const { rows } = await sql<Record<string, unknown>>`select ${selected()} from ${table} where ${key(wanted)} limit 3`.execute(database);
      return rows.map((row) => toRow(row, wanted, format)).filter((row) => row.address.toLowerCase() === wanted.toLowerCase());
    },
    async replace(database, { address: wanted, oldHash, newHash, now, changeRequired }) {
      const changedAt = columns.changedAt === undefined ? sql`` : sql`, ${ref(columns.changedAt)} = ${writeTime(now, format)}`;
      const required = columns.changeRequired === undefined ? sql`` : sql`, ${ref(columns.changeRequired)} = ${flag(changeRequired)}`;
      const result = await sql`update ${table} set ${ref(columns.password)} = ${newHash}${changedAt}${required} where ${key(wanted)} and ${exactly(columns.password, oldHash)}`.execute(database);
      return Number(result.numAffectedRows ?? 0);
    },
    requireChange: columns.changeRequired === undefined ? null : async (database, wanted, required) => {
      const result = await sql`update ${table} set ${ref(columns.changeRequired ?? '')} = ${flag(required)} where ${key(wanted)}`.execute(database);
      return Number(result.numAffectedRows ?? 0);
    },
    pageDomains: listed === undefined ? null : domainPages({ table: listedIn, column: listed, dialect }),
    async listDomains(database, search) {
      const pattern = contains(search);
      const [at, column] = [listedIn, listed];
      if (column !== undefined) {
        const { rows } = await sql<{ domain: unknown }>`select distinct ${ref(column)} as ${ref('domain')} from ${sql.table(at)} where lower(${ref(column)}) like ${pattern} escape '!' order by 1 limit 10000`.execute(database);
        // PostfixAdmin keeps a row ALL for its own administrators.
        return rows.map((row) => text(row.domain).toLowerCase()).filter((name) => name.includes('.') || name === 'localhost');
      }
      const after = dialect === 'mysql' ? sql`substring_index(${whole()}, '@', -1)`
        : dialect === 'postgres' ? sql`split_part(${whole()}, '@', 2)` : sql`substr(${whole()}, instr(${whole()}, '@') + 1)`;
      const { rows } = await sql<{ domain: unknown }>`select distinct lower(${after}) as ${ref('domain')} from ${table} where lower(${after}) like ${pattern} escape '!' order by 1 limit 10000`.execute(database);
      return rows.map((row) => text(row.domain));
    },
    listMailboxes: mailboxPages({
      table: layout.table, dialect, selected: listedColumns(), column: address ?? local ?? '', isLocalPart: address === undefined, whole: whole(), displayName: columns.displayName,
      inDomain: (wanted) => {
        if (domain === undefined) return { condition: sql`lower(${whole()}) like ${contains(`@${wanted}`).slice(0, -1)} escape '!'`, before: sql`` };
        // For `domain = ?` MariaDB reads all of the domain's index up to where a page begins; for a range it goes there at once.
        if (dialect === 'mysql' && spellings(wanted).length === 1) return { condition: sql`${ref(domain)} >= ${wanted} and ${ref(domain)} <= ${wanted}`, before: sql`${ref(domain)}, ` };
        return { condition: same(domain, wanted), before: sql`` };
      },
    }, (row) => toRow(row, '', format)),
    async width(database) {
      // SQLite does not hold to a declared length.
      if (dialect === 'sqlite') return null;
      const { rows } = await sql`select ${ref(columns.password)} from ${table} where 1 = 0`.execute(database).then(async () => {
        const parts = layout.table.split('.');
        const schema = parts.length > 1 ? sql`${parts[0] ?? ''}` : dialect === 'mysql' ? sql`database()` : sql`current_schema()`;
        return sql<{ width: unknown }>`select character_maximum_length as width from information_schema.columns where table_schema = ${schema} and table_name = ${parts.at(-1) ?? ''} and column_name = ${columns.password}`.execute(database);
      });
      const width = Number(rows[0]?.width ?? Number.NaN);
      return Number.isFinite(width) && width > 0 ? width : null;
    },
    async sample(database) {
      const { rows } = await sql<{ password: unknown }>`select ${ref(columns.password)} as ${ref('password')} from ${table} where ${ref(columns.password)} is not null limit ${sql.lit(SAMPLE)}`.execute(database);
      return rows.map(({ password }) => text(password));
    },
    probes: [
      {
        check: 'permission', text: `SELECT on ${layout.table} (${Object.values(columns).filter((column) => column !== undefined).join(', ')})`,
        todo: `check the names under columns, and grant SELECT on ${layout.table} to the user of url`, run: (database) => sql`select ${selected()} from ${table} where 1 = 0`.execute(database),
      },
      // The right to write, asked for without writing: no row is true.
      ...[columns.password, columns.changedAt, columns.changeRequired].flatMap((column) => (column === undefined ? [] : [{
        check: 'permission', text: `UPDATE of ${layout.table}.${column}`, todo: `grant UPDATE (${column}) on ${layout.table} to the user of url`,
        run: (database: Sql) => sql`update ${table} set ${ref(column)} = ${ref(column)} where 1 = 0`.execute(database),
      }])),
      ...(domains === undefined ? [] : [{
        check: 'permission', text: `SELECT on ${domains.table} (${domains.column})`, todo: `check domains, and grant SELECT on ${domains.table} to the user of url`,
        run: (database: Sql) => sql`select ${ref(domains.column)} from ${sql.table(domains.table)} where 1 = 0`.execute(database),
      }]),
    ],
  };
}

export function ownStatements(own: OwnStatements): MailboxStatements {
  const { listDomains, listMailboxes, requireChange } = own;
  return {
    async find(database, wanted) {
      const { rows } = await bindStatement<Record<string, unknown>>(own.find, { address: wanted, ...split(wanted) }).execute(database);
      return rows.map((row) => toRow(row, wanted, 'milliseconds')).filter((row) => row.address.toLowerCase() === wanted.toLowerCase());
    },
    async replace(database, { address: wanted, oldHash, newHash, now, changeRequired }) {
      const result = await bindStatement<Record<string, unknown>>(own.update, { address: wanted, ...split(wanted), hash: newHash, oldHash, now, changeRequired: flag(changeRequired) }).execute(database);
      return Number(result.numAffectedRows ?? 0);
    },
    requireChange: requireChange === undefined ? null : async (database, wanted, required) => {
      const result = await bindStatement<Record<string, unknown>>(requireChange, { address: wanted, ...split(wanted), changeRequired: flag(required) }).execute(database);
      return Number(result.numAffectedRows ?? 0);
    },
    pageDomains: null,
    listDomains: listDomains === undefined ? null : async (database, search) => {
      const { rows } = await bindStatement<Record<string, unknown>>(listDomains, { search: contains(search) }).execute(database);
      return rows.map((row) => text(row['domain']));
    },
    listMailboxes: listMailboxes === undefined ? null : async (database, { domain, search, cursor, limit }) => {
      const [, after] = cursor === null ? ['', ''] : openPosition(cursor, ['own']);
      const { rows } = await bindStatement<Record<string, unknown>>(listMailboxes, { domain, search: contains(search), after, limit: limit + 1 }).execute(database);
      const shown = rows.slice(0, limit).map((row) => toRow(row, '', 'milliseconds'));
      return { rows: shown, nextCursor: rows.length > limit ? sealPosition('own', shown.at(-1)?.address ?? '') : null };
    },
    async width() { return null; },
    sample: null,
    probes: [
      { check: 'permission', text: 'statements.find', todo: 'try the statement by hand as the user of url', run: (database) => bindStatement(own.find, NOBODY).execute(database) },
      {
        check: 'permission', text: 'statements.update', todo: 'try the statement by hand as the user of url, in a transaction that you roll back',
        // Nobody has this address; and what it did all the same is taken back.
        run: async (database) => {
          await database.transaction().execute(async (transaction) => {
            await bindStatement(own.update, { ...NOBODY, hash: '', oldHash: '', now: 0, changeRequired: flag(false) }).execute(transaction);
            throw new TakenBack();
          }).catch((error: unknown) => { if (!(error instanceof TakenBack)) throw error; });
        },
      },
    ],
  };
}
