import { createServer, type Server } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { loadConfig } from '../../../server/config/loadConfig.ts';
import { watchedCertificates } from '../../../server/diagnosis/watchedCertificates.ts';
import { type CertificateWatch, createCertificateWatch } from '../../../server/metrics/certificateWatch.ts';
import { type Service, startService } from '../../../server/service/service.ts';
import { ALICE, NEW, tempFolder } from '../../fixtures/service.ts';
import { enter } from '../../fixtures/serviceProcess.ts';
import { type Authority, makeAuthority } from '../../services/authority.ts';
import { freePort, until } from '../../services/process.ts';
import { startSmtpSink } from '../../services/smtpSink.ts';

jest.setTimeout(60_000);

const DAY = 86_400;
let authority: Authority;
const stops: (() => Promise<unknown>)[] = [];
beforeAll(() => { authority = makeAuthority(); });
afterEach(async () => { for (const stop of stops.splice(0).reverse()) await stop(); });
afterAll(() => { authority.remove(); });

async function tlsServer(days: number, port = 0): Promise<Server & { port: number }> {
  const server = createServer(authority.issue(`s${String(days)}`, { days }).pem);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve); });
  stops.push(() => new Promise((resolve) => { server.close(resolve); }));
  return Object.assign(server, { port: (server.address() as AddressInfo).port });
}

function watching(ports: Readonly<Record<string, number>>, options: Partial<Parameters<typeof createCertificateWatch>[1]> = {}): { watch: CertificateWatch; lines: string[] } {
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => { lines.push(line); } });
  const watch = createCertificateWatch(Object.entries(ports).map(([target, port]) => ({ target, endpoint: { host: 'localhost', port } })), { log, ...options });
  stops.push(() => watch.stop());
  watch.start();
  return { watch, lines };
}

test('days that are left, of trusted and untrusted ones, ended ones too; one that hangs or is away hides nothing', async () => {
  const [good, ended] = [await tlsServer(80), await tlsServer(-2)];
  const { watch, lines } = watching({ away: await freePort(), good: good.port, ended: ended.port }, { timeoutMs: 2_000 });
  await until('both', async () => watch.expiries().size === 2);
  const days = (target: string): number => ((watch.expiries().get(target) ?? Number.NaN) - Date.now()) / 1000 / DAY;
  expect(days('good')).toBeCloseTo(80, 1);
  expect(days('ended')).toBeCloseTo(-2, 1);
  expect(lines.filter((line) => line.includes('ends soon')).map((line) => (JSON.parse(line) as { target: string }).target)).toEqual(['ended']);
});

test('a certificate that was renewed is seen at the next look; what is away keeps its last value; a stop ends a look at once', async () => {
  const first = await tlsServer(10);
  const { port } = first;
  const { watch } = watching({ state: port }, { everyMs: 100, againMs: 100, timeoutMs: 60_000 });
  await until('the first', async () => watch.expiries().size === 1);
  await new Promise((resolve) => { first.close(resolve); });
  await new Promise((resolve) => { setTimeout(resolve, 400); });
  expect(watch.expiries().size).toBe(1);
  await tlsServer(90, port);
  await until('the renewed one', async () => (watch.expiries().get('state') ?? 0) > Date.now() + 80 * DAY * 1000);
  const silent = await import('node:net').then(({ createServer: plain }) => plain(() => undefined));
  await new Promise<void>((resolve) => { silent.listen(0, '127.0.0.1', resolve); });
  const hanging = watching({ silent: (silent.address() as AddressInfo).port }, { timeoutMs: 60_000 });
  await new Promise((resolve) => { setTimeout(resolve, 300); });
  const before = Date.now();
  await hanging.watch.stop();
  expect(Date.now() - before).toBeLessThan(5_000);
  silent.close();
});

test('what is watched: everything that is reached over TLS, by names without an address', () => {
  const config = loadConfig({ overrides: {
    server: { publicUrl: 'https://mail.example.test' }, state: { url: 'postgres://u:p@db.example.test/x', tls: {} },
    rateLimit: { redis: { url: 'rediss://redis.example.test' } }, mailSettings: { imap: { host: 'imap.example.test', port: 143, encryption: 'starttls' }, smtp: { host: 'x', port: 25, encryption: 'none' } },
  } });
  const many = { tls: [{ host: 'a', port: 1 }, { host: 'b', port: 2, before: 'ldap' as const }] };
  expect(watchedCertificates(config, [['accounts[0]', many], ['sessions:web', {}], ['notify', { tls: [{ host: 'c', port: 3 }] }]])).toEqual([
    { target: 'accounts[0][0]', endpoint: { host: 'a', port: 1 } }, { target: 'accounts[0][1]', endpoint: { host: 'b', port: 2, before: 'ldap' } }, { target: 'notify', endpoint: { host: 'c', port: 3 } },
    { target: 'state', endpoint: { host: 'db.example.test', port: 5432, before: 'postgres' } }, { target: 'rate-limit', endpoint: { host: 'redis.example.test', port: 6379 } },
    { target: 'public-url', endpoint: { host: 'mail.example.test', port: 443 } }, { target: 'mail-settings:imap', endpoint: { host: 'imap.example.test', port: 143, before: 'imap' } },
  ]);
});

test('of a running service: the relay\'s certificate by STARTTLS, and notices that wait; the node stays ready', async () => {
  let isStuck = true;
  const relay = await startSmtpSink({ tls: authority.issue('relay', { days: 40 }).pem, answer: (stage) => (stage === 'data' && isStuck ? 451 : null) });
  stops.push(() => relay.stop());
  const service: Service = await startService(loadConfig({ overrides: {
    dataDir: tempFolder(), server: { port: 0 }, metrics: { port: 0 },
    notify: { driver: 'smtp', host: 'localhost', port: relay.port, encryption: 'starttls', caFile: authority.ca },
    notices: { from: { name: 'Example', address: 'no-reply@example.test' }, firstDelayMs: 1_000, maxDelayMs: 1_000 },
  } }), pino({ level: 'silent' }));
  stops.push(() => service.stop());
  const value = async (line: string): Promise<number | undefined> => {
    const found = (await (await fetch(String(service.metricsUrl))).text()).split('\n').find((one) => one.startsWith(`${line} `));
    return found === undefined ? undefined : Number(found.split(' ').at(-1));
  };
  const at = 'mailbox_password_';
  await until('the certificate', async () => (await value(`${at}certificate_expires_in_seconds{target="notify"}`)) !== undefined);
  expect(((await value(`${at}certificate_expires_in_seconds{target="notify"}`)) ?? 0) / DAY).toBeCloseTo(40, 1);
  expect([await value(`${at}notices_waiting`), await value(`${at}notices_oldest_age_seconds`)]).toEqual([0, 0]);

  expect((await (await enter(service.url)).change(ALICE.password, NEW)).status).toBe(200);
  await until('a notice waits', async () => ((await value(`${at}notices_oldest_age_seconds`)) ?? 0) > 1);
  expect(await value(`${at}notices_waiting`)).toBeGreaterThan(0);
  const ready = await fetch(`${service.url}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([200, expect.objectContaining({ status: 'ready', down: [] })]);
  isStuck = false;
  await until('nothing waits', async () => (await value(`${at}notices_waiting`)) === 0, 30_000);
  expect(await value(`${at}notices_oldest_age_seconds`)).toBe(0);
});

test('without notices and without TLS there is nothing to see of them', async () => {
  const service = await startService(loadConfig({ overrides: { dataDir: tempFolder(), server: { port: 0 }, metrics: { port: 0 } } }), pino({ level: 'silent' }));
  stops.push(() => service.stop());
  const text = await (await fetch(String(service.metricsUrl))).text();
  expect(text).not.toMatch(/^mailbox_password_(notices_waiting|notices_oldest_age_seconds|certificate_expires_in_seconds)[ {]/m);
});
