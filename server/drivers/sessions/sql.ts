import { boolean, object, string } from 'yup';
import { CHANNELS } from '../../../module/channels.ts';
import { ModuleError } from '../../../module/errors.ts';
import type { Session, SessionStore } from '../../ports/sessionStore.ts';
import { diagnoseSql } from '../../diagnosis/sqlConnection.ts';
import { sqlEndpoints } from '../../diagnosis/tlsEndpoints.ts';
import { describeSqlError } from '../../sql/describeSqlError.ts';
import { inTime, SqlDeadline } from '../../sql/inTime.ts';
import { openSql, type Sql } from '../../sql/openSql.ts';
import { opaqueId, type SessionRow, SessionTable } from '../../sql/sessionTable.ts';
import { isNamedForTls, SQL_TLS_NAME, sqlConnectTimeoutMs, sqlPoolSize, sqlPreviousUrl, sqlQueryTimeoutMs, sqlTls, sqlUrl } from '../../sql/sqlOptions.ts';
import { sqlDialectOf } from '../../sql/sqlUrl.ts';
import { bindStatement, parametersOf, sqlName } from '../../sql/statement.ts';
import { defineSessionDriver } from '../defineDriver.ts';

/** Rows judged and deleted at a time, by their ids: no lock is taken on anybody else's session. */
const BATCH = 500;
/** Rounds without a row deleted after which something keeps writing the rows back. */
const FRUITLESS_ROUNDS = 5;
const LIST_LIMIT = 1_000;

/** Control characters, blanks at an end, half a character: no mailbox is called so, and databases disagree on what it equals. */
const NOBODY = /^$|[\0-\x1f\x7f]|^\s|\s$|\p{Surrogate}/u;

const options = object({
  url: sqlUrl,
  previousUrl: sqlPreviousUrl,
  tls: sqlTls,
  poolSize: sqlPoolSize,
  connectTimeoutMs: sqlConnectTimeoutMs,
  queryTimeoutMs: sqlQueryTimeoutMs,
  table: sqlName().required().meta({ description: 'Table of the sessions; a dot parts its schema from its name', example: 'sessions' }),
  columns: object({
    id: sqlName().required().meta({ description: 'Column with the session\'s unique id', example: 'id' }),
    user: sqlName().required().meta({ description: 'Column that says whose session it is', example: 'user_email' }),
    issuedAt: sqlName().meta({ description: 'Column with the time of the log-in; left out: every session counts as old', example: 'created_at' }),
    lastSeenAt: sqlName().meta({ description: 'Column with the time of the last request, for the list', example: 'last_activity' }),
    client: sqlName().meta({ description: 'Column with the user agent, for the list', example: 'user_agent' }),
    remoteAddress: sqlName().meta({ description: 'Column with the address of the client, for the list', example: 'ip_address' }),
  }).noUnknown().required().meta({ description: 'Columns of the table', example: '{ id: id, user: user_email, issuedAt: created_at }' }),
  timeFormat: string().oneOf(['seconds', 'milliseconds', 'datetime'] as const)
    .meta({ description: 'How the times are written: seconds or milliseconds since 1970, or the database\'s own date and time (default seconds)', example: 'datetime' }),
  timeZone: string().oneOf(['utc', 'server'] as const)
    .meta({ description: 'What a date and time without a zone means: UTC, or the database server\'s own zone (default utc)', example: 'utc' }),
  userIs: string().oneOf(['address', 'userId'] as const)
    .meta({ description: 'Whether the user column holds the e-mail address or a user\'s id (default address)', example: 'userId' }),
  lookup: string().min(1)
    .test('address', 'lookup must name :address and no other parameter', (value) => value === undefined || parametersOf(value).join() === 'address')
    .meta({ description: 'With userIs: userId: the statement that finds the id; a second column called address is compared', example: 'SELECT id, email AS address FROM users WHERE email = :address' }),
  caseInsensitive: boolean().meta({ description: 'Compare addresses without case (default true)', example: true }),
  channel: string().oneOf(CHANNELS).meta({ description: 'What is counted where a session is ended (default web)', example: 'web' }),
}).noUnknown()
  .test('tls', SQL_TLS_NAME, isNamedForTls)
  .test('lookup', 'lookup is needed with userIs: userId, and only with it', (own) => (own.userIs === 'userId') === (own.lookup !== undefined));

const text = (value: unknown): string | null => (typeof value === 'string' ? value : typeof value === 'number' ? String(value) : null);
const time = (value: number | string | null): number | null => (value === null || !Number.isFinite(Number(value)) ? null : Math.floor(Number(value)));

/** Sessions in a table with a user column: Laravel, Django, Rails, Symfony and one's own. */
export default defineSessionDriver({
  name: 'sql',
  summary: 'Sessions in a table of MariaDB, PostgreSQL or SQLite that names the user.',
  options,
  async create(own, { name, log }): Promise<SessionStore> {
    const { url, table, columns, lookup, userIs = 'address', channel = 'web' } = own;
    const database = openSql(url, own);
    const sessions = new SessionTable(sqlDialectOf(url) ?? 'sqlite', {
      table, columns, userIs, timeFormat: own.timeFormat ?? 'seconds', timeZone: own.timeZone ?? 'utc', caseInsensitive: own.caseInsensitive ?? true,
    });
    if (columns.issuedAt === undefined)
      log.warn({ store: name }, 'columns.issuedAt is not set: a late retry of a log-out also ends sessions opened with the new password');

    async function ask<T>(signal: AbortSignal, work: (connection: Sql) => Promise<T>): Promise<T> {
      try {
        return await inTime(database, signal, work);
      } catch (error) {
        if (error instanceof ModuleError) throw error;
        if (error instanceof SqlDeadline) throw new ModuleError('SESSIONS_UNAVAILABLE', { detail: error.message });
        const { kind, detail } = describeSqlError(error);
        throw new ModuleError(kind === 'misconfigured' ? 'SESSIONS_MISCONFIGURED' : 'SESSIONS_UNAVAILABLE', { detail });
      }
    }

    /** What the user column holds for this mailbox; undefined = nobody. */
    async function userOf(connection: Sql, address: string): Promise<unknown> {
      if (NOBODY.test(address)) return undefined;
      if (lookup === undefined) return address;
      const { rows } = await bindStatement<Record<string, unknown>>(lookup, { address }).execute(connection);
      const found = new Map<string, unknown>();
      for (const row of rows) {
        const { address: spelt, ...rest } = row;
        if (spelt !== undefined && text(spelt)?.toLowerCase() !== address.toLowerCase()) continue;
        const [id] = Object.values(rest);
        if (id !== null && id !== undefined) found.set(opaqueId(id), id);
      }
      if (found.size > 1) throw new ModuleError('SESSIONS_MISCONFIGURED', { detail: 'lookup found more than one user for an address' });
      const [user] = found.values();
      return user;
    }

    async function rowsOf(connection: Sql, address: string): Promise<{ user: unknown; rows: SessionRow[] }> {
      const user = await userOf(connection, address);
      return { user, rows: user === undefined ? [] : (await sessions.select(user, { limit: LIST_LIMIT }).execute(connection)).rows };
    }

    return {
      name,
      tls: sqlEndpoints(url, own.tls),
      channels: [channel],
      list: (address, { signal }) => ask(signal, async (connection) => {
        const { rows } = await rowsOf(connection, address);
        return rows.map((row): Session => ({
          id: opaqueId(row.id), channel, client: text(row.client), remoteAddress: text(row.remote_address),
          issuedAt: time(row.issued_at), lastSeenAt: time(row.seen_at),
        }));
      }),
      revoke: (address, id, { signal }) => ask(signal, async (connection) => {
        const { user, rows } = await rowsOf(connection, address);
        const row = rows.find((candidate) => opaqueId(candidate.id) === id);
        if (row === undefined) return false;
        const { numAffectedRows = 0n } = await sessions.delete(user, [row.id]).execute(connection);
        return numAffectedRows > 0n;
      }),
      revokeAll: ({ address, issuedBefore }, { signal }) => ask(signal, async (connection) => {
        const user = await userOf(connection, address);
        let ended = 0;
        if (user === undefined) return { revoked: { [channel]: 0 } };
        for (let fruitless = 0; fruitless < FRUITLESS_ROUNDS;) {
          // The last round finds nothing: a row that was written while another was deleted is seen.
          const { rows } = await sessions.select(user, { issuedBefore, limit: BATCH }).execute(connection);
          if (rows.length === 0) return { revoked: { [channel]: ended } };
          if (signal.aborted) throw new SqlDeadline(true);
          const { numAffectedRows = 0n } = await sessions.delete(user, rows.map(({ id }) => id), issuedBefore).execute(connection);
          ended += Number(numAffectedRows);
          fruitless = numAffectedRows === 0n ? fruitless + 1 : 0;
        }
        throw new ModuleError('SESSIONS_UNAVAILABLE', { detail: 'sessions are found and cannot be deleted' });
      }),
      check: ({ signal }) => ask(signal, async (connection) => {
        // Both find every missing name and right, and touch no row.
        await sessions.select(null, { issuedBefore: 0, none: true, limit: 1 }).execute(connection);
        await sessions.delete(null, [], 0).execute(connection);
        if (lookup !== undefined) await userOf(connection, 'nobody@mailbox-password.invalid');
      }),
      diagnose: ({ signal }) => diagnoseSql(own, database, [
        { check: 'permission', text: `SELECT on ${table}`, todo: 'check table and columns, and grant SELECT on it to the user of url', run: (connection) => sessions.select(null, { issuedBefore: 0, none: true, limit: 1 }).execute(connection) },
        { check: 'permission', text: `DELETE on ${table}`, todo: 'grant DELETE on it to the user of url', run: (connection) => sessions.delete(null, [], 0).execute(connection) },
        ...(lookup === undefined ? [] : [{ check: 'permission', text: 'lookup', todo: 'try the statement by hand as the user of url', run: (connection: Sql) => userOf(connection, 'nobody@mailbox-password.invalid') }]),
      ], signal),
      close: () => database.destroy(),
    };
  },
});
