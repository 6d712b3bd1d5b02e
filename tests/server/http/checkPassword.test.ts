import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { Secret } from '../../../server/secret.ts';
import { rememberPassword } from '../../fixtures/rememberPassword.ts';
import { ALICE, alive, type Browser, change, logIn, NEW, startService, tempFolder } from '../../fixtures/service.ts';

const LEAKED = 'Known!Everywhere1';
const PREVIOUS = 'Earlier!Harvest7';
const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex').toUpperCase();
const running: { stop(): Promise<void> }[] = [];
afterEach(async () => { for (const service of running.splice(0)) await service.stop(); });

async function start(own: object = {}) {
  const dataDir = tempFolder();
  const file = join(dataDir, 'pwned.txt');
  writeFileSync(file, [LEAKED, 'something else'].map((word) => `${sha1(word)}:3\n`).sort().join(''));
  const service = await startService({ dataDir, overrides: { serverRules: [{ driver: 'breachFile', file }, { driver: 'history', count: 5 }], ...own } });
  running.push(service);
  await rememberPassword(service.wiring, { address: ALICE.address, next: new Secret(PREVIOUS), current: null });
  return service;
}

const check = (app: FastifyInstance, { cookie, csrf }: Browser, newPassword: string, currentPassword = ALICE.password, headers: Record<string, string> = {}) => app.inject({
  method: 'POST', url: '/mailbox-password/api/v1/password/check', headers: { cookie, 'x-csrf-token': csrf, ...headers }, payload: { currentPassword, newPassword },
});
const outcomes = (PASSWORD_BREACHED: string, PASSWORD_IN_HISTORY: string) => ({ rules: [{ code: 'PASSWORD_BREACHED', outcome: PASSWORD_BREACHED }, { code: 'PASSWORD_IN_HISTORY', outcome: PASSWORD_IN_HISTORY }] });

async function asAdministrator(app: FastifyInstance) {
  const entered = await app.inject({ method: 'POST', url: '/mailbox-password/admin/api/v1/login', payload: { name: 'admin', password: 'Admin-demo-9' } });
  const headers = { cookie: entered.cookies.map(({ name, value }) => `${name}=${value}`).join('; '), 'x-csrf-token': String(entered.json<{ csrfToken: string }>().csrfToken) };
  return (newPassword: string, address = ALICE.address, more: object = {}) =>
    app.inject({ method: 'POST', url: '/mailbox-password/admin/api/v1/mailbox/password/check', headers: { ...headers, ...more }, payload: { address, newPassword } });
}

test('each rule is said; nothing is changed, and the candidate stands nowhere', async () => {
  const { app, wiring, lines, dataDir } = await start();
  const browser = await logIn(app, ALICE);
  for (const [word, expected] of [[NEW, outcomes('met', 'met')], [LEAKED, outcomes('violated', 'met')], [PREVIOUS, outcomes('met', 'violated')]] as const) {
    const answer = await check(app, browser, word);
    expect([answer.statusCode, answer.json()]).toEqual([200, expected]);
    expect(answer.headers['cache-control']).toBe('no-store');
  }
  expect(await alive(app, browser)).toBe(true);
  expect([await wiring.outbox.list(10), (await wiring.audit.read({ domains: null, cursor: null, limit: 100 })).events]).toEqual([[], []]);
  expect((await logIn(app, ALICE)).status).toBe(200);
  for (const secret of [NEW, LEAKED, ALICE.password, sha1(NEW).slice(0, 8), sha1(NEW).slice(0, 8).toLowerCase()]) {
    for (const file of ['state.db', 'state.db-wal']) expect(readFileSync(join(dataDir, file)).includes(secret)).toBe(false);
    expect(lines.join('\n')).not.toContain(secret);
  }
});

test('no session, no token, another site, a missing or malformed password: refused as the change is', async () => {
  const { app } = await start();
  const browser = await logIn(app, ALICE);
  const codes = await Promise.all([
    check(app, { ...browser, cookie: '' }, NEW), check(app, { ...browser, csrf: 'x' }, NEW), check(app, browser, NEW, ALICE.password, { origin: 'https://evil.test' }),
    check(app, browser, 'short'), check(app, browser, NEW, ''),
  ]);
  expect(codes.map((answer) => [answer.statusCode, answer.json<{ code: string }>().code])).toEqual([
    [401, 'AUTHENTICATION_REQUIRED'], [403, 'CSRF_TOKEN_INVALID'], [403, 'ORIGIN_NOT_ALLOWED'], [422, 'PASSWORD_REJECTED'], [422, 'REQUEST_INVALID'],
  ]);
});

test('a stolen session learns nothing of the mailbox\'s passwords: a wrong current one is refused, counted with those of changes, and written down', async () => {
  const { app, wiring, lines } = await start({ rateLimit: { wrongPasswordsPerMailbox: { points: 3, windowSeconds: 900 } } });
  const browser = await logIn(app, ALICE);
  for (let at = 0; at < 2; at += 1) {
    const answer = await check(app, browser, PREVIOUS, 'Not-the-one-1');
    expect([answer.statusCode, answer.json()]).toMatchObject([422, { code: 'CURRENT_PASSWORD_WRONG', fields: [{ field: 'currentPassword' }] }]);
  }
  expect((await change(app, browser, { currentPassword: 'Not-the-one-2', newPassword: NEW })).statusCode).toBe(422);
  expect((await check(app, browser, PREVIOUS)).json()).toMatchObject({ code: 'RATE_LIMITED' });
  expect((await change(app, browser, { currentPassword: ALICE.password, newPassword: NEW })).json()).toMatchObject({ code: 'RATE_LIMITED' });
  const { events } = await wiring.audit.read({ domains: null, cursor: null, limit: 100 });
  expect(events.map(({ action, actorKind, outcome, address }) => [action, actorKind, outcome, address])).toEqual(Array.from({ length: 3 }, () => ['change', 'owner', 'CURRENT_PASSWORD_WRONG', ALICE.address]));
  expect(lines.filter((line) => line.includes('"password change"') && line.includes('CURRENT_PASSWORD_WRONG'))).toHaveLength(3);
});

test('who asks on and on is told to wait', async () => {
  const { app } = await start({ serverRules: [{ driver: 'history', count: 1 }] });
  const browser = await logIn(app, ALICE);
  const codes: number[] = [];
  for (let at = 0; at < 42; at += 1) codes.push((await check(app, browser, `Fresh!Harvest${String(at)}`)).statusCode);
  expect([codes.slice(0, 40).every((code) => code === 200), codes.slice(40)]).toEqual([true, [429, 429]]);
  // The change itself is counted by wrong passwords alone.
  expect((await change(app, browser, { currentPassword: ALICE.password, newPassword: NEW })).statusCode).toBe(200);
}, 120_000);

test.each([['accept', 'unknown', 200], ['refuse', 'unavailable', 503]] as const)('a list that does not answer, %s: %s, and the change is as was said', async (onFailure, outcome, status) => {
  const { app } = await start({ serverRules: [{ driver: 'haveIBeenPwned', baseUrl: 'http://127.0.0.1:9', onFailure, timeoutMs: 500 }, { driver: 'history', count: 5 }] });
  const browser = await logIn(app, ALICE);
  expect((await check(app, browser, NEW)).json()).toEqual(outcomes(outcome, 'met'));
  expect((await change(app, browser, { currentPassword: ALICE.password, newPassword: NEW })).statusCode).toBe(status);
});

test('an administrator is told of breach lists alone, never of the mailbox\'s own passwords', async () => {
  const { app } = await start();
  const asked = await asAdministrator(app);
  expect((await asked(PREVIOUS)).json()).toEqual({ rules: [{ code: 'PASSWORD_BREACHED', outcome: 'met' }] });
  expect((await asked(LEAKED)).json()).toEqual({ rules: [{ code: 'PASSWORD_BREACHED', outcome: 'violated' }] });
  expect((await asked(NEW, ALICE.address, { 'x-csrf-token': 'x' })).json()).toMatchObject({ code: 'CSRF_TOKEN_INVALID' });
  expect((await asked(NEW, 'nobody@example.test')).json()).toMatchObject({ code: 'ACCOUNT_NOT_FOUND' });
});

test('User Panel: the same', async () => {
  const { app } = await start();
  const entered = await app.inject({ method: 'POST', url: '/mailbox-password/panel/api/v1/login', payload: ALICE });
  const headers = { cookie: entered.cookies.map(({ name, value }) => `${name}=${value}`).join('; '), 'x-csrf-token': String(entered.json<{ csrfToken: string }>().csrfToken) };
  const asked = (currentPassword: string, newPassword: string) => app.inject({ method: 'POST', url: '/mailbox-password/panel/api/v1/password/check', headers, payload: { currentPassword, newPassword } });
  expect((await asked(ALICE.password, PREVIOUS)).json()).toEqual(outcomes('met', 'violated'));
  expect((await asked('Not-the-one-1', NEW)).json()).toMatchObject({ code: 'CURRENT_PASSWORD_WRONG' });
});

test('without such rules no password is looked at', async () => {
  const { app } = await start({ serverRules: [] });
  expect((await check(app, await logIn(app, ALICE), NEW, 'Not-the-one-1')).json()).toEqual({ rules: [] });
});
