import { ModuleError } from '../../../module/errors.ts';
import { ACCOUNT_PRESETS, type AccountPreset, type AccountTable, type MailboxRow } from '../../accountSql/accountTable.ts';
import { type MailboxStatements, ownStatements, tableStatements } from '../../accountSql/mailboxStatements.ts';
import { sqlAccountOptions as options } from '../../accountSql/sqlAccountOptions.ts';
import { createHasher } from '../../hashing/hasher.ts';
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
import { sqlDialectOf } from '../../sql/sqlUrl.ts';
import { defineAccountDriver } from '../defineDriver.ts';

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

    async function row(address: string, call: CallOptions, asked?: (milliseconds: number) => void): Promise<MailboxRow | null> {
      if (call.signal.aborted) throw new ModuleError('ACCOUNTS_UNAVAILABLE');
      if (!isPlausible(address)) return null;
      const rows = await ask(call, async (connection) => {
        const began = performance.now();
        const found = await statements.find(connection, address);
        asked?.(performance.now() - began);
        return found;
      });
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
      return write(found, oldHash, await hasher.hash(next, call.took), call, changeRequired);
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
        let asked = 0;
        const found = await row(address, call, (milliseconds) => { asked = milliseconds; }).catch(async (error: unknown) => {
          // Not sooner than for a mailbox that is there once, or not at all (I7).
          if (error instanceof ModuleError && error.code === 'ACCOUNT_AMBIGUOUS') await hasher.verifyOf(address, null, password);
          throw error;
        });
        const right = await hasher.verifyOf(address, found?.password ?? null, password, (milliseconds) => { call.took?.(asked + milliseconds); });
        return right && found?.enabled === true && found.password !== null;
      },
      async changePassword(address, current, next, call) {
        const found = await row(address, call);
        const right = isProven(found?.password ?? null, call) || await hasher.verifyOf(address, found?.password ?? null, current);
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
