import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { ModuleError } from '../../../module/errors.ts';
import { NOBODY } from '../../../server/dovecot/authCache.ts';
import driver from '../../../server/drivers/sessions/dovecot.ts';
import type { SessionStore } from '../../../server/ports/sessionStore.ts';
import { doctor } from '../../fixtures/doctor.ts';
import { type Dovecot, startDovecot } from '../../services/dovecot.ts';
import { flushlessDoveadm } from '../../services/flushlessDoveadm.ts';
import { type MariaDb, startMariaDb } from '../../services/mariadb.ts';
import { imapClient } from '../../services/mailClients.ts';
import { until } from '../../services/process.ts';
import { testContext } from '../drivers/sessions/driverContext.ts';

// authCache: none is an operator's word. Whether it is true is seen here on real Dovecots, one with the auth cache on and one without.
const ALICE = 'alice@example.test';
let database: MariaDb;
let cached: Dovecot;
let uncached: Dovecot;
const cleanUp: (() => Promise<void>)[] = [];
beforeAll(async () => {
  database = await startMariaDb();
  await database.query(`CREATE TABLE mailbox (username varchar(255) PRIMARY KEY, password varchar(255) NOT NULL, name varchar(255), domain varchar(255), active smallint); CREATE TABLE domain (domain varchar(255) PRIMARY KEY); INSERT INTO mailbox VALUES ('${ALICE}', '{PLAIN}old', '', 'example.test', 1)`);
  const options = {
    passdb: { driver: 'sql', file: 'sql.conf' },
    files: { 'sql.conf': `driver = mysql\nconnect = host=127.0.0.1 port=${String(database.port)} dbname=mail user=mail password=mail\npassword_query = SELECT username AS user, password FROM mailbox WHERE username = '%u'\n` },
  } as const;
  [cached, uncached] = [await startDovecot(options), await startDovecot({ ...options, authCache: false })];
}, 120_000);
afterEach(async () => { for (const clean of cleanUp.splice(0)) await clean(); });
afterAll(async () => { await cached.stop(); await uncached.stop(); await database.stop(); });

const within = () => ({ signal: AbortSignal.timeout(30_000) });
const flushless = async ({ url }: Dovecot) => {
  const front = await flushlessDoveadm(url);
  cleanUp.push(() => front.stop());
  return front;
};
const store = (url: string) => driver.create(driver.options.validateSync({ backends: [{ url, apiKey: 'api-key', authCache: 'none' }], secondPassMs: 10 }, { strict: true }) as never, testContext('mail'));
const all = { address: ALICE, issuedBefore: Date.now(), attempt: 1, actor: null };
const accepts = async (dovecot: Dovecot, password: string): Promise<boolean> => {
  const client = await imapClient(dovecot.imap, ALICE, password);
  client?.close();
  return client !== null;
};
/** Somebody whom the cache does not know logs in, until Dovecot has counted it. */
const counted = (mail: SessionStore) => until('Dovecot to count', async () => {
  (await imapClient(cached.imap, `${randomUUID()}@example.test`, 'x'))?.close();
  return mail.check(within()).then(() => false, (error: unknown) => (error as ModuleError).code === 'SESSIONS_MISCONFIGURED');
});
const diagnosed = async (dovecot: Dovecot, url: string) => ((await (await store(url)).diagnose?.({
  ...within(), publicUrl: null, basePath: '', refusedLogIn: async () => { (await imapClient(dovecot.imap, NOBODY, 'not-a-password'))?.close(); },
})) ?? []).filter(({ check }) => check === 'auth cache');

it('the cache is on and can be flushed: it is flushed in spite of the configuration, the old password is refused, doctor says what to write', async () => {
  const mail = await store(cached.url);
  expect(await accepts(cached, 'old')).toBe(true);
  await database.query("UPDATE mailbox SET password = '{PLAIN}next'");
  expect(await accepts(cached, 'old')).toBe(true);
  expect((await mail.revokeAll(all, within())).revoked).toMatchObject({ imap: 0 });
  expect([await accepts(cached, 'old'), await accepts(cached, 'next')]).toEqual([false, true]);
  expect(await diagnosed(cached, cached.url)).toEqual([{ level: 'warn', check: 'auth cache', text: expect.stringMatching(/^on, though authCache says none/), todo: 'leave authCache out' }]);
}, 120_000);

it('the cache is on and cannot be flushed: the log-out is never done (I3), at the first try and later, /readyz says so, doctor fails with the cure', async () => {
  const front = await flushless(cached);
  const mail = await store(front.url);
  // As /readyz does from the service's start.
  await mail.check(within());
  const phone = await imapClient(cached.imap, ALICE, 'next', { idle: true });
  await counted(mail);
  await expect(mail.revokeAll(all, within())).rejects.toMatchObject({ code: 'SESSIONS_MISCONFIGURED', detail: expect.stringContaining('cannot be flushed') });
  // What can be ended is ended all the same.
  expect(await phone?.alive()).toBe(false);
  await expect(mail.revokeAll({ ...all, attempt: 2 }, within())).rejects.toMatchObject({ code: 'SESSIONS_MISCONFIGURED' });
  await expect(mail.check(within())).rejects.toMatchObject({ code: 'SESSIONS_MISCONFIGURED' });
  expect(await diagnosed(cached, front.url)).toEqual([{ level: 'fail', check: 'auth cache', text: expect.stringMatching(/^on, though authCache says none, and this Dovecot cannot be told to forget/), todo: expect.stringContaining('auth_cache_size = 0') }]);
}, 120_000);

it('there is no cache: done, and doctor has seen that there is none', async () => {
  const front = await flushless(uncached);
  const mail = await store(front.url);
  await mail.check(within());
  const phone = await imapClient(uncached.imap, ALICE, 'next', { idle: true });
  expect((await mail.revokeAll(all, within())).revoked).toMatchObject({ imap: 1 });
  expect(await phone?.alive()).toBe(false);
  // Each one is a failed assertion in Dovecot's log.
  expect(front.flushes()).toBe(1);
  expect(await diagnosed(uncached, front.url)).toEqual([{ level: 'ok', check: 'auth cache', text: expect.stringMatching(/^off, as authCache says/) }]);
}, 120_000);

it('Dovecot is replaced by one that can flush: after a try that failed it is seen', async () => {
  const front = await flushless(cached);
  const mail = await store(front.url);
  await counted(mail);
  await expect(mail.revokeAll(all, within())).rejects.toMatchObject({ code: 'SESSIONS_MISCONFIGURED' });
  front.mend();
  await expect(mail.revokeAll({ ...all, attempt: 2 }, within())).resolves.toMatchObject({ revoked: { imap: 0 } });
}, 120_000);

it('doctor --write-test on the command line: red, with the cure, and nothing was changed', async () => {
  const front = await flushless(cached);
  await database.query("UPDATE mailbox SET password = '{PLAIN}Wonder-land-7'");
  const { status, found } = await doctor({
    accounts: [{ driver: 'sql', domains: ['*'], url: database.url, preset: 'postfixadmin', scheme: 'SHA512-CRYPT' }],
    sessions: [{ driver: 'dovecot', name: 'mail', backends: [{ url: front.url, apiKey: cached.apiKey, authCache: 'none' }] }],
  }, ['--imap', `127.0.0.1:${String(cached.imap)}:none`, '--write-test', ALICE, '--password-stdin'], { input: 'Wonder-land-7\n' });
  expect(status).toBe(1);
  expect(found('sessions[0]', 'auth cache')).toEqual([{ level: 'fail', check: 'auth cache', text: expect.stringContaining('authCache says none'), todo: expect.stringContaining('auth_cache_size = 0') }]);
  expect(found('write test', 'change')).toEqual([{ level: 'fail', check: 'change', text: 'not tried', todo: expect.stringContaining('Nothing was changed') }]);
  expect(await database.query('SELECT password FROM mailbox')).toEqual([{ password: '{PLAIN}Wonder-land-7' }]);
}, 240_000);
