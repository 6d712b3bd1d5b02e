import { number, object, string } from 'yup';
import { ModuleError } from '../../../module/errors.ts';
import { ACCOUNT_PRESETS, type AccountPreset, type AccountTable, type MailboxRow, type PresetName } from '../../accountSql/accountTable.ts';
import { type MailboxStatements, ownStatements, tableStatements } from '../../accountSql/mailboxStatements.ts';
import { createHasher, WRITE_SCHEMES } from '../../hashing/hasher.ts';
import { isProven, versionOf } from '../../hashing/storedHash.ts';
import type { Account, AccountApi, CallOptions, ChangeReceipt } from '../../ports/accountApi.ts';
import { firstMomentAfter } from '../../ports/clock.ts';
import { Secret } from '../../secret.ts';
import { searchIndexFinding } from '../../accountSql/searchIndexFinding.ts';
import { schemeFindings } from '../../accountSql/schemeFindings.ts';
import { diagnoseSql } from '../../diagnosis/sqlConnection.ts';
import { sqlEndpoints } from '../../diagnosis/tlsEndpoints.ts';
import { describeSqlError } from '../../sql/describeSqlError.ts';
import { inTime, SqlDeadline } from '../../sql/inTime.ts';
import { openSql, type Sql } from '../../sql/openSql.ts';
import { isNamedForTls, SQL_TLS_NAME, sqlConnectTimeoutMs, sqlPoolSize, sqlPreviousUrl, sqlQueryTimeoutMs, sqlTls, sqlUrl } from '../../sql/sqlOptions.ts';
import { sqlDialectOf } from '../../sql/sqlUrl.ts';
import { parametersOf } from '../../sql/statement.ts';
import { defineAccountDriver } from '../defineDriver.ts';

const name = () => string().matches(/^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?$/, '${path} must be a plain name');
const uses = (...wanted: string[]) => (statement: string | undefined) => statement === undefined || wanted.every((parameter) => parametersOf(statement).includes(parameter));

const options = object({
  url: sqlUrl, previousUrl: sqlPreviousUrl, tls: sqlTls, poolSize: sqlPoolSize, connectTimeoutMs: sqlConnectTimeoutMs, queryTimeoutMs: sqlQueryTimeoutMs,
  preset: string().oneOf(Object.keys(ACCOUNT_PRESETS) as PresetName[]).meta({ description: 'A common schema; every key below overrides it', example: 'postfixadmin' }),
  table: name().meta({ description: 'Table of mailboxes', example: 'mailbox' }),
  columns: object({
    address: name().meta({ description: 'Column of the whole address', example: 'username' }),
    local: name().meta({ description: 'Column of the part before the @, where the address is in two columns', example: 'username' }),
    domain: name().meta({ description: 'Column of the domain', example: 'domain' }),
    password: name().meta({ description: 'Column of the hash', example: 'password' }),
    enabled: name().meta({ description: 'Column that is 1, Y, T or true where the mailbox may log in', example: 'active' }),
    displayName: name().meta({ description: 'Column of the owner\'s name', example: 'name' }),
    recoveryAddress: name().meta({ description: 'Column of another address of the owner, for notices', example: 'email_other' }),
    language: name().meta({ description: 'Column of the owner\'s language (nl, pt-BR, nl_NL), for notices', example: 'language' }),
    changedAt: name().meta({ description: 'Column that gets the time of each change', example: 'password_changed' }),
    changeRequired: name().meta({ description: 'Column that is 1 or true where the owner is to choose a new password at the next log-in', example: 'must_change' }),
  }).noUnknown().default(undefined).meta({ description: 'Columns' }),
  changedAtFormat: string().oneOf(['seconds', 'milliseconds', 'datetime'] as const).meta({ description: 'What `changedAt` holds (UTC)', example: 'datetime' }),
  domains: object({
    table: name().required().meta({ description: 'Table of the domains', example: 'domain' }), column: name().required().meta({ description: 'Its column', example: 'domain' }),
  }).noUnknown().default(undefined)
    .meta({ description: 'Table and column that list the domains', example: '{ table: domain, column: domain }' }),
  statements: object({
    find: string().required().test('parameters', 'statements.find must use :address, or :local and :domain', (text) => uses('address')(text) || uses('local', 'domain')(text)),
    requireChange: string().test('parameters', 'statements.requireChange must use :changeRequired', uses('changeRequired')),
    update: string().required().test('parameters', 'statements.update must use :hash and :oldHash (two changes at once: one wins)', uses('hash', 'oldHash')),
    listDomains: string().test('parameters', 'statements.listDomains must use :search', uses('search')),
    listMailboxes: string().test('parameters', 'statements.listMailboxes must use :domain, :search, :after and :limit', uses('domain', 'search', 'after', 'limit')),
  }).noUnknown().default(undefined).meta({ description: 'SQL of your own instead of table and columns', example: { find: 'SELECT ...', update: 'UPDATE ...' }, whole: true }),
  scheme: string().oneOf(WRITE_SCHEMES).meta({ description: 'Scheme of new hashes (Dovecot\'s names)', example: 'ARGON2ID' }),
  prefix: string().oneOf(['scheme', 'none'] as const).meta({ description: 'Whether {SCHEME} stands before the hash', example: 'scheme' }),
  bareScheme: string().meta({ description: 'What a stored value without prefix is, where its form does not tell', example: 'SSHA512' }),
  bcryptCost: number().integer().min(4).max(16).meta({ description: 'log2 of the rounds of BLF-CRYPT (default 10)', example: 10 }),
  sha512Rounds: number().integer().min(1000).max(10_000_000).meta({ description: 'Rounds of SHA512-CRYPT (default 5000)', example: 5000 }),
}).noUnknown().test('tls', SQL_TLS_NAME, isNamedForTls).test('layout', 'name a preset, or table with columns.password and columns.address (or local and domain), or statements', (own, context) => {
  if (own.statements?.requireChange !== undefined && !uses('changeRequired')(own.statements.update)) return context.createError({ message: 'with statements.requireChange, statements.update must use :changeRequired too' });
  if (own.statements !== undefined) {
    return own.preset === undefined && own.table === undefined || context.createError({ message: 'statements stand alone: no preset, no table' });
  }
  const columns = { ...(own.preset === undefined ? {} : ACCOUNT_PRESETS[own.preset].columns), ...own.columns } as Partial<AccountTable['columns']>;
  return (own.preset !== undefined || own.table !== undefined) && columns.password !== undefined
    && (columns.address !== undefined || (columns.local !== undefined && columns.domain !== undefined));
});

/** An address of RFC 5321 has at most 320 octets; no database can hold a NUL or half a surrogate pair in a text. */
const isPlausible = (address: string): boolean => address !== '' && Buffer.byteLength(address) <= 320 && !/[\p{Cc}\p{Cs}]/u.test(address);

const toAccount = (row: MailboxRow): Account => ({
  address: row.address, enabled: row.enabled, passwordChangedAt: row.changedAt, ...(row.displayName !== null && { displayName: row.displayName }),
  ...(row.recoveryAddress !== null && { recoveryAddress: row.recoveryAddress }), ...(row.language !== null && { language: row.language }), ...(row.changeRequired !== null && { changeRequired: row.changeRequired }),
});

/** Read or not yet written: nothing was changed. The original may hold values, so only its code and names go on. */
function coded(error: unknown): ModuleError {
  if (error instanceof ModuleError) return error;
  if (error instanceof SqlDeadline) return new ModuleError('ACCOUNTS_UNAVAILABLE', { detail: 'the database did not answer in time' });
  const { kind, detail } = describeSqlError(error);
  return new ModuleError(kind === 'misconfigured' ? 'ACCOUNTS_MISCONFIGURED' : 'ACCOUNTS_UNAVAILABLE', { detail });
}

/** Mailboxes in tables that Dovecot and Postfix read: MariaDB, PostgreSQL or SQLite. */
export default defineAccountDriver({
  name: 'sql',
  summary: 'Virtual-user tables of Dovecot and Postfix on MariaDB, PostgreSQL or SQLite.',
  options,
  async create(given, { clock }): Promise<AccountApi> {
    const preset: Partial<AccountPreset> = given.preset === undefined ? {} : ACCOUNT_PRESETS[given.preset];
    const hasher = await createHasher({
      scheme: given.scheme ?? preset.scheme ?? 'ARGON2ID',
      prefix: given.prefix === undefined ? (preset.prefix ?? true) : given.prefix === 'scheme',
      ...(given.bareScheme !== undefined && { bareScheme: given.bareScheme }),
      ...(given.bcryptCost !== undefined && { bcryptCost: given.bcryptCost }),
      ...(given.sha512Rounds !== undefined && { sha512Rounds: given.sha512Rounds }),
    });
    const layout = { ...preset, ...given, columns: { ...preset.columns, ...given.columns } } as AccountTable;
    const statements: MailboxStatements = given.statements === undefined ? tableStatements(layout, sqlDialectOf(given.url) ?? 'sqlite') : ownStatements(given.statements);
    const { pageDomains } = statements;
    const database = openSql(given.url, given);

    const ask = async <T>({ signal }: CallOptions, work: (connection: Sql) => Promise<T>): Promise<T> =>
      inTime(database, signal, work).catch((error: unknown) => { throw coded(error); });

    async function row(address: string, call: CallOptions): Promise<MailboxRow | null> {
      if (call.signal.aborted) throw new ModuleError('ACCOUNTS_UNAVAILABLE');
      if (!isPlausible(address)) return null;
      const rows = await ask(call, (connection) => statements.find(connection, address));
      if (rows.length > 1) throw new ModuleError('ACCOUNT_AMBIGUOUS');
      return rows[0] ?? null;
    }

    let wideEnough = false;
    async function checkWidth(call: CallOptions): Promise<void> {
      if (wideEnough) return;
      const width = await ask(call, (connection) => statements.width(connection));
      if (width !== null && width < hasher.length) {
        throw new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: `the password column takes ${String(width)} characters, ${hasher.scheme} needs ${String(hasher.length)}` });
      }
      wideEnough = true;
    }

    async function replace(found: MailboxRow, oldHash: string, next: Secret, call: CallOptions, changeRequired = false): Promise<ChangeReceipt> {
      await checkWidth(call);
      return write(found, oldHash, await hasher.hash(next), call, changeRequired);
    }

    /** One row, or nothing is committed. Only a COMMIT without an answer leaves the outcome open. */
    async function write(found: MailboxRow, oldHash: string, newHash: string, call: CallOptions, changeRequired: boolean): Promise<ChangeReceipt> {
      let committing = false;
      try {
        await inTime(database, call.signal, (connection) => connection.transaction().execute(async (transaction) => {
          const changed = await statements.replace(transaction, { address: found.address, oldHash, newHash, now: clock.now(), changeRequired });
          if (changed > 1) throw new ModuleError('ACCOUNT_AMBIGUOUS');
          if (changed === 0) throw new ModuleError('ACCOUNT_CHANGED_MEANWHILE');
          // The caller was told "no": then it must be no.
          if (call.signal.aborted) throw new SqlDeadline(false);
          committing = true;
        }));
      } catch (error) {
        if (committing && !(error instanceof ModuleError)) throw new ModuleError('ACCOUNTS_OUTCOME_UNKNOWN', { detail: 'the database did not confirm the commit' });
        throw coded(error);
      }
      return { changedAt: firstMomentAfter(clock) };
    }

    return {
      tls: sqlEndpoints(given.url, given.tls),
      abilities: {
        verifyPassword: true, changePassword: true, setPassword: true, provesByVersion: true,
        listDomains: statements.listDomains !== null, listMailboxes: statements.listMailboxes !== null, requireChange: statements.requireChange !== null, maxPasswordBytes: hasher.maxPasswordBytes,
      },
      async find(address, call) {
        const found = await row(address, call);
        return found === null ? null : toAccount(found);
      },
      async verifyPassword(address, password, call) {
        const found = await row(address, call);
        const right = await hasher.verify(found?.password ?? hasher.decoy, password);
        return right && found?.enabled === true && found.password !== null;
      },
      async changePassword(address, current, next, call) {
        const found = await row(address, call);
        const right = isProven(found?.password ?? null, call) || await hasher.verify(found?.password ?? hasher.decoy, current);
        if (!right || found?.enabled !== true || found.password === null) throw new ModuleError('CURRENT_PASSWORD_WRONG');
        return replace(found, found.password, next, call);
      },
      async setPassword(address, next, call) {
        const found = await row(address, call);
        if (found === null) throw new ModuleError('ACCOUNT_NOT_FOUND');
        if (found.password === null) throw new ModuleError('ACCOUNT_NOT_CHANGEABLE', { detail: 'the mailbox has no password' });
        if (typeof call.expectedVersion === 'string' && versionOf(found.password) !== call.expectedVersion) throw new ModuleError('ACCOUNT_CHANGED_MEANWHILE');
        if (call.requireChange === true && statements.requireChange === null) throw new ModuleError('OPERATION_NOT_SUPPORTED');
        return replace(found, found.password, next, call, call.requireChange);
      },
      async requireChange(address, required, call) {
        const { requireChange } = statements;
        if (requireChange === null) throw new ModuleError('OPERATION_NOT_SUPPORTED');
        const found = await row(address, call);
        // A database may count only rows that really changed: what is so already is not asked for.
        if (found === null) throw new ModuleError('ACCOUNT_NOT_FOUND');
        if ((found.changeRequired ?? false) !== required) await ask(call, (connection) => requireChange(connection, found.address, required));
      },
      async passwordVersion(address, call) {
        const found = await row(address, call);
        return found?.password === null || found === null ? null : versionOf(found.password);
      },
      async storedPassword(address, call) {
        const found = await row(address, call);
        return found === null || found.password === null ? null : new Secret(found.password);
      },
      async restorePassword(address, { stored }, call) {
        const found = await row(address, call);
        if (found === null) throw new ModuleError('ACCOUNT_NOT_FOUND');
        if (found.password === null) throw new ModuleError('ACCOUNT_NOT_CHANGEABLE', { detail: 'the mailbox has no password' });
        if (typeof call.expectedVersion === 'string' && versionOf(found.password) !== call.expectedVersion) throw new ModuleError('ACCOUNT_CHANGED_MEANWHILE');
        await write(found, found.password, stored.reveal(), call, found.changeRequired ?? false);
      },
      async listDomains(search, call) {
        const { listDomains } = statements;
        if (listDomains === null) throw new ModuleError('OPERATION_NOT_SUPPORTED');
        if (search !== '' && !isPlausible(search)) return [];
        return ask(call, (connection) => listDomains(connection, search));
      },
      ...(pageDomains !== null && {
        pageDomains: async (query, call) => (query.search !== '' && !isPlausible(query.search) ? { domains: [], nextCursor: null } : ask(call, (connection) => pageDomains(connection, query))),
      } satisfies Pick<AccountApi, 'pageDomains'>),
      async listMailboxes({ domain, search, cursor, limit }, call) {
        const { listMailboxes } = statements;
        if (listMailboxes === null) throw new ModuleError('OPERATION_NOT_SUPPORTED');
        if (!isPlausible(domain) || (search !== '' && !isPlausible(search))) return { mailboxes: [], nextCursor: null };
        const { rows, nextCursor } = await ask(call, (connection) => listMailboxes(connection, { domain, search, cursor, limit }));
        return { mailboxes: rows.map(toAccount), nextCursor };
      },
      async check(call) {
        await ask(call, async (connection) => { for (const { run } of statements.probes) await run(connection); });
        await checkWidth(call);
      },
      async diagnose({ signal }) {
        const findings = await diagnoseSql(given, database, statements.probes, signal);
        if (findings.some(({ level, check }) => level === 'fail' && check !== 'tls')) return findings;
        const index = given.statements === undefined ? await ask({ signal }, (connection) => searchIndexFinding(connection, layout, sqlDialectOf(given.url) ?? 'sqlite')) : [];
        return [...findings, ...await schemeFindings(statements, hasher, given.bareScheme, { signal }, ask), ...index];
      },
      close: () => database.destroy(),
    };
  },
});
