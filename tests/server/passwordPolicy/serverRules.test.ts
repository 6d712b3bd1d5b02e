import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { ModuleError } from '../../../module/errors.ts';
import { ConfigError } from '../../../server/config/configProblem.ts';
import { generatePassword } from '../../../module/policy/generatePassword.ts';
import { Secret } from '../../../server/secret.ts';
import type { Wiring } from '../../../server/wiring.ts';
import { rememberPassword } from '../../fixtures/rememberPassword.ts';
import { ALICE, alive, change, logIn, NEW, startService, tempFolder } from '../../fixtures/service.ts';
import { startSmtpSink } from '../../services/smtpSink.ts';

const LEAKED = 'Known!Everywhere1';
const PREVIOUS = 'Earlier!Harvest7';
const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex').toUpperCase();

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => { for (const service of running.splice(0)) await service.stop(); });

async function start(own: object = {}, decorate = (wiring: Wiring): Wiring => wiring) {
  const dataDir = tempFolder();
  const file = join(dataDir, 'pwned.txt');
  writeFileSync(file, [LEAKED, PREVIOUS, 'something else'].map((word) => `${sha1(word)}:3\n`).sort().join(''));
  const serverRules = [{ driver: 'breachFile', file }, { driver: 'history', count: 3 }];
  const service = await startService({ dataDir, overrides: { serverRules, ...own }, decorate });
  running.push(service);
  return service;
}

async function asAdministrator(app: FastifyInstance) {
  const entered = await app.inject({ method: 'POST', url: '/mailbox-password/admin/api/v1/login', payload: { name: 'admin', password: 'Admin-demo-9' } });
  const headers = { cookie: entered.cookies.map(({ name, value }) => `${name}=${value}`).join('; '), 'x-csrf-token': String(entered.json<{ csrfToken: string }>().csrfToken) };
  return async (newPassword: string) => {
    const mailbox = await app.inject({ url: `/mailbox-password/admin/api/v1/mailbox?address=${ALICE.address}`, headers });
    const { passwordVersion } = mailbox.json<{ passwordVersion: string }>();
    return app.inject({ method: 'POST', url: '/mailbox-password/admin/api/v1/mailbox/password', headers, payload: { address: ALICE.address, newPassword, passwordVersion } });
  };
}

const breached = [{ field: 'newPassword', code: 'PASSWORD_BREACHED' }];
const reused = [{ field: 'newPassword', code: 'PASSWORD_IN_HISTORY', params: { count: 3 } }];

test('I5: an owner and an administrator get the same verdict with the same codes; I4: nothing was changed', async () => {
  const { app, wiring, lines } = await start();
  const browser = await logIn(app, ALICE);
  const set = await asAdministrator(app);
  for (const answer of [await change(app, browser, { currentPassword: ALICE.password, newPassword: LEAKED }), await set(LEAKED)]) {
    expect([answer.statusCode, answer.json()]).toMatchObject([422, { code: 'PASSWORD_REJECTED', changed: 'no', fields: breached }]);
  }
  expect(await alive(app, browser)).toBe(true);
  expect(await wiring.outbox.list(10)).toEqual([]);
  expect(await wiring.accounts.find(ALICE.address, { signal: AbortSignal.timeout(5000) })).toMatchObject({ passwordChangedAt: 0 });

  expect((await change(app, browser, { currentPassword: ALICE.password, newPassword: NEW })).statusCode).toBe(200);
  const again = await logIn(app, { ...ALICE, password: NEW });
  // The demo password does not meet "not your current password" alone: it is in the history because it was replaced.
  for (const answer of [await change(app, again, { currentPassword: NEW, newPassword: ALICE.password }), await set(ALICE.password), await set(NEW)]) {
    expect([answer.statusCode, answer.json()]).toMatchObject([422, { code: 'PASSWORD_REJECTED', fields: reused }]);
  }
  expect((await set('By!Administrator9')).statusCode).toBe(200);
  const third = await logIn(app, { ...ALICE, password: 'By!Administrator9' });
  expect((await change(app, third, { currentPassword: 'By!Administrator9', newPassword: 'By!Administrator9' })).json()).toMatchObject({ fields: [{ code: 'PASSWORD_IS_CURRENT' }] });
  const events = (await wiring.audit.read({ domains: null, cursor: null, limit: 100 })).events.filter(({ outcome }) => outcome === 'PASSWORD_REJECTED');
  expect(events).toHaveLength(5);
  for (const secret of [LEAKED, NEW, ALICE.password, sha1(LEAKED), sha1(LEAKED).slice(0, 5)]) expect(lines.join('\n') + JSON.stringify(events)).not.toContain(secret);
});

test('every broken rule comes back at once, and only after the current password was proved', async () => {
  const { app, wiring } = await start();
  await rememberPassword(wiring, { address: ALICE.address, next: new Secret(PREVIOUS), current: null });
  const browser = await logIn(app, ALICE);
  expect((await change(app, browser, { currentPassword: ALICE.password, newPassword: PREVIOUS })).json()).toMatchObject({ fields: [...breached, ...reused] });
  expect((await change(app, browser, { currentPassword: 'Not-the-one-1', newPassword: PREVIOUS })).json()).toMatchObject({ code: 'CURRENT_PASSWORD_WRONG' });
});

test('the page is told which rules there are, and a generated password passes', async () => {
  const { app } = await start();
  const browser = await logIn(app, ALICE);
  const { policy } = (await app.inject({ url: '/mailbox-password/api/v1/context', headers: { cookie: browser.cookie } })).json<{ policy: Parameters<typeof generatePassword>[0] }>();
  expect(policy.serverRules).toEqual([{ code: 'PASSWORD_BREACHED', params: {} }, { code: 'PASSWORD_IN_HISTORY', params: { count: 3 } }]);
  const newPassword = generatePassword(policy, globalThis.crypto, { address: ALICE.address });
  expect((await change(app, browser, { currentPassword: ALICE.password, newPassword })).statusCode).toBe(200);
});

test('the state database does not take the confirmation at first: the history and the notice come all the same, once the log-outs are through', async () => {
  let failed = 0;
  const sink = await startSmtpSink();
  running.push(sink);
  const { app, wiring } = await start({
    notify: { driver: 'smtp', host: '127.0.0.1', port: sink.port, encryption: 'none' }, notices: { from: { name: 'Example', address: 'no-reply@example.test' } },
  }, (before) => ({ ...before, outbox: { ...before.outbox, confirm: async (...args) => {
    failed += 1;
    if (failed === 1) throw new ModuleError('STATE_UNAVAILABLE');
    return before.outbox.confirm(...args);
  } } }));
  expect((await change(app, await logIn(app, ALICE), { currentPassword: ALICE.password, newPassword: NEW })).statusCode).toBe(200);
  expect([failed, await wiring.outbox.list(10)]).toEqual([2, []]);
  expect(await wiring.noticeDelivery?.worker.runOnce()).toBe(1);
  const fresh = await logIn(app, { ...ALICE, password: NEW });
  expect((await change(app, fresh, { currentPassword: NEW, newPassword: 'Third!Harvest42' })).statusCode).toBe(200);
  expect((await change(app, await logIn(app, { ...ALICE, password: 'Third!Harvest42' }), { currentPassword: 'Third!Harvest42', newPassword: NEW })).json()).toMatchObject({ fields: reused });
});

test('off by default', async () => {
  const service = await startService();
  running.push(service);
  expect([service.wiring.rules, service.wiring.policy.serverRules]).toEqual([[], []]);
});

test('a list that cannot be asked refuses with a code where so configured, and nothing was changed', async () => {
  const { app } = await start({ serverRules: [{ driver: 'haveIBeenPwned', baseUrl: 'http://127.0.0.1:9', onFailure: 'refuse', timeoutMs: 500 }] });
  const browser = await logIn(app, ALICE);
  const answer = await change(app, browser, { currentPassword: ALICE.password, newPassword: NEW });
  expect([answer.statusCode, answer.json()]).toMatchObject([503, { code: 'POLICY_UNAVAILABLE', changed: 'no', retryable: true }]);
  expect(await alive(app, browser)).toBe(true);
});

test.each([
  [[{ driver: 'breachFile', file: '/nonexistent/pwned.txt' }], 'serverRules[0].file: /nonexistent/pwned.txt: it cannot be read (ENOENT)'],
  [[{ driver: 'history', count: 3 }, { driver: 'history', count: 4 }], 'serverRules: there are two histories'],
  [[{ driver: 'history' }], 'serverRules[0].count: is missing'],
  [[{ driver: 'nobody' }], 'serverRules[0].driver: "nobody" is not one of breachFile, haveIBeenPwned, history'],
])('%j does not start', async (serverRules, problem) => {
  const failed = await startService({ overrides: { serverRules } }).then(() => null, (error: unknown) => error);
  expect(failed).toBeInstanceOf(ConfigError);
  expect((failed as ConfigError).problems).toEqual([problem]);
});
