import { spawnSync } from 'node:child_process';
import { pino } from 'pino';
import { ModuleError } from '../../../module/errors.ts';
import { loadConfig } from '../../../server/config/loadConfig.ts';
import { type Service, startService } from '../../../server/service/service.ts';
import type { Wiring } from '../../../server/wiring.ts';
import { ALICE, BOB, NEW, tempFolder } from '../../fixtures/service.ts';
import { enter } from '../../fixtures/serviceProcess.ts';

jest.setTimeout(60_000);

const running: Service[] = [];
afterEach(async () => { for (const service of running.splice(0)) await service.stop(); });

async function start(overrides: Record<string, unknown> = {}, decorate?: (wiring: Wiring) => Wiring) {
  const dataDir = tempFolder();
  const load = (more: Record<string, unknown> = {}) => loadConfig({ overrides: { dataDir, server: { port: 0 }, metrics: { port: 0 }, ...overrides, ...more } });
  const service = await startService(load(), pino({ level: 'silent' }), decorate);
  running.push(service);
  const scrape = (headers: Record<string, string> = {}, path = '') => fetch(`${String(service.metricsUrl)}${path}`, { headers });
  const value = async (line: string): Promise<number | undefined> => {
    const found = (await (await scrape()).text()).split('\n').find((one) => one.startsWith(`${line} `));
    return found === undefined ? undefined : Number(found.split(' ').at(-1));
  };
  return { ...service, load, scrape, value };
}

const post = (url: string, body: unknown, headers: Record<string, string> = {}) => fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });

test('changes by surface and outcome, hops, log-outs, refusals and requests are counted; the text passes promtool', async () => {
  const { url, scrape, value } = await start({ rateLimit: { wrongPasswordsPerMailbox: { points: 1, windowSeconds: 900 }, wrongPasswordsPerAddress: { points: 30, windowSeconds: 900 } } });
  const [alice, bob] = [await enter(url), await enter(url, BOB)];
  await bob.change('wrong', NEW);
  await bob.change('wrong', NEW);
  await alice.change(ALICE.password, 'short');
  expect((await alice.change(ALICE.password, NEW)).status).toBe(200);
  const panel = await post(`${url}/mailbox-password/panel/api/v1/login`, { address: ALICE.address, password: NEW });
  const { csrfToken } = (await panel.json()) as { csrfToken: string };
  const cookie = (panel.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  expect((await post(`${url}/mailbox-password/panel/api/v1/password`, { currentPassword: NEW, newPassword: 'Third!Harvest44' }, { cookie, 'x-csrf-token': csrfToken })).status).toBe(200);

  const [at, name] = ['mailbox_password_', 'changes_total'];
  expect(await value(`${at}${name}{action="change",surface="account-section",outcome="done"}`)).toBe(1);
  expect(await value(`${at}${name}{action="change",surface="account-section",outcome="CURRENT_PASSWORD_WRONG"}`)).toBe(1);
  expect(await value(`${at}${name}{action="change",surface="user-panel",outcome="done"}`)).toBe(1);
  for (const hop of ['record', 'change', 'confirm', 'revoke']) expect(await value(`${at}hop_duration_seconds_count{hop="${hop}"}`)).toBe(2);
  expect(await value(`${at}revocations_total{store="web",outcome="done"}`)).toBe(2);
  expect(await value(`${at}rate_limited_total{kind="mailbox"}`)).toBe(1);
  expect(await value(`${at}problems_total{code="PASSWORD_REJECTED"}`)).toBe(1);
  expect(await value(`${at}http_requests_total{route="/mailbox-password/api/v1/password",status="4xx"}`)).toBe(3);
  expect(await value(`${at}outbox_oldest_age_seconds`)).toBe(0);
  expect(await value(`${at}component_up{component="accounts"}`)).toBe(1);
  expect(await value(`${at}read_only`)).toBe(0);
  await fetch(`${url}/no/such/${ALICE.address}`);

  const answer = await scrape();
  const text = await answer.text();
  expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  expect(text).toMatch(/mailbox_password_build_info\{version="\d+\.\d+\.\d+",node="[\d.]+"\} 1/);
  expect(text).toContain('nodejs_eventloop_lag_seconds');
  expect(text).not.toMatch(/example\.test|alice|bob|127\.0\.0\.1|no\/such/);
  const promtool = spawnSync('promtool', ['check', 'metrics'], { input: text.replaceAll(/^(# (HELP|TYPE) )?(nodejs|process)_.*\n/gm, ''), encoding: 'utf8' });
  expect([promtool.status, promtool.stdout + promtool.stderr]).toEqual([0, '']);
});

test('whatever strangers send, no series is added for it: unknown paths, hosts, methods, languages, names', async () => {
  const { url, scrape } = await start({ server: { port: 0, trustProxy: true } });
  const series = async (): Promise<string[]> => (await (await scrape()).text()).split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.slice(0, line.lastIndexOf(' '))).sort();
  const strange = async (n: number): Promise<void> => {
    const mark = `strange${String(n)}`;
    const headers = { 'x-forwarded-host': `${mark}.test`, 'x-forwarded-for': `198.51.100.${String(n)}`, 'x-request-id': `${mark}-request-id`, 'user-agent': mark, 'accept-language': mark };
    for (const path of [mark, `mailbox-password/${mark}`, `mailbox-password/assets/${mark}.js`, `mailbox-password/locales/${mark}/${mark}.json`, `mailbox-password/locales/section/${mark}.json`, `mailbox-password/panel/?${mark}`, `mailbox-password/panel/api/v1/${mark}`, `%${mark}`])
      await fetch(`${url}/${path}`, { headers });
    for (const method of ['PUT', 'DELETE', 'PROPFIND', 'OPTIONS']) await fetch(`${url}/mailbox-password/${mark}`, { method, headers });
    await post(`${url}/mailbox-password/panel/api/v1/login`, { address: `${mark}@${mark}.test`, password: mark }, headers);
    await post(`${url}/mailbox-password/admin/api/v1/login`, { name: mark, password: mark }, headers);
    await post(`${url}/mailbox-password/api/v1/password`, { [mark]: mark }, { ...headers, origin: `https://${mark}.test` });
  };
  for (let n = 1; n <= 2; n += 1) await strange(n);
  const before = await series();
  for (let n = 3; n <= 30; n += 1) await strange(n);
  expect(await series()).toEqual(before);
  expect(before.join('\n')).not.toMatch(/strange|198\.51/);
  // They were counted all the same.
  expect(before).toContain('mailbox_password_http_requests_total{route="none",status="4xx"}');
});

test('what is owed is shown by store with its age, and is 0 again when it is done', async () => {
  let isDown = true;
  const { url, value } = await start({ revocation: { firstDelayMs: 50, maxDelayMs: 100, leaseMs: 500, pollMs: 20, alertAfterMs: 500 } }, (wiring) => ({
    ...wiring, stores: wiring.stores.map((store) => ({ ...store, revokeAll: (request, call) => (isDown ? Promise.reject(new ModuleError('SESSIONS_UNAVAILABLE')) : store.revokeAll(request, call)) })),
  }));
  await (await enter(url)).change(ALICE.password, NEW);
  await new Promise((resolve) => { setTimeout(resolve, 1500); });
  expect(await value('mailbox_password_outbox_rows{store="web"}')).toBe(1);
  expect(await value('mailbox_password_outbox_oldest_age_seconds')).toBeGreaterThan(1);
  expect(await value('mailbox_password_component_up{component="outbox"}')).toBe(0);
  expect(await value('mailbox_password_revocations_total{store="web",outcome="SESSIONS_UNAVAILABLE"}')).toBeGreaterThan(1);
  expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'not ready', down: ['outbox'] });
  isDown = false;
  await new Promise((resolve) => { setTimeout(resolve, 2500); });
  expect(await value('mailbox_password_outbox_rows{store="web"}')).toBeUndefined();
  expect(await value('mailbox_password_outbox_oldest_age_seconds')).toBe(0);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
});

test('it is off unless it is asked for, and never on the port of the service, whoever asks', async () => {
  const off = await start({ metrics: {} });
  expect(off.metricsUrl).toBeNull();
  const { url } = await start();
  for (const headers of [{}, { 'x-forwarded-for': '127.0.0.1' }, { host: '127.0.0.1:9464' }]) {
    for (const path of ['/metrics', '/mailbox-password/metrics']) expect((await fetch(`${url}${path}`, { headers })).status).toBe(404);
  }
});

test('without a token only this machine reads it, and nobody through a proxy', async () => {
  const { scrape } = await start();
  expect((await scrape()).status).toBe(200);
  for (const [name, value] of [['x-forwarded-for', '127.0.0.1'], ['forwarded', 'for=127.0.0.1'], ['x-real-ip', '127.0.0.1'], ['via', '1.1 proxy']] as const) expect((await scrape({ [name]: value })).status).toBe(403);
  for (const host of ['0.0.0.0', '::', '192.0.2.1']) expect(() => loadConfig({ overrides: { metrics: { port: 9464, host } } })).toThrow(/are needed where metrics\.host is not loopback/);
  expect(() => loadConfig({ overrides: { metrics: { port: 9464, host: '0.0.0.0', tokens: ['short'] } } })).toThrow(/16 to 200/);
});

test('only addresses that may ask; a token besides where there are tokens; both follow a reload', async () => {
  const token = 'some-token-0123456789';
  const { scrape, reload, load } = await start({ metrics: { port: 0, allow: ['192.0.2.0/24', '127.0.0.1'] } });
  expect((await scrape()).status).toBe(200);
  await reload(() => load({ metrics: { port: 0, allow: ['192.0.2.0/24', '2001:db8::/32'] } }));
  expect((await scrape()).status).toBe(403);
  expect((await scrape({ 'x-forwarded-for': '192.0.2.7' })).status).toBe(403);
  await reload(() => load({ metrics: { port: 0, allow: ['127.0.0.0/8'], tokens: [token] } }));
  expect([(await scrape()).status, (await scrape({ authorization: `Bearer ${token}` })).status]).toEqual([401, 200]);
  await reload(() => load({ metrics: { port: 0, allow: ['192.0.2.0/24'], tokens: [token] } }));
  expect((await scrape({ authorization: `Bearer ${token}` })).status).toBe(403);
  expect(loadConfig({ overrides: { metrics: { port: 9464, host: '0.0.0.0', allow: ['10.0.0.9'] } } }).metrics.allow).toEqual(['10.0.0.9']);
  expect(() => loadConfig({ overrides: { metrics: { port: 9464, allow: ['10.0.0.9', 'prometheus'] } } })).toThrow(/metrics\.allow\[1\]: an IP address or a range/);
});

test('two tokens open it while one is exchanged; afterwards the old one does not', async () => {
  const [old, next] = ['old-token-0123456789', 'next-token-0123456789'];
  const { scrape, reload, load } = await start({ metrics: { port: 0, tokens: [old] } });
  const status = async (token: string) => (await scrape({ authorization: `Bearer ${token}` })).status;
  expect((await scrape()).status).toBe(401);
  expect([await status(old), await status(next), await status(`${old}x`)]).toEqual([200, 401, 401]);
  expect((await reload(() => load({ metrics: { port: 0, tokens: [next, old] } }))).kept).toEqual([]);
  expect([await status(old), await status(next)]).toEqual([200, 200]);
  await reload(() => load({ metrics: { port: 0, tokens: [next] } }));
  expect([await status(old), await status(next)]).toEqual([401, 200]);
  expect((await scrape({ authorization: `Bearer ${next}` }, '/../config')).status).toBe(404);
});

test('what was counted outlives a reload; refused ones are counted too', async () => {
  const { url, value, reload, load } = await start();
  await (await enter(url)).change(ALICE.password, NEW);
  await reload(() => load({ readOnly: true }));
  expect(await value('mailbox_password_changes_total{action="change",surface="account-section",outcome="done"}')).toBe(1);
  expect([await value('mailbox_password_read_only'), await value('mailbox_password_config_last_reload_successful')]).toEqual([1, 1]);
  await expect(reload(() => load({ readOnly: 'yes' }))).rejects.toThrow(/readOnly/);
  expect([await value('mailbox_password_config_reloads_total{outcome="refused"}'), await value('mailbox_password_config_last_reload_successful')]).toEqual([1, 0]);
});

test('/readyz asks what is behind once a second, however often it is asked, and tells names alone', async () => {
  let asked = 0;
  const { url } = await start({}, (wiring) => ({ ...wiring, accounts: { ...wiring.accounts, check: () => { asked += 1; return Promise.reject(new Error('mysql://root:secret@10.0.0.5 refused')); } } }));
  const answers = await Promise.all(Array.from({ length: 200 }, () => fetch(`${url}/readyz`)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
  expect(await answers[0]?.json()).toEqual({ status: 'not ready', down: ['accounts'] });
  expect(asked).toBeLessThanOrEqual(3);
});
