import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import smtp from '../../../server/drivers/notify/smtp.ts';
import { cli, configFile } from '../../fixtures/cli.ts';
import { person } from '../../fixtures/directory.ts';
import { doctor } from '../../fixtures/doctor.ts';
import { searching } from '../../fixtures/ldapApi.ts';
import { startWebhookReceiver } from '../../fixtures/webhookReceiver.ts';
import { type Authority, makeAuthority } from '../../services/authority.ts';
import { type Dovecot, startDovecot } from '../../services/dovecot.ts';
import { type MariaDb, startMariaDb } from '../../services/mariadb.ts';
import { type Postgres, startPostgres } from '../../services/postgres.ts';
import { freePort } from '../../services/process.ts';
import { type RedisService, startRedis } from '../../services/redis.ts';
import { type Slapd, startSlapd } from '../../services/slapd.ts';
import { type SmtpSink, type SmtpSinkOptions, startSmtpSink } from '../../services/smtpSink.ts';

/** A look is a process of its own; a loaded machine starts one in seconds. */
const SLOW = 180_000;
const KEY = Buffer.alloc(32, 7);
const keyOf = (key: Buffer): string => `whsec_${key.toString('base64')}`;
/** Everything secret in what follows; none of it may be shown. */
const SECRETS = ['pg-secret', 'pg-wrong', 'maria-secret', 'redis-secret', 'redis-wrong', 'relay-secret', 'relay-wrong', 'service-secret', 'bind-wrong', 'key-secret', 'key-wrong', KEY.toString('base64'), Buffer.alloc(32, 8).toString('base64')];
const UNTIL = /^TLSv1\.[23] with localhost:\d+, certificate localhost until \d{4}-\d\d-\d\d \(\d+ days\)$/;

describe('doctor and every server that it can be pointed at, over TLS', () => {
  let authority: Authority;
  let postgres: Postgres;
  let mariadb: MariaDb;
  let redis: RedisService;
  let slapd: Slapd;
  let dovecot: Dovecot;
  let narrow: Dovecot;
  let relay: SmtpSink;
  let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>;
  let redisTls = 0;
  const stops: (() => Promise<void>)[] = [];
  const begun = <T extends { stop(): Promise<void> }>(service: T): T => { stops.push(() => service.stop()); return service; };

  beforeAll(async () => {
    authority = makeAuthority();
    const good = authority.issue('good', { days: 300 });
    const own = authority.issue('postgres', { days: 300, owner: 'postgres' });
    postgres = begun(await startPostgres(['ssl=on', `ssl_cert_file=${own.certificate}`, `ssl_key_file=${own.key}`]));
    const hba = join(postgres.folder, 'data/pg_hba.conf');
    writeFileSync(hba, `host mail mp_owner 127.0.0.1/32 scram-sha-256\nhost mail mp_reader 127.0.0.1/32 scram-sha-256\n${readFileSync(hba, 'utf8')}`);
    await postgres.query(`CREATE TABLE mailbox (username text PRIMARY KEY, password varchar(255) NOT NULL, name text, domain text, active smallint); CREATE TABLE domain (domain text PRIMARY KEY);
      CREATE TABLE sessions (id text PRIMARY KEY, user_email text, created_at bigint);
      CREATE USER mp_owner PASSWORD 'pg-secret'; CREATE USER mp_reader PASSWORD 'pg-secret';
      GRANT SELECT ON ALL TABLES IN SCHEMA public TO mp_owner, mp_reader; GRANT UPDATE (password) ON mailbox TO mp_owner; GRANT DELETE ON sessions TO mp_owner;
      INSERT INTO mailbox VALUES ('alice@pg.test', '{SHA512-CRYPT}$6$abc$def', '', 'pg.test', 1); SELECT pg_reload_conf();`);
    mariadb = begun(await startMariaDb(() => [`--ssl-cert=${good.certificate}`, `--ssl-key=${good.key}`]));
    await mariadb.query("CREATE TABLE mailbox (username varchar(255) PRIMARY KEY, password varchar(255) NOT NULL, name varchar(255), domain varchar(255), active smallint); CREATE TABLE domain (domain varchar(255) PRIMARY KEY); INSERT INTO mailbox VALUES ('bob@maria.test', '{SHA512-CRYPT}$6$abc$def', '', 'maria.test', 1)");
    await mariadb.administer("CREATE USER 'owner'@'%' IDENTIFIED BY 'maria-secret' REQUIRE SSL; GRANT SELECT, UPDATE ON mail.* TO 'owner'@'%'");
    redisTls = await freePort();
    redis = begun(await startRedis(['--tls-port', String(redisTls), '--tls-cert-file', good.certificate, '--tls-key-file', good.key, '--tls-ca-cert-file', authority.ca, '--tls-auth-clients', 'no']));
    const admin = new Redis(redis.url);
    await admin.call('ACL', 'SETUSER', 'sessions', 'on', '>redis-secret', '~sess:*', '~mailbox-password:*', '+@all');
    await admin.call('ACL', 'SETUSER', 'reader', 'on', '>redis-secret', '~sess:*', '+@read', '+@connection', '+eval', '+scan', '+info');
    admin.disconnect();
    slapd = begun(await startSlapd({ tls: authority.issue('slapd', { days: 5 }), ldif: person('carol', 'Wonder-land-7') }));
    const passdb = { passdb: { driver: 'passwd-file', file: 'users' }, files: { users: 'carol@example.test:{PLAIN}x\n' } } as const;
    dovecot = begun(await startDovecot({ ...passdb, tls: { ...good, doveadm: true } }));
    narrow = begun(await startDovecot({ ...passdb, extra: 'doveadm_allowed_commands = auth cache flush,who,process status' }));
    relay = begun(await startSmtpSink({ tls: good.pem, auth: { user: 'notices', password: 'relay-secret' } }));
    receiver = begun(await startWebhookReceiver(good.pem, KEY));
  }, 180_000);
  afterAll(async () => {
    for (const stop of stops.reverse()) await stop();
    authority.remove();
  }, 60_000);

  const tls = () => ({ ca: authority.ca });
  const pg = (more: Record<string, unknown> = {}, user = 'mp_owner', password = 'pg-secret', host = 'localhost') =>
    ({ driver: 'sql', url: `postgres://${user}:${password}@${host}:${String(postgres.port)}/mail`, tls: tls(), preset: 'postfixadmin', ...more });
  const ldap = (more: Record<string, unknown> = {}) => ({ driver: 'ldap', ...searching(slapd, { url: `ldap://localhost:${String(slapd.port)}`, startTls: true, caFile: authority.ca, ...more }) });
  const redisUrl = (user: string, password: string) => `rediss://${user}:${password}@localhost:${String(redisTls)}`;
  const sessions = () => ({ driver: 'sql', name: 'table', url: `postgres://mp_owner:pg-secret@localhost:${String(postgres.port)}/mail`, tls: tls(), table: 'sessions', columns: { id: 'id', user: 'user_email', issuedAt: 'created_at' } });
  const inRedis = (name: string, user: string, password: string) => ({ driver: 'redis', name, url: redisUrl(user, password), tls: tls(), pattern: 'sess:*', address: '/email', issuedAt: '/at' });
  const notify = (password: string) => ({ driver: 'smtp', host: 'localhost', port: relay.port, encryption: 'starttls', user: 'notices', password, caFile: authority.ca });
  const base = () => ({
    state: { url: `postgres://mail:mail@localhost:${String(postgres.port)}/mail`, tls: tls() },
    rateLimit: { redis: { url: redisUrl('sessions', 'redis-secret'), tls: tls() } },
    notices: { from: { name: 'Example', address: 'no-reply@example.test' } },
    mailSettings: { imap: { host: 'localhost', port: dovecot.imap, encryption: 'starttls' }, smtp: { host: 'localhost', port: relay.port, encryption: 'starttls' } },
  });
  /** What has no option for authorities (fetch, what people are told) trusts the system's, as an operator would make it. */
  const env = () => ({ NODE_EXTRA_CA_CERTS: authority.ca });

  it('everything good: a line of TLS with its end for each, no failure, exit code 0, also as text', async () => {
    const config = {
      ...base(),
      accounts: [
        { ...pg(), domains: ['pg.test'] },
        { driver: 'sql', domains: ['maria.test'], url: `mysql://owner:maria-secret@localhost:${String(mariadb.port)}/mail`, tls: tls(), preset: 'postfixadmin' },
        { ...ldap(), domains: ['example.test'], verify: { driver: 'imap', host: 'localhost', port: dovecot.imap, encryption: 'starttls', caFile: authority.ca } },
        { ...ldap({ url: `ldaps://localhost:${String(slapd.tlsPort)}`, startTls: false }), domains: ['ldaps.test'] },
      ],
      sessions: [sessions(), inRedis('redis', 'sessions', 'redis-secret'), { driver: 'webhook', name: 'hook', url: receiver.url, secret: keyOf(KEY) }, { driver: 'dovecot', name: 'mail', backends: [{ url: dovecot.url.replace('127.0.0.1', 'localhost'), apiKey: dovecot.apiKey, caFile: authority.ca }] }],
      notify: notify('relay-secret'),
    };
    expect((await cli(['migrate', 'up', '-c', configFile(config).file])).status).toBe(0);
    const { status, report, found, text } = await doctor(config, [], { env: env() });
    expect(report.sections.flatMap(({ target, findings }) => findings.filter(({ level }) => level === 'fail').map((finding) => [target, finding]))).toEqual([]);
    expect([status, report.failures]).toEqual([0, 0]);
    const good = ['state', 'rateLimit redis', 'accounts[0] sql', 'accounts[1] sql', 'accounts[2].verify', 'sessions[0] sql', 'sessions[1] redis', 'sessions[2] webhook', 'sessions[3] dovecot', 'notify smtp'];
    for (const target of good) expect([target, found(target, 'tls')]).toEqual([target, [{ level: 'ok', check: 'tls', text: expect.stringMatching(UNTIL) }]]);
    expect(found('mailSettings', 'tls')).toEqual(Array(2).fill({ level: 'ok', check: 'tls', text: expect.stringMatching(UNTIL) }));
    // The directory's certificate ends in five days: by StartTLS and from the start.
    const soon = { level: 'warn', check: 'tls', text: expect.stringMatching(/^TLSv1\.[23] with localhost:\d+, certificate localhost ends on \d{4}-\d\d-\d\d, in 4 days$/), todo: expect.stringContaining('renew') };
    for (const target of ['accounts[2] ldap', 'accounts[3] ldap']) expect([target, found(target, 'tls')]).toEqual([target, [soon]]);
    for (const target of [...good, 'accounts[2] ldap', 'accounts[3] ldap']) expect([target, found(target, 'log-in').map(({ level }) => level)]).toEqual([target, ['ok']]);
    for (const secret of SECRETS) expect(text).not.toContain(secret);

    // Warnings alone count where they are asked for.
    const plain = await cli(['doctor', '--strict', '-c', configFile(config).file], { env: env() });
    expect(plain.status).toBe(1);
    expect(plain.stdout).toMatch(/^accounts\[0\] sql \(pg\.test\)\n {2}ok {4}tls {10}TLSv1/m);
    expect(plain.stdout).toMatch(/\d+ ok, \d+ warnings?, 0 failures\n$/);
  }, SLOW);

  it('each breakage in its own line with what to do; one hides none of the others; no secret', async () => {
    const { status, found, levels, text } = await doctor({
      ...base(),
      rateLimit: { redis: { url: redisUrl('reader', 'redis-secret'), tls: tls() } },
      accounts: [
        { ...pg({}, 'mp_reader'), domains: ['a.test'] },
        { ...pg({}, 'mp_owner', 'pg-wrong'), domains: ['b.test'] },
        { ...pg({ tls: {} }), domains: ['c.test'] },
        { ...ldap({ bindPassword: 'bind-wrong' }), domains: ['d.test'] },
        { ...ldap({ bindDn: undefined, bindPassword: undefined }), domains: ['e.test'] },
        { ...ldap({ caFile: undefined }), domains: ['f.test'] },
        { ...pg({ tls: { ca: '/nowhere/ca.pem' } }), domains: ['g.test'] },
      ],
      sessions: [
        { ...sessions(), url: `postgres://mp_reader:pg-secret@localhost:${String(postgres.port)}/mail` },
        inRedis('wrong', 'sessions', 'redis-wrong'), inRedis('reader', 'reader', 'redis-secret'),
        { driver: 'webhook', name: 'hook', url: receiver.url, secret: keyOf(KEY) },
        { driver: 'dovecot', name: 'key', backends: [{ url: narrow.url, apiKey: 'key-wrong' }] },
        { driver: 'dovecot', name: 'right', backends: [{ url: narrow.url, apiKey: narrow.apiKey }] },
        { driver: 'dovecot', name: 'authority', backends: [{ url: dovecot.url, apiKey: 'key-secret' }] },
      ],
      notify: notify('relay-wrong'),
    });
    expect(status).toBe(1);
    const one = (target: string, check: string, words: RegExp, todo: RegExp) => expect([target, found(target, check).filter(({ level }) => level === 'fail')]).toEqual([target, [{ level: 'fail', check, text: expect.stringMatching(words), todo: expect.stringMatching(todo) }]]);
    one('accounts[0]', 'permission', /^UPDATE of mailbox\.password: 42501/, /^grant UPDATE \(password\) on mailbox/);
    one('accounts[1]', 'log-in', /28P01/, /password/);
    one('accounts[2]', 'tls', /is not trusted \((UNABLE|SELF|DEPTH)\w+\)$/, /authorit/);
    one('accounts[3]', 'log-in', /refuses bindDn and bindPassword/, /bindPassword/);
    one('accounts[4]', 'log-in', /has no ou=people,dc=example,dc=test, or the service may not read it/, /may search/);
    one('accounts[5]', 'tls', /is not trusted/, /authorit/);
    one('accounts[6]', 'works', /\/nowhere\/ca\.pem cannot be read \(ENOENT\)/, /./);
    one('sessions[0]', 'permission', /^DELETE on sessions: 42501/, /grant DELETE/);
    one('sessions[1]', 'log-in', /WRONGPASS/, /url/);
    one('sessions[2]', 'log-in', /NOPERM/, /delete the keys/);
    one('sessions[3]', 'tls', /is not trusted/, /update-ca-certificates/);
    one('sessions[4]', 'log-in', /refuses the API key/, /doveadm_api_key/);
    one('sessions[5]', 'permission', /end connections/, /doveadm_allowed_commands/);
    one('sessions[6]', 'tls', /not trusted/, /./);
    one('notify', 'log-in', /EAUTH|535/, /password of notify/);
    one('rateLimit redis', 'log-in', /NOPERM/, /rateLimit\.redis\.url/);
    expect(levels('state', 'log-in')).toEqual(['ok']);
    for (const secret of SECRETS) expect(text).not.toContain(secret);
  }, SLOW);

  it('a webhook whose receiver does not know the secret', async () => {
    const { status, found, text } = await doctor({ sessions: [{ driver: 'webhook', name: 'hook', url: receiver.url, secret: keyOf(Buffer.alloc(32, 8)) }] }, [], { env: env() });
    expect([status, found('sessions[0]', 'log-in')]).toEqual([1, [{ level: 'fail', check: 'log-in', text: expect.stringMatching(/^localhost:\d+: .*401/), todo: expect.stringContaining('secret') }]]);
    for (const secret of SECRETS) expect(text).not.toContain(secret);
  }, SLOW);

  describe('certificates of a relay, by STARTTLS and from the start', () => {
    const look = async (sink: SmtpSinkOptions, options: Record<string, unknown> = {}) => {
      const running = await startSmtpSink(sink);
      const given = { host: 'localhost', port: running.port, encryption: sink.tlsFromTheStart === true ? 'tls' : 'starttls', caFile: authority.ca, timeoutMs: 5000, ...options };
      const notifier = await smtp.create(smtp.options.validateSync(given, { strict: true }) as never, { name: 'smtp', dataDir: '/nowhere', clock: { now: () => Date.now() }, log: pino({ level: 'silent' }) });
      try {
        return (await notifier.diagnose?.({ signal: AbortSignal.timeout(20_000), publicUrl: null, basePath: '/', refusedLogIn: null })) ?? [];
      } finally {
        await notifier.close();
        await running.stop();
      }
    };
    const ofTls = (findings: Awaited<ReturnType<typeof look>>) => findings.filter(({ check }) => check === 'tls').map(({ level, text }) => [level, text]);

    it.each(['STARTTLS', 'TLS from the start'])('%s: good, ends soon, ended, another name, unknown authority', async (way) => {
      const tlsFromTheStart = way !== 'STARTTLS';
      const of = (days: number, name?: string) => ({ tls: authority.issue(`relay${String(days)}${name ?? ''}`, { days, ...(name !== undefined && { name }) }).pem, tlsFromTheStart });
      expect(ofTls(await look(of(90)))).toEqual([['ok', expect.stringMatching(UNTIL)]]);
      expect(ofTls(await look(of(20)))).toEqual([['warn', expect.stringMatching(/ends on .*, in 19 days$/)]]);
      const ended = await look(of(-3));
      expect(ofTls(ended)).toEqual([['fail', expect.stringMatching(/certificate localhost expired on \d{4}-\d\d-\d\d$/)]]);
      expect(ended.filter(({ check }) => check === 'log-in').map(({ level }) => level)).toEqual(['fail']);
      expect(ofTls(await look(of(90, 'relay.example.test')))).toEqual([['fail', expect.stringMatching(/certificate relay\.example\.test is not trusted \(ERR_TLS_CERT_ALTNAME_INVALID\)$/)]]);
      expect(ofTls(await look(of(91), { caFile: undefined }))).toEqual([['fail', expect.stringMatching(/is not trusted \((UNABLE|SELF|DEPTH)\w+\)$/)]]);
    }, SLOW);

    it('a relay that offers no STARTTLS, and nobody there', async () => {
      expect(ofTls(await look({}))).toEqual([['fail', expect.stringMatching(/^no TLS with localhost:\d+: the server offers no TLS$/)]]);
      expect(ofTls(await look({}, { port: await freePort() }))).toEqual([['fail', expect.stringMatching(/^no TLS with localhost:\d+: ECONNREFUSED$/)]]);
    }, SLOW);
  });
});
