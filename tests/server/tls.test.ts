import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { pino } from 'pino';
import sqlDriver from '../../server/drivers/accounts/sql.ts';
import dovecotDriver from '../../server/drivers/sessions/dovecot.ts';
import redisDriver from '../../server/drivers/sessions/redis.ts';
import { openSql } from '../../server/sql/openSql.ts';
import { type Certificate, makeCertificate } from '../fixtures/certificate.ts';
import { startDovecot } from '../services/dovecot.ts';
import { startMariaDb } from '../services/mariadb.ts';
import { startPostgres } from '../services/postgres.ts';
import { freePort } from '../services/process.ts';
import { startRedis } from '../services/redis.ts';
import { tcpTap } from '../services/tcpTap.ts';

const within = (ms = 20_000) => ({ signal: AbortSignal.timeout(ms) });
const context = { name: 'store', dataDir: '/nowhere', clock: { now: () => Date.now() }, log: pino({ level: 'silent' }) };

/** Something that speaks TLS: where it listens, whether a connection that trusts `ca` works, and what must not be seen on the wire. */
interface Behind {
  readonly port: number;
  readonly words: readonly string[];
  /** By an IP address it cannot be verified: the configuration refuses that. */
  readonly mustBeNamed?: boolean;
  works(host: string, port: number, ca: string | undefined): Promise<boolean>;
  stop(): Promise<void>;
}

const sqlWorks = (scheme: string) => async (host: string, port: number, ca: string | undefined): Promise<boolean> => {
  const database = openSql(`${scheme}://mail:mail@${host}:${String(port)}/mail`, { tls: { ...(ca !== undefined && { ca }) }, connectTimeoutMs: 3000 });
  try {
    const { rows } = await sql<{ answer: string }>`select 'a-word-of-the-answer' as answer`.execute(database);
    return rows[0]?.answer === 'a-word-of-the-answer';
  } catch {
    return false;
  } finally {
    await database.destroy();
  }
};

const BEHIND: Readonly<Record<string, (pair: (owner: string) => Certificate) => Promise<Behind>>> = {
  async MariaDB(pairFor) {
    const pair = pairFor('mysql');
    const database = await startMariaDb(() => [`--ssl-cert=${pair.certificate}`, `--ssl-key=${pair.key}`]);
    return { port: database.port, words: ['a-word-of-the-answer'], works: sqlWorks('mysql'), mustBeNamed: true, stop: () => database.stop() };
  },
  async PostgreSQL(pairFor) {
    const pair = pairFor('postgres');
    const database = await startPostgres(['ssl=on', `ssl_cert_file=${pair.certificate}`, `ssl_key_file=${pair.key}`]);
    return { port: database.port, words: ['a-word-of-the-answer'], works: sqlWorks('postgres'), stop: () => database.stop() };
  },
  async Redis(pairFor) {
    const pair = pairFor('root');
    const port = await freePort();
    const redis = await startRedis(['--tls-port', String(port), '--tls-cert-file', pair.certificate, '--tls-key-file', pair.key, '--tls-auth-clients', 'no']);
    return {
      port, words: ['AUTH', 'mailbox-password'], stop: () => redis.stop(),
      async works(host, at, ca) {
        const store = await redisDriver.create(redisDriver.options.validateSync({ url: `rediss://:x@${host}:${String(at)}`, ...(ca !== undefined && { tls: { ca } }), index: 'sessions:{address}' }, { strict: true }) as never, context);
        const works = await store.check(within(5000)).then(() => true, () => false);
        await store.close();
        return works;
      },
    };
  },
  async doveadm(pairFor) {
    const pair = pairFor('root');
    const dovecot = await startDovecot({ passdb: { driver: 'passwd-file', file: 'users' }, files: { users: 'alice@example.test:{PLAIN}old\n' }, tls: { ...pair, doveadm: true } });
    return {
      port: dovecot.doveadm, words: ['X-Dovecot-API', Buffer.from(dovecot.apiKey).toString('base64')], stop: () => dovecot.stop(),
      async works(host, port, ca) {
        const store = await dovecotDriver.create(dovecotDriver.options.validateSync({ backends: [{ url: `https://${host}:${String(port)}`, apiKey: dovecot.apiKey, ...(ca !== undefined && { caFile: ca }) }] }, { strict: true }) as never, context);
        return store.revokeAll({ address: 'alice@example.test', issuedBefore: Date.now(), attempt: 1, actor: null }, within()).then(() => true, () => false);
      },
    };
  },
};

describe.each(Object.keys(BEHIND))('TLS to %s', (name) => {
  let behind: Behind;
  let pair: Certificate;
  let other: Certificate;
  beforeAll(async () => {
    other = makeCertificate();
    behind = await (BEHIND[name] as NonNullable<(typeof BEHIND)[string]>)((owner) => { pair = makeCertificate(owner); return pair; });
  }, 60_000);
  afterAll(async () => { await behind.stop(); pair.remove(); other.remove(); });

  it('works with the authority that signed it, and nothing goes in the clear', async () => {
    const tap = await tcpTap(behind.port);
    expect(await behind.works('localhost', tap.port, pair.certificate)).toBe(true);
    expect(tap.sent().length).toBeGreaterThan(100);
    for (const word of behind.words) expect(tap.sent().includes(word)).toBe(false);
    await tap.stop();
  });

  it('refuses one that nobody vouches for, and one for another name', async () => {
    const tap = await tcpTap(behind.port);
    expect([await behind.works('localhost', tap.port, undefined), await behind.works('localhost', tap.port, other.certificate)]).toEqual([false, false]);
    expect(tap.connections()).toBeGreaterThan(1);
    await tap.stop();
    if (behind.mustBeNamed === true) return;
    // The certificate is for localhost and 127.0.0.1.
    const elsewhere = await tcpTap(behind.port, undefined, '127.0.0.2');
    expect(await behind.works('127.0.0.2', elsewhere.port, pair.certificate)).toBe(false);
    expect(elsewhere.connections()).toBeGreaterThan(0);
    for (const word of behind.words) expect(elsewhere.sent().includes(word)).toBe(false);
    await elsewhere.stop();
  });
});

it('does not start where MariaDB would be verified by its IP address', () => {
  const problem = (url: string, more: object = {}): string => {
    try {
      sqlDriver.options.validateSync({ url, tls: { ca: '/ca.pem' }, preset: 'postfixadmin', ...more }, { strict: true });
      return '';
    } catch (error) {
      return String(error);
    }
  };
  for (const url of ['mysql://a:b@127.0.0.1/mail', 'mysql://a:b@[::1]/mail']) expect(problem(url)).toMatch(/IP address/);
  expect(problem('mysql://a:b@127.0.0.1/mail', { tls: { verify: false } })).toBe('');
  for (const url of ['mysql://a:b@db.example.com/mail', 'postgres://a:b@127.0.0.1/mail', 'mysql://a:b@localhost/mail?socket=/run/x.sock']) expect(problem(url)).toBe('');
});
