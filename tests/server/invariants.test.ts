import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { webcrypto } from 'node:crypto';
import { ModuleError } from '../../module/errors.ts';
import { isCommon } from '../../module/policy/commonPasswords.ts';
import { generatePassword } from '../../module/policy/generatePassword.ts';
import type { PasswordPolicy } from '../../module/policy/passwordPolicy.ts';
import { changeOwnPasswordSchema } from '../../module/requests/changeOwnPassword.ts';
import { validateRequest } from '../../module/requests/validateRequest.ts';
import { loadConfig } from '../../server/config/loadConfig.ts';
import { Secret } from '../../server/secret.ts';
import type { Wiring } from '../../server/wiring.ts';
import { ALICE, alive, BOB, change, logIn, NEW, startService } from '../fixtures/service.ts';

const request = { currentPassword: ALICE.password, newPassword: NEW };
const running: { stop(): Promise<void> }[] = [];
async function start(options: Parameters<typeof startService>[0] = {}) {
  const service = await startService(options);
  running.push(service);
  return service;
}
afterEach(async () => { for (const service of running.splice(0).reverse()) await service.stop(); });

const withStore = (revokeAll: (wiring: Wiring) => Wiring['stores'][number]['revokeAll']) => (wiring: Wiring): Wiring =>
  ({ ...wiring, stores: wiring.stores.map((store) => ({ ...store, revokeAll: revokeAll(wiring) })) });

const withAccounts = (over: (wiring: Wiring) => Partial<Wiring['accounts']>) => (wiring: Wiring): Wiring =>
  ({ ...wiring, accounts: { ...wiring.accounts, ...over(wiring) } });

test('the main job: every session of the mailbox ends, the old password is refused, the new one works, others are untouched', async () => {
  const { app } = await start();
  const [one, two, other] = [await logIn(app, ALICE), await logIn(app, ALICE), await logIn(app, BOB)];
  const answer = await change(app, one, request);
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ revocation: 'done', ended: { web: 2 }, pending: [] });
  expect(await alive(app, one)).toBe(false);
  expect(await alive(app, two)).toBe(false);
  expect(await alive(app, other)).toBe(true);
  expect((await logIn(app, ALICE)).status).toBe(401);
  expect((await logIn(app, { ...ALICE, password: NEW })).status).toBe(200);
});

test('the new password still works after a restart', async () => {
  const first = await startService();
  await change(first.app, await logIn(first.app, ALICE), request);
  await first.stop();
  const { app } = await start({ dataDir: first.dataDir });
  expect((await logIn(app, { ...ALICE, password: NEW })).status).toBe(200);
  expect((await logIn(app, ALICE)).status).toBe(401);
});

test('I1 the log-out is on record before the account API is asked to change anything', async () => {
  const seen: number[] = [];
  const { app } = await start({ decorate: withAccounts(({ accounts, outbox }) => ({
    changePassword: async (...args) => {
      seen.push((await outbox.list(10)).length);
      return accounts.changePassword(...args);
    },
  })) });
  expect((await change(app, await logIn(app, ALICE), request)).statusCode).toBe(200);
  expect(seen).toEqual([1]);
});

test('I2 a late retry never ends a session that was opened with the new password', async () => {
  let down = true;
  const { app, worker, wiring } = await start({ decorate: withStore(({ stores }) => async (...args) => {
    if (down) throw new ModuleError('SESSIONS_UNAVAILABLE');
    const [store] = stores;
    if (store === undefined) throw new Error('no store');
    return store.revokeAll(...args);
  }) });
  const old = await logIn(app, ALICE);
  expect((await change(app, old, request)).json()).toMatchObject({ revocation: 'pending', pending: ['web'] });
  expect(await alive(app, old)).toBe(true);
  const fresh = await logIn(app, { ...ALICE, password: NEW });
  down = false;
  await wiring.outbox.retryNow();
  expect(await worker.runOnce()).toBe(1);
  expect(await alive(app, old)).toBe(false);
  expect(await alive(app, fresh)).toBe(true);
  expect(await wiring.outbox.list(10)).toEqual([]);
});

test('I3 a store that does not answer is pending, never done', async () => {
  const { app, wiring } = await start({
    overrides: { timeouts: { accountsMs: 10_000, sessionsMs: 50, hostMs: 5000 } },
    decorate: withStore(() => () => new Promise(() => undefined)),
  });
  const answer = await change(app, await logIn(app, ALICE), request);
  expect(answer.json()).toMatchObject({ revocation: 'pending', ended: {}, pending: ['web'] });
  expect(await wiring.outbox.list(10)).toMatchObject([{ store: 'web', state: 'confirmed', attempts: 1, lastError: 'SESSIONS_UNAVAILABLE' }]);
});

test.each([
  ['a wrong current password', { currentPassword: 'Wrong-one-1', newPassword: NEW }, {}, 'CURRENT_PASSWORD_WRONG'],
  ['a new password that breaks the policy', { ...request, newPassword: 'short' }, {}, 'PASSWORD_REJECTED'],
  ['a refusal of the account API', request, { changePassword: () => Promise.reject(new ModuleError('PASSWORD_REJECTED_BY_SERVER')) }, 'PASSWORD_REJECTED_BY_SERVER'],
  ['an account API that is down', request, { verifyPassword: () => Promise.reject(new ModuleError('ACCOUNTS_UNAVAILABLE')) }, 'ACCOUNTS_UNAVAILABLE'],
])('I4 %s changes nothing', async (_name, body, over, code) => {
  let armed = false;
  const { app, wiring } = await start({ decorate: withAccounts(({ accounts }) => Object.fromEntries(Object.entries(over).map(([name, fail]) =>
    [name, (...args: unknown[]) => (armed ? fail() : (accounts[name as 'verifyPassword'] as (...all: unknown[]) => unknown)(...args))]))) });
  const browser = await logIn(app, ALICE);
  armed = true;
  expect((await change(app, browser, body)).json()).toMatchObject({ code, changed: 'no' });
  armed = false;
  expect(await alive(app, browser)).toBe(true);
  expect(await wiring.outbox.list(10)).toEqual([]);
  expect((await logIn(app, ALICE)).status).toBe(200);
});

const TABLE = ['short', 'alllowercase', 'NoDigits!!', 'No-special-1é', 'Alice-rocks-1!', ALICE.password, 'Passw0rd!', 'Tab\tTab-123', 'Fresh!Harvest42', '😀😀😀😀aA1!', ''];

test('I5 the client, the server and the generator judge by one schema: same verdict, same codes', async () => {
  const { app } = await start({ overrides: { rateLimit: { wrongPasswordsPerMailbox: { points: 100, windowSeconds: 60 }, wrongPasswordsPerAddress: { points: 100, windowSeconds: 60 } } } });
  const browser = await logIn(app, ALICE);
  const { policy } = (await app.inject({ url: '/mailbox-password/api/v1/context', headers: { cookie: browser.cookie } })).json<{ policy: PasswordPolicy }>();
  const generated = Array.from({ length: 20 }, () => generatePassword(policy, webcrypto, { address: ALICE.address }));
  for (const newPassword of [...TABLE, ...generated]) {
    // With a wrong current password nothing changes: the policy is judged first, by the policy's own codes.
    const body = { currentPassword: ALICE.password === newPassword ? newPassword : 'wrong', newPassword };
    const client = validateRequest(changeOwnPasswordSchema(policy, ALICE.address, body.currentPassword, { isCommon }), body);
    const server = (await change(app, browser, body)).json<{ code: string; fields?: { code: string }[] }>();
    const codes = 'fields' in client ? client.fields.map(({ code }) => code) : ['CURRENT_PASSWORD_WRONG'];
    expect([newPassword, server.fields?.map(({ code }) => code)]).toEqual([newPassword, codes]);
    if (generated.includes(newPassword)) expect(codes).toEqual(['CURRENT_PASSWORD_WRONG']);
  }
});

test('I6 no secret is found in logs, databases, answers or errors', async () => {
  const canary = 'Canary!Yellow-77x';
  const { app, lines, dataDir } = await start();
  const browser = await logIn(app, ALICE);
  const answers = [
    await change(app, browser, { currentPassword: canary, newPassword: NEW }),
    await change(app, browser, { currentPassword: ALICE.password, newPassword: `${canary}\u0007` }),
    await change(app, browser, `{"currentPassword":"${canary}",`),
    await change(app, browser, { ...request, [canary]: 1 }),
    await change(app, browser, { currentPassword: ALICE.password, newPassword: canary }),
  ];
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([422, 422, 400, 422, 200]);
  const files = readdirSync(dataDir, { withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => readFileSync(join(dataDir, name)).toString('latin1'));
  for (const text of [...lines, ...files, ...answers.map(({ body }) => body)]) expect(text).not.toContain(canary);
  expect(lines.join('')).toContain('password change');
});

test('I7 unknown mailbox, wrong password and locked mailbox are one answer, after the same work', async () => {
  const { app, wiring } = await start();
  const wrong = await logIn(app, { ...ALICE, password: 'Wrong-one-1' });
  const unknown = await logIn(app, { address: 'nobody@example.test', password: 'Wrong-one-1' });
  const strip = ({ status, body }: typeof wrong) => ({ status, ...body, requestId: '' });
  expect(strip(unknown)).toEqual(strip(wrong));
  await wiring.accounts.find('nobody@example.test', { signal: AbortSignal.timeout(1000) });
  const { verifyPassword } = wiring.accounts;
  const time = async (address: string): Promise<number> => {
    const since = performance.now();
    expect(await verifyPassword(address, new Secret('Wrong-one-1'), { signal: AbortSignal.timeout(5000) })).toBe(false);
    return performance.now() - since;
  };
  // In turns, so that a busy machine slows both; without the work the ratio is about 0.02.
  const times: [number, number][] = [];
  for (let n = 0; n < 15; n += 1) times.push([await time('nobody@example.test'), await time(ALICE.address)]);
  const median = (of: 0 | 1): number => times.map((pair) => pair[of]).sort((a, b) => a - b)[7] ?? NaN;
  expect(median(0) / median(1)).toBeGreaterThan(0.4);
});

test('I8 a driver that does not exist, or an option that it does not know, is refused', async () => {
  await expect(startService({ overrides: { accounts: [{ driver: 'nope', domains: ['*'] }] } })).rejects.toThrow(/"nope" is not one of/);
  await expect(startService({ overrides: { host: { driver: 'embedded', colour: 'red' } } })).rejects.toThrow(/host: unknown key/);
});

test('I9 a bad configuration does not start, and every problem is listed with its path', () => {
  const load = () => loadConfig({ overrides: { server: { port: 'eighty', hots: 'x' }, policy: { preset: 'strong' }, readOnly: 'yes' } });
  expect(load).toThrow(/server\.port/);
  expect(load).toThrow(/policy\.preset/);
  expect(load).toThrow(/readOnly/);
  expect(load).toThrow(/hots/);
});

test('an unknown outcome is said plainly and settled later: changed after all', async () => {
  const { app, worker, wiring } = await start({
    overrides: { timeouts: { accountsMs: 100, sessionsMs: 5000, hostMs: 5000 }, revocation: { firstDelayMs: 1, maxDelayMs: 10, leaseMs: 1, pollMs: 10, alertAfterMs: 1000 } },
    decorate: withAccounts(({ accounts }) => {
      let asked = 0;
      return {
        changePassword: async (...args) => { await accounts.changePassword(...args); throw new ModuleError('ACCOUNTS_OUTCOME_UNKNOWN'); },
        // The first question of a change is the current password; the second would tell, and must not be answered here.
        verifyPassword: async (...args) => { asked += 1; if (asked === 3) throw new ModuleError('ACCOUNTS_UNAVAILABLE'); return accounts.verifyPassword(...args); },
      };
    }),
  });
  const browser = await logIn(app, ALICE);
  const answer = await change(app, browser, request);
  expect(answer.json()).toMatchObject({ code: 'ACCOUNTS_OUTCOME_UNKNOWN', changed: 'unknown' });
  expect(await wiring.outbox.list(10)).toMatchObject([{ state: 'recorded' }]);
  await new Promise((resolve) => setTimeout(resolve, 250));
  await worker.runOnce();
  expect(await alive(app, browser)).toBe(false);
  expect(await wiring.outbox.list(10)).toEqual([]);
});

test('two changes at once: one wins, the other is told', async () => {
  const { app } = await start();
  const [one, two] = [await logIn(app, ALICE), await logIn(app, ALICE)];
  const answers = await Promise.all([change(app, one, request), change(app, two, { ...request, newPassword: 'Other!Harvest43' })]);
  expect(answers.map(({ statusCode }) => statusCode).filter((status) => status === 200)).toHaveLength(1);
});

test('a session that was opened with the old password in the very millisecond of the change ends too', async () => {
  const frozen = Date.now();
  const { app } = await start({ system: () => frozen });
  const [browser, other] = [await logIn(app, ALICE), await logIn(app, ALICE)];
  expect((await change(app, browser, { currentPassword: ALICE.password, newPassword: NEW })).statusCode).toBe(200);
  expect(await alive(app, other)).toBe(false);
});

test('I1 a write that was on its way when the process died may still land: what is owed is not forgotten before it no longer can', async () => {
  const dead = await start({ decorate: (wiring: Wiring) => ({ ...wiring, accounts: { ...wiring.accounts, changePassword: () => new Promise<never>(() => undefined) } }) });
  const browser = await logIn(dead.app, ALICE);
  void change(dead.app, browser, { currentPassword: ALICE.password, newPassword: NEW });
  for (const end = Date.now() + 10_000; (await dead.wiring.outbox.list(10)).length === 0; await new Promise((resolve) => { setTimeout(resolve, 10); })) {
    if (Date.now() > end) throw new Error('nothing was recorded before the account API was asked');
  }
  let later = 0;
  const { app, wiring, worker } = await start({ dataDir: dead.dataDir, system: () => Date.now() + later });
  await worker.runOnce();
  expect((await wiring.outbox.list(10)).map(({ state }) => state)).toEqual(['recorded']);
  expect(await alive(app, browser)).toBe(true);
  await wiring.accounts.changePassword(ALICE.address, new Secret(ALICE.password), new Secret(NEW), { signal: AbortSignal.timeout(5000) });
  later = 60_000;
  await worker.runOnce();
  expect(await wiring.outbox.list(10)).toEqual([]);
  expect(await alive(app, browser)).toBe(false);
}, 30_000);

test('I2 the worker never asks as if for the first time, also where the first try died with its process: then everybody would be ended', async () => {
  const attempts: number[] = [];
  const { wiring, worker } = await start({ decorate: (given: Wiring) => ({
    ...given, stores: given.stores.map((store) => ({ ...store, revokeAll: async ({ attempt }: { attempt: number }) => { attempts.push(attempt); return { revoked: {} }; } })),
  }) });
  await wiring.outbox.record({ changeId: 'one', address: ALICE.address, stores: wiring.stores.map(({ name }) => name), passwordVersion: null, settleAfter: 0 });
  await wiring.outbox.confirm('one', wiring.clock.now());
  await wiring.outbox.retryNow();
  await worker.runOnce();
  expect(attempts).toEqual([2]);
});
