import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ALICE, BOB, change, logIn, NEW, startService } from '../../fixtures/service.ts';
import { startMariaDb } from '../../services/mariadb.ts';
import { BACKENDS } from '../../services/mailBackends.ts';
import { type AnyMailPlatform, platformOn } from '../../services/mailPlatform.ts';
import { startPostgres } from '../../services/postgres.ts';
import { type RedisService, startRedis } from '../../services/redis.ts';
import { type SmtpSink, startSmtpSink } from '../../services/smtpSink.ts';
import { until } from '../../services/process.ts';
import { tcpGate } from '../../services/tcpGate.ts';

type Gate = Awaited<ReturnType<typeof tcpGate>>;
const NO_CHANGE = (code: string) => ({ status: 503, body: { code, changed: 'no', retryable: true } });
const OWED = (pending: readonly string[]) => ({ status: 200, body: { revocation: 'pending', pending } });

/** By name in `/readyz`: what a change says while that part is away. */
const PARTS: Readonly<Record<string, object>> = {
  state: NO_CHANGE('STATE_UNAVAILABLE'),
  accounts: NO_CHANGE('ACCOUNTS_UNAVAILABLE'),
  'rate-limit': NO_CHANGE('STATE_UNAVAILABLE'),
  'sessions:mail': OWED(['imap', 'pop3', 'submission', 'managesieve']),
  'sessions:app': OWED(['web']),
  'sessions:hook': OWED(['activesync']),
};

describe.each([['mariadb', 'postgres'], ['ldap', 'mariadb']] as const)('mailboxes on %s, the state on %s', (mailboxes, engine) => {
  let platform: AnyMailPlatform;
  let database: Awaited<ReturnType<typeof startMariaDb>> | Awaited<ReturnType<typeof startPostgres>>;
  let redis: RedisService;
  let sink: SmtpSink;
  let hook: Server;
  let service: Awaited<ReturnType<typeof startService>>;
  const gates: Record<string, Gate> = {};

  const gated = async (name: string, port: number): Promise<number> => {
    const gate = await tcpGate(port);
    gates[name] = gate;
    return gate.port;
  };

  beforeAll(async () => {
    platform = await platformOn(await BACKENDS[mailboxes]());
    database = engine === 'mariadb' ? await startMariaDb() : await startPostgres();
    redis = await startRedis();
    sink = await startSmtpSink();
    hook = createServer((request, response) => { request.resume().on('end', () => { response.writeHead(204).end(); }); });
    await new Promise<void>((resolve) => { hook.listen(0, '127.0.0.1', resolve); });
    const redisUrl = async (name: string) => `redis://:x@127.0.0.1:${String(await gated(name, redis.port))}`;
    const accounts = JSON.stringify(platform.backend.accounts);
    const port = /127\.0\.0\.1:(\d+)/.exec(accounts)?.[1] ?? '';
    service = await startService({ overrides: {
      accounts: [JSON.parse(accounts.replaceAll(`127.0.0.1:${port}`, `127.0.0.1:${String(await gated('accounts', Number(port)))}`)) as object],
      state: { url: database.url.replace(`:${String(database.port)}/`, `:${String(await gated('state', database.port))}/`) },
      rateLimit: { redis: { url: await redisUrl('rate-limit') } },
      sessions: [
        { driver: 'dovecot', name: 'mail', backends: [{ url: `http://127.0.0.1:${String(await gated('sessions:mail', platform.dovecot.doveadm))}`, apiKey: platform.dovecot.apiKey }] },
        { driver: 'redis', name: 'app', url: await redisUrl('sessions:app'), pattern: 'sess:*', address: '/user', secondPassMs: 20 },
        { driver: 'webhook', name: 'hook', url: `http://127.0.0.1:${String(await gated('sessions:hook', (hook.address() as AddressInfo).port))}/`, secret: `whsec_${randomBytes(32).toString('base64')}`, channels: ['activesync'] },
      ],
      notify: { driver: 'smtp', host: '127.0.0.1', port: await gated('notices', sink.port), encryption: 'none', timeoutMs: 1_000 },
      notices: { from: { name: 'Example', address: 'no-reply@example.test' }, firstDelayMs: 50, maxDelayMs: 200 },
      timeouts: { accountsMs: 4_000, sessionsMs: 4_000, hostMs: 4_000 },
      revocation: { firstDelayMs: 50, maxDelayMs: 200, leaseMs: 500, pollMs: 50, alertAfterMs: 600_000 },
    } });
  }, 120_000);
  afterAll(async () => {
    await service.stop();
    for (const gate of Object.values(gates)) await gate.stop();
    hook.closeAllConnections();
    await Promise.all([platform.stop(), database.stop(), redis.stop(), sink.stop(), new Promise((resolve) => { hook.close(resolve); })]);
  }, 60_000);

  const names = async () => {
    const { down, warnings = [] } = (await service.app.inject({ url: '/readyz' })).json<{ down: string[]; warnings?: string[] }>();
    return [...down, ...warnings];
  };
  async function tryChange(browser: Awaited<ReturnType<typeof logIn>>, from = ALICE.password, to = NEW) {
    const answer = await change(service.app, browser, { currentPassword: from, newPassword: to });
    return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
  }

  it.each(Object.keys(PARTS).flatMap((part) => [[part, 'shut'], [part, 'hold']] as const))('%s (%s): named alone, a change meanwhile tells the truth, and all is well again by itself', async (part, how) => {
    await platform.seed();
    expect(await names()).toEqual([]);
    const browser = await logIn(service.app, ALICE);
    expect(browser.status).toBe(200);
    const gate = gates[part] as Gate;
    gate[how]();
    try {
      const said = await tryChange(browser);
      expect(said).toMatchObject(PARTS[part] as object);
      await until(`/readyz naming ${part}`, async () => (await names()).includes(part));
      // Nothing else: whoever is called at night must look at the right server.
      expect(await names()).toEqual([part]);
    } finally {
      gate.open();
    }
    await until('everything to be well', async () => (await names()).length === 0);
    const changed = (PARTS[part] as { status: number }).status === 200;
    expect([await platform.accepts(ALICE.address, ALICE.password), await platform.accepts(ALICE.address, NEW)]).toEqual([!changed, changed]);
    await until('nothing to be owed', async () => { await service.worker.runOnce(); return (await service.wiring.outbox.list(10)).length === 0; });
    // Another mailbox, and the same once more: nobody restarted anything.
    const other = await logIn(service.app, BOB);
    expect(await tryChange(other, BOB.password)).toMatchObject({ status: 200, body: { revocation: 'done' } });
  }, 180_000);
});
