import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import passwdFile from '../../server/drivers/accounts/passwdFile.ts';
import { createHasher, type WriteScheme } from '../../server/hashing/hasher.ts';
import { Secret } from '../../server/secret.ts';
import { accountApiOver } from '../fixtures/accountApiOver.ts';
import { person } from '../fixtures/directory.ts';
import { createLdap, searching } from '../fixtures/ldapApi.ts';
import type { DovecotOptions } from './dovecot.ts';
import { passdbOnLdap } from './ldapPlatform.ts';
import { startMariaDb } from './mariadb.ts';
import { startPostgres } from './postgres.ts';
import { remove, sleep } from './process.ts';
import { startSlapd } from './slapd.ts';

export const MAILBOXES = [
  { address: 'alice@example.test', password: 'Wonder-land-7' },
  { address: 'bob@example.test', password: 'Builder-can-8' },
] as const;

/** Where the mailboxes of a mail platform live, as Dovecot reads them and as the module changes them. */
export interface MailBackend {
  /** An entry of `accounts`. */
  readonly accounts: object;
  readonly passdb: Pick<DovecotOptions, 'passdb' | 'files'>;
  /** Both mailboxes again with their first passwords. */
  seed(): Promise<void>;
  /** Down and up again with the same data. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export async function sqlBackend(engine: 'mariadb' | 'postgres', scheme: WriteScheme = 'ARGON2ID') {
  const database = engine === 'mariadb' ? await startMariaDb() : await startPostgres();
  const hasher = await createHasher({ scheme, prefix: true });
  await database.query(`CREATE TABLE mailbox (username varchar(255) NOT NULL PRIMARY KEY, password varchar(255) NOT NULL, name varchar(255) NOT NULL DEFAULT '', domain varchar(255) NOT NULL, active smallint NOT NULL DEFAULT 1, password_changed bigint); CREATE TABLE domain (domain varchar(255) NOT NULL PRIMARY KEY); INSERT INTO domain VALUES ('example.test');`);
  const backend: MailBackend = {
    accounts: { driver: 'sql', domains: ['*'], url: database.url, preset: 'postfixadmin', columns: { changedAt: 'password_changed' }, scheme, connectTimeoutMs: 1000 },
    passdb: {
      passdb: { driver: 'sql', file: 'sql.conf' },
      files: { 'sql.conf': `driver = ${engine === 'mariadb' ? 'mysql' : 'pgsql'}
connect = host=127.0.0.1 port=${String(database.port)} dbname=mail user=mail password=mail
password_query = SELECT username AS user, password FROM mailbox WHERE username = '%u' AND active = 1
` },
    },
    async seed() {
      await database.query('DELETE FROM mailbox');
      for (const { address, password } of MAILBOXES)
        await database.query(`INSERT INTO mailbox (username, password, domain) VALUES ('${address}', '${await hasher.hash(new Secret(password))}', 'example.test')`);
    },
    kill: () => database.kill(), start: () => database.start(), stop: () => database.stop(),
  };
  return { ...backend, database };
}

async function ldapBackend(): Promise<MailBackend> {
  const slapd = await startSlapd({ ldif: MAILBOXES.map(({ address, password }) => person(address.slice(0, address.indexOf('@')), password)).join('\n') });
  const root = await createLdap(searching(slapd, { bindDn: slapd.managerDn, bindPassword: slapd.managerPassword }));
  return {
    accounts: { driver: 'ldap', domains: ['*'], ...searching(slapd), connectTimeoutMs: 1000 }, passdb: passdbOnLdap(slapd),
    async seed() {
      for (const { address, password } of MAILBOXES) await root.setPassword(address, new Secret(password), { signal: AbortSignal.timeout(10_000) });
      // A directory tells a change to the second: one within the same second would rightly count the seed as itself.
      await sleep(1000);
    },
    kill: () => slapd.kill(), start: () => slapd.start(), stop: () => slapd.stop(),
  };
}

/** A provider's HTTP API, with the same directory behind it that Dovecot reads. */
async function httpBackend(): Promise<MailBackend> {
  const behind = await ldapBackend();
  const options = Object.fromEntries(Object.entries(behind.accounts).filter(([key]) => key !== 'driver' && key !== 'domains'));
  const api = await accountApiOver(await createLdap(options));
  return { ...behind, accounts: { ...api.options, domains: ['*'] }, async stop() { await api.stop(); await behind.stop(); } };
}

async function passwdFileBackend(): Promise<MailBackend> {
  const folder = mkdtempSync(join(tmpdir(), 'mailbox-password-users-'));
  const file = join(folder, 'users');
  const options = { file, scheme: 'BLF-CRYPT' as const, bcryptCost: 4 };
  writeFileSync(file, MAILBOXES.map(({ address, password }) => `${address}:{PLAIN}${password}\n`).join(''), { mode: 0o644 });
  chmodSync(folder, 0o755);
  const api = await passwdFile.create(options as never, { name: 'passwdFile', dataDir: folder, clock: { now: () => Date.now() }, log: pino({ level: 'silent' }) });
  return {
    accounts: { driver: 'passwdFile', domains: ['*'], ...options }, passdb: { passdb: { driver: 'passwd-file', file }, files: {} },
    // By the driver, so that Dovecot notices: it looks at seconds and size.
    async seed() { for (const { address, password } of MAILBOXES) await api.setPassword(address, new Secret(password), { signal: AbortSignal.timeout(10_000) }); },
    kill: () => Promise.resolve(), start: () => Promise.resolve(), stop: () => { remove(folder); return Promise.resolve(); },
  };
}

export const BACKENDS = { mariadb: () => sqlBackend('mariadb'), postgres: () => sqlBackend('postgres'), ldap: ldapBackend, http: httpBackend, passwdFile: passwdFileBackend } as const;
