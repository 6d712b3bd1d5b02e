import type { FastifyInstance } from 'fastify';
import { ModuleError } from '../../../module/errors.ts';
import { hashAdministratorPassword } from '../../../server/panels/administrators.ts';
import type { AccountApi } from '../../../server/ports/accountApi.ts';
import type { Wiring } from '../../../server/wiring.ts';
import { ALICE, alive, BOB, logIn, NEW, startService } from '../../fixtures/service.ts';
import { call, enter, enterAdmin, enterUser, history, type Panel } from './panelClient.ts';

const running: { stop(): Promise<void> }[] = [];
async function start(options: Parameters<typeof startService>[0] = {}) {
  const service = await startService(options);
  running.push(service);
  return service;
}
afterEach(async () => { for (const service of running.splice(0)) await service.stop(); });

describe('wrong log-ins', () => {
  test('forty at once: no more passwords are looked at than the limit allows', async () => {
    let looked = 0;
    const { app } = await start({ decorate: (wired) => ({ ...wired, accounts: { ...wired.accounts, verifyPassword: (...args: Parameters<AccountApi['verifyPassword']>) => { looked += 1; return wired.accounts.verifyPassword(...args); } } }) });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => enterUser(app, { ...ALICE, password: `wrong-${String(n)}` })));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(30);
    expect(looked).toBe(10);
    expect((await enterUser(app, ALICE)).body).toMatchObject({ code: 'RATE_LIMITED', params: { retryAfterSeconds: expect.any(Number) as number } });
  });

  test('forty right ones at once from one address: nobody is refused, and nothing is left counted', async () => {
    const { app } = await start();
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => enterUser(app, n % 2 === 0 ? ALICE : BOB)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 40 }, () => 200));
    for (let n = 0; n < 9; n += 1) expect((await enterUser(app, { ...ALICE, password: 'wrong' })).status).toBe(401);
    expect((await enterUser(app, ALICE)).status).toBe(200);
  }, 30_000);

  test('they are remembered over a restart, and counted on every node', async () => {
    const first = await startService();
    for (let n = 0; n < 6; n += 1) await enterUser(first.app, { ...ALICE, password: 'wrong' });
    await first.stop();
    const [one, two] = [await start({ dataDir: first.dataDir }), await start({ dataDir: first.dataDir })];
    for (const { app } of [one, two]) for (let n = 0; n < 2; n += 1) expect((await enterUser(app, { ...ALICE, password: 'wrong' })).status).toBe(401);
    for (const { app } of [one, two]) expect((await enterUser(app, ALICE)).status).toBe(429);
    expect((await enterUser(one.app, BOB)).status).toBe(200);
  });

  test('an account API that does not answer costs nobody a try', async () => {
    let away = true;
    const { app } = await start({ decorate: (wired) => ({ ...wired, accounts: { ...wired.accounts, verifyPassword: (...args: Parameters<AccountApi['verifyPassword']>) => (away ? Promise.reject(new Error('away')) : wired.accounts.verifyPassword(...args)) } }) });
    for (let n = 0; n < 15; n += 1) expect((await enterUser(app, ALICE)).status).toBe(500);
    away = false;
    expect((await enterUser(app, ALICE)).status).toBe(200);
  });
});

describe('two administrators on two nodes in the same milliseconds', () => {
  const set = (app: FastifyInstance, panel: Panel, newPassword: string, passwordVersion: unknown) => call(app, panel, 'POST', '/admin/api/v1/mailbox/password', { address: BOB.address, newPassword, passwordVersion });
  const version = async (app: FastifyInstance, panel: Panel) => (await call(app, panel, 'GET', `/admin/api/v1/mailbox?address=${BOB.address}`)).body['passwordVersion'];
  /** A back end that can tell no version, and takes whatever it is given. */
  const withoutVersion = (wired: Wiring): Wiring => ({ ...wired, accounts: {
    ...wired.accounts, passwordVersion: () => Promise.resolve(null),
    async setPassword(address, next, options) {
      // Long enough for another set to come in between; and the last one wins, as in a back end that compares nothing.
      await new Promise((resolve) => { setTimeout(resolve, 50); });
      for (;;) {
        try {
          return await wired.accounts.setPassword(address, next, { ...options, expectedVersion: null });
        } catch (error) {
          if (!(error instanceof ModuleError) || error.code !== 'ACCOUNT_CHANGED_MEANWHILE') throw error;
        }
      }
    },
  } });
  /** No turn is ever refused: what is left is the comparison within the driver's write. */
  const withoutTurns = (wired: Wiring): Wiring => ({ ...wired, turns: { ...wired.turns, take: () => Promise.resolve({ release: () => Promise.resolve() }) } });

  test.each([['a back end that compares', (wired: Wiring) => wired], ['a back end that compares, and no turns', withoutTurns], ['a back end that can tell no version', withoutVersion]])('%s: one wins, the other is told', async (_name, decorate) => {
    const first = await start({ decorate });
    const nodes = [first, await start({ decorate, dataDir: first.dataDir })];
    const panels = await Promise.all(nodes.map(({ app }) => enterAdmin(app)));
    for (let round = 0; round < 5; round += 1) {
      const versions = await Promise.all(nodes.map(({ app }, n) => version(app, panels[n] as Panel)));
      expect(versions.every((one) => typeof one === 'string')).toBe(true);
      const answers = await Promise.all(nodes.map(({ app }, n) => set(app, panels[n] as Panel, `Fresh!Harvest-${String(round)}${String(n)}`, versions[n])));
      expect([round, answers.map(({ status }) => status).sort()]).toEqual([round, [200, 409]]);
      const winner = answers[0]?.status === 200 ? 0 : 1;
      expect(answers[1 - winner]?.body).toMatchObject({ code: 'ACCOUNT_CHANGED_MEANWHILE', changed: 'no' });
      expect((await logIn(first.app, { ...BOB, password: `Fresh!Harvest-${String(round)}${String(winner)}` })).status).toBe(200);
      // Whoever comes later with what the dialog showed before is told too.
      expect((await set(nodes[1 - winner]?.app as FastifyInstance, panels[1 - winner] as Panel, 'Third!Harvest44', versions[1 - winner])).body).toMatchObject({ code: 'ACCOUNT_CHANGED_MEANWHILE' });
    }
    expect(await first.wiring.outbox.list(10)).toEqual([]);
  }, 60_000);

  test("the owner's change in between is noticed too, also where the back end can tell no version", async () => {
    const { app } = await start({ decorate: withoutVersion });
    const admin = await enterAdmin(app);
    const before = await version(app, admin);
    const user = await enterUser(app, BOB);
    expect((await call(app, user, 'POST', '/panel/api/v1/password', { currentPassword: BOB.password, newPassword: NEW })).status).toBe(200);
    expect((await set(app, admin, 'Third!Harvest44', before)).body).toMatchObject({ code: 'ACCOUNT_CHANGED_MEANWHILE' });
    // A log-out alone changes no password.
    const now = await version(app, admin);
    await call(app, admin, 'POST', '/admin/api/v1/mailbox/end-sessions', { address: BOB.address });
    expect((await set(app, admin, 'Third!Harvest44', now)).status).toBe(200);
  });
});

describe('a new password at the next login', () => {
  const ask = (app: FastifyInstance, admin: Panel, required: boolean) => call(app, admin, 'POST', '/admin/api/v1/mailbox/require-change', { address: ALICE.address, required });
  const asked = async (app: FastifyInstance, admin: Panel) => (await call(app, admin, 'GET', `/admin/api/v1/mailbox?address=${ALICE.address}`)).body['changeRequired'];

  test('asked for alone: password and sessions stay; the next log-in may do nothing but choose one; then it is over', async () => {
    const { app, wiring } = await start();
    const [webmail, admin] = [await logIn(app, ALICE), await enterAdmin(app)];
    expect(await asked(app, admin)).toBe(false);
    expect((await ask(app, admin, true)).status).toBe(200);
    expect(await asked(app, admin)).toBe(true);
    expect(await alive(app, webmail)).toBe(true);
    const user = await enterUser(app, ALICE);
    expect(user.body['changeRequired']).toBe(true);
    for (const [method, path, payload] of [['GET', '/panel/api/v1/devices'], ['POST', '/panel/api/v1/devices/end-many', { which: 'others' }], ['POST', '/panel/api/v1/devices/end', { store: 'web', id: 'x' }]] as const) {
      const answer = await call(app, user, method, path, payload);
      expect([answer.status, answer.body['code']]).toEqual([403, 'PASSWORD_CHANGE_REQUIRED']);
    }
    expect((await call(app, user, 'GET', '/panel/api/v1/session')).body['changeRequired']).toBe(true);
    expect((await call(app, user, 'POST', '/panel/api/v1/password', { currentPassword: ALICE.password, newPassword: NEW })).status).toBe(200);
    const after = await enterUser(app, { ...ALICE, password: NEW });
    expect(after.body['changeRequired']).toBe(false);
    expect((await call(app, after, 'GET', '/panel/api/v1/devices')).status).toBe(200);
    expect(await asked(app, admin)).toBe(false);
    expect((await history(wiring)).find(({ action }) => action === 'require')).toMatchObject({ actor: 'admin', actorKind: 'administrator', address: ALICE.address, outcome: 'done' });
  });

  test('with a set password, in the same write; a set without it takes it away; it can be taken back', async () => {
    const { app } = await start();
    const admin = await enterAdmin(app);
    const set = async (newPassword: string, requireChange?: boolean) => call(app, admin, 'POST', '/admin/api/v1/mailbox/password', {
      address: ALICE.address, newPassword, passwordVersion: (await call(app, admin, 'GET', `/admin/api/v1/mailbox?address=${ALICE.address}`)).body['passwordVersion'], ...(requireChange !== undefined && { requireChange }),
    });
    expect((await set(NEW, true)).status).toBe(200);
    expect((await enterUser(app, { ...ALICE, password: NEW })).body['changeRequired']).toBe(true);
    expect((await set('Third!Harvest44')).status).toBe(200);
    expect((await enterUser(app, { ...ALICE, password: 'Third!Harvest44' })).body['changeRequired']).toBe(false);
    await ask(app, admin, true);
    await ask(app, admin, false);
    expect((await enterUser(app, { ...ALICE, password: 'Third!Harvest44' })).body['changeRequired']).toBe(false);
  });

  test('where the back end cannot, it is refused with a code, and nothing is set (I8)', async () => {
    const { app, wiring } = await start({ decorate: (wired) => ({ ...wired, accounts: { ...wired.accounts, abilities: { ...wired.accounts.abilities, requireChange: false } } }) });
    const admin = await enterAdmin(app);
    expect(await asked(app, admin)).toBeNull();
    expect((await ask(app, admin, true)).body).toMatchObject({ code: 'OPERATION_NOT_SUPPORTED' });
    const { body } = await call(app, admin, 'GET', `/admin/api/v1/mailbox?address=${ALICE.address}`);
    expect((await call(app, admin, 'POST', '/admin/api/v1/mailbox/password', { address: ALICE.address, newPassword: NEW, passwordVersion: body['passwordVersion'], requireChange: true })).body).toMatchObject({ code: 'OPERATION_NOT_SUPPORTED' });
    expect((await enterUser(app, ALICE)).status).toBe(200);
    expect((await history(wiring)).filter(({ outcome }) => outcome === 'OPERATION_NOT_SUPPORTED').map(({ action }) => action).sort()).toEqual(['require', 'set']);
  });
});

describe('administrators of the host', () => {
  let who: { name: string; domains: string[] | null } | null = null;
  const withHost = (wired: Wiring): Wiring => ({ ...wired, host: { ...wired.host, administrator: () => Promise.resolve(who) } });
  const byHost = (app: FastifyInstance, headers: Record<string, string> = {}) => enter(app, 'admin', {}, headers, 'login/by-host');

  test('come in with the log-in that they have, are asked about at every call, and are held to their scope', async () => {
    const { app, wiring } = await start({ decorate: withHost });
    who = null;
    expect((await call(app, { cookie: '', csrf: '' }, 'GET', '/admin/api/v1/login/host')).body).toEqual({ name: null });
    expect((await byHost(app)).body).toMatchObject({ code: 'FORBIDDEN' });
    who = { name: 'Root', domains: ['example.test'] };
    expect((await call(app, { cookie: '', csrf: '' }, 'GET', '/admin/api/v1/login/host')).body).toEqual({ name: 'Root' });
    expect((await byHost(app, { origin: 'https://evil.test' })).status).toBe(403);
    expect((await byHost(app, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    const panel = await byHost(app);
    expect(panel.body).toMatchObject({ name: 'root', domains: ['example.test'] });
    expect((await call(app, panel, 'GET', `/admin/api/v1/mailbox?address=${ALICE.address}`)).status).toBe(200);
    expect((await call(app, panel, 'GET', '/admin/api/v1/mailbox?address=carol@mail.test')).status).toBe(403);
    who = { name: 'Root', domains: null };
    expect((await call(app, panel, 'GET', '/admin/api/v1/mailbox?address=carol@mail.test')).status).toBe(200);
    // Somebody else by now, nobody any more, or no administrator any more: the panel's session is worth nothing.
    for (const now of [{ name: 'other', domains: null }, null]) {
      who = now;
      expect((await call(app, panel, 'GET', '/admin/api/v1/session')).status).toBe(401);
      expect((await call(app, panel, 'POST', '/admin/api/v1/mailbox/end-sessions', { address: ALICE.address })).status).toBe(401);
    }
    const rows = await history(wiring);
    expect(rows.filter(({ action }) => action === 'signIn')).toMatchObject([{ actor: 'host:root', outcome: 'done' }]);
    expect(rows.filter(({ action }) => action === 'access')).toMatchObject([{ actor: 'host:root', outcome: 'FORBIDDEN', address: 'carol@mail.test' }]);
  });

  test('a host that does not answer lets nobody in; a name of the configuration is somebody else', async () => {
    const { app } = await start({ decorate: withHost, overrides: { administrators: [{ name: 'root', passwordHash: await hashAdministratorPassword('Root-of-all-1'), domains: ['*'] }] } });
    who = { name: 'root', domains: ['example.test'] };
    const [fromHost, configured] = [await byHost(app), await enterAdmin(app, { name: 'root', password: 'Root-of-all-1' })];
    who = null;
    expect((await call(app, configured, 'GET', '/admin/api/v1/session')).body).toMatchObject({ name: 'root', domains: null });
    expect((await call(app, fromHost, 'GET', '/admin/api/v1/session')).status).toBe(401);
  });

  test('they alone make an Admin Panel; without the ability there is none', async () => {
    const overrides = { accounts: [{ driver: 'sql', url: 'sqlite:/nonexistent/none.db', preset: 'postfixadmin', domains: ['*'] }] };
    const withNobody = await start({ overrides });
    expect((await withNobody.app.inject('/mailbox-password/admin/')).statusCode).toBe(404);
    const { app } = await start({ overrides, decorate: withHost });
    expect((await app.inject('/mailbox-password/admin/')).statusCode).toBe(200);
    who = { name: 'Root', domains: null };
    expect((await byHost(app)).status).toBe(200);
  });
});

test('"Log out from everywhere" alone is as durable as a change: a store that is down is pending, stays owed over a restart, and is done when it is back', async () => {
  let down = true;
  const ended: string[] = [];
  const mail = (wired: Wiring): Wiring => ({ ...wired, stores: [...wired.stores, {
    name: 'mail', channels: ['imap'], list: () => Promise.resolve([]), revoke: () => Promise.resolve(false), check: () => Promise.resolve(), close: () => Promise.resolve(),
    revokeAll: ({ address }) => (down ? Promise.reject(new Error('down')) : (ended.push(address), Promise.resolve({ revoked: { imap: 2 } }))),
  }] });
  const first = await startService({ decorate: mail });
  const [webmail, admin] = [await logIn(first.app, ALICE), await enterAdmin(first.app)];
  const answer = await call(first.app, admin, 'POST', '/admin/api/v1/mailbox/end-sessions', { address: ALICE.address });
  expect([answer.status, answer.body]).toMatchObject([200, { ended: { web: 1 }, pending: ['imap'] }]);
  expect(await alive(first.app, webmail)).toBe(false);
  expect(await first.wiring.outbox.list(10)).toMatchObject([{ store: 'mail', state: 'confirmed', address: ALICE.address }]);
  await first.stop();
  const { app, wiring, worker } = await start({ dataDir: first.dataDir, decorate: mail });
  const later = await logIn(app, ALICE);
  down = false;
  await wiring.outbox.retryNow();
  await worker.runOnce();
  expect(ended).toEqual([ALICE.address]);
  expect(await wiring.outbox.list(10)).toEqual([]);
  // The password is what it was, and who logged in afterwards stays (I2).
  expect(await alive(app, later)).toBe(true);
});
