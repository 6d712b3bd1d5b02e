import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { ModuleError } from '../../../module/errors.ts';
import { csvField } from '../../../server/http/panels/historyCsv.ts';
import { hashAdministratorPassword } from '../../../server/panels/administrators.ts';
import { createPanelSessions } from '../../../server/panels/panelSessions.ts';
import { panelTables, type PanelTables } from '../../../server/panels/tables.ts';
import { openSqlite } from '../../../server/state/sqlite.ts';
import { ALICE, alive, BOB, change, logIn, NEW, startService, tempFolder } from '../../fixtures/service.ts';
import { call, enter, enterAdmin, enterUser, history, type Panel } from './panelClient.ts';

const CAROL = { address: 'carol@mail.test', password: 'Singing-bells-9' };
const KEEPER = { name: 'keeper', password: 'Keeper-of-1-domain' };
const base = '/mailbox-password';
const running: { stop(): Promise<void> }[] = [];

async function start(options: Parameters<typeof startService>[0] = {}) {
  const service = await startService(options);
  running.push(service);
  return service;
}
afterEach(async () => { for (const service of running.splice(0)) await service.stop(); });

const keeperConfig = async () => ({ administrators: [
  { name: KEEPER.name, passwordHash: await hashAdministratorPassword(KEEPER.password), domains: ['example.test'] },
  { name: 'chief', passwordHash: await hashAdministratorPassword('Chief-of-all-1'), domains: ['*'] },
] });

describe('User Panel', () => {
  test('a change ends the webmail, other panel log-ins and its own; the old password is refused', async () => {
    const { app, wiring } = await start();
    const webmail = await logIn(app, ALICE);
    const [one, two, other] = [await enterUser(app, ALICE), await enterUser(app, ALICE), await enterUser(app, BOB)];
    const answer = await call(app, one, 'POST', '/panel/api/v1/password', { currentPassword: ALICE.password, newPassword: NEW });
    expect([answer.status, answer.body]).toMatchObject([200, { revocation: 'done', ended: { web: 3 }, pending: [] }]);
    expect(String(answer.headers['set-cookie'])).toContain('mailbox_user_panel=;');
    expect(await alive(app, webmail)).toBe(false);
    for (const gone of [one, two]) expect((await call(app, gone, 'GET', '/panel/api/v1/session')).status).toBe(401);
    expect((await call(app, other, 'GET', '/panel/api/v1/session')).status).toBe(200);
    expect((await enterUser(app, ALICE)).status).toBe(401);
    expect((await enterUser(app, { ...ALICE, password: NEW })).status).toBe(200);
    expect(await wiring.outbox.list(10)).toEqual([]);
  });

  test('a change in the webmail and a set by an administrator end panel log-ins too', async () => {
    const { app } = await start();
    const [alice, bob] = [await enterUser(app, ALICE), await enterUser(app, BOB)];
    await change(app, await logIn(app, ALICE), { currentPassword: ALICE.password, newPassword: NEW });
    expect((await call(app, alice, 'GET', '/panel/api/v1/session')).status).toBe(401);
    const admin = await enterAdmin(app);
    const { body } = await call(app, admin, 'GET', `/admin/api/v1/mailbox?address=${BOB.address}`);
    expect((await call(app, admin, 'POST', '/admin/api/v1/mailbox/password', { address: BOB.address, newPassword: NEW, passwordVersion: body['passwordVersion'] })).status).toBe(200);
    expect((await call(app, bob, 'GET', '/panel/api/v1/session')).status).toBe(401);
  });

  test('stores are told how long a log-in under way can take: what the look at the password cost; where nobody looked, no less than a dear one', async () => {
    const told: (number | undefined)[] = [];
    const { app } = await start({ decorate: (wiring) => ({ ...wiring, stores: wiring.stores.map((store) => ({ ...store, revokeAll: (request, options) => {
      told.push(request.logInMs);
      return store.revokeAll(request, options);
    } })),
    // A back end that looks and writes in no time.
    accounts: { ...wiring.accounts, setPassword: () => Promise.resolve({ changedAt: null }) } }) });
    const admin = await enterAdmin(app);
    const { body } = await call(app, admin, 'GET', `/admin/api/v1/mailbox?address=${BOB.address}`);
    expect((await call(app, admin, 'POST', '/admin/api/v1/mailbox/password', { address: BOB.address, newPassword: NEW, passwordVersion: body['passwordVersion'] })).status).toBe(200);
    expect(told.length).toBeGreaterThan(0);
    for (const ms of told.splice(0)) expect(ms).toBeGreaterThanOrEqual(100);
    expect((await call(app, admin, 'POST', '/admin/api/v1/mailbox/end-sessions', { address: BOB.address })).status).toBe(200);
    expect(new Set(told)).toEqual(new Set([undefined]));
  });

  test('what the account API says that a look took counts for stores, not the time that a change waited for its turn here; in a set no less than a dear look all the same', async () => {
    const told: (number | undefined)[] = [];
    const { app } = await start({ decorate: (wiring) => ({ ...wiring, stores: wiring.stores.map((store) => ({ ...store, revokeAll: (request, options) => {
      told.push(request.logInMs);
      return store.revokeAll(request, options);
    } })),
    accounts: { ...wiring.accounts,
      verifyPassword: (address, password, options) => { options.took?.(0.25); return wiring.accounts.verifyPassword(address, password, options); },
      changePassword: (address, current, next, options) => { options.took?.(0.125); return wiring.accounts.changePassword(address, current, next, options); },
      setPassword: (address, next, options) => { options.took?.(0.125); return wiring.accounts.setPassword(address, next, options); } } }) });
    expect((await change(app, await logIn(app, ALICE), { currentPassword: ALICE.password, newPassword: NEW })).statusCode).toBe(200);
    expect(new Set(told.splice(0))).toEqual(new Set([0.25]));
    const admin = await enterAdmin(app);
    const { body } = await call(app, admin, 'GET', `/admin/api/v1/mailbox?address=${BOB.address}`);
    expect((await call(app, admin, 'POST', '/admin/api/v1/mailbox/password', { address: BOB.address, newPassword: NEW, passwordVersion: body['passwordVersion'] })).status).toBe(200);
    expect(new Set(told)).toEqual(new Set([100]));
  });

  test('a log-in that began before a change and is written after it does not count', async () => {
    const { app, wiring } = await start();
    const before = wiring.clock.now();
    await change(app, await logIn(app, ALICE), { currentPassword: ALICE.password, newPassword: NEW });
    const { token } = await wiring.panels.sessions.open({ kind: 'user', subject: ALICE.address, credential: '', issuedAt: before, client: '', remoteAddress: '' });
    expect(await wiring.panels.sessions.find('user', token)).toBeNull();
  });

  test('unknown mailbox and wrong password are one answer, in words and in time', async () => {
    const { app } = await start({ overrides: { rateLimit: { wrongPasswordsPerMailbox: { points: 1000, windowSeconds: 900 }, wrongPasswordsPerAddress: { points: 1000, windowSeconds: 900 } } } });
    const took: [number[], number[]] = [[], []];
    for (let n = 0; n < 20; n += 1) {
      for (const [at, address] of [ALICE.address, 'nobody@example.test'].entries()) {
        const since = performance.now();
        const answer = await enter(app, 'panel', { address, password: 'Wrong-one-1' });
        took[at]?.push(performance.now() - since);
        expect([answer.status, answer.body['code'], Object.keys(answer.body).sort()]).toEqual([401, 'CREDENTIALS_WRONG', ['changed', 'code', 'requestId', 'retryable', 'status', 'title', 'type']]);
        expect(answer.cookie).toBe('');
      }
    }
    const [known, unknown] = took.map((times) => times.sort((a, b) => a - b)[10] ?? 0) as [number, number];
    expect(unknown / known).toBeGreaterThan(0.6);
    expect(unknown / known).toBeLessThan(1.6);
  });

  test('wrong log-ins are counted by mailbox and by address; a right one has to wait then too', async () => {
    const { app } = await start();
    for (let n = 0; n < 10; n += 1) expect((await enterUser(app, { ...ALICE, password: `wrong ${String(n)}` })).status).toBe(401);
    expect((await enterUser(app, ALICE)).status).toBe(429);
    expect((await enterUser(app, BOB)).status).toBe(200);
  });

  test('the log-in cookie: HttpOnly, strict, of the API alone; __Host- and secure on https; a session brought along is never taken', async () => {
    const { app } = await start();
    const first = await enterUser(app, ALICE);
    expect(first.raw).toMatch(/^mailbox_user_panel=[\w-]{43}; Path=\/mailbox-password\/panel\/api; HttpOnly; SameSite=Strict$/);
    const fixed = await enter(app, 'panel', ALICE, { cookie: 'mailbox_user_panel=chosen-by-a-thief' });
    expect(fixed.cookie).not.toContain('chosen');
    expect((await call(app, { cookie: 'mailbox_user_panel=chosen-by-a-thief', csrf: '' }, 'GET', '/panel/api/v1/session')).status).toBe(401);
    const rotated = await enter(app, 'panel', ALICE, { cookie: first.cookie });
    expect(rotated.cookie).not.toBe(first.cookie);
    expect((await call(app, first, 'GET', '/panel/api/v1/session')).status).toBe(401);
    expect((await call(app, rotated, 'GET', '/admin/api/v1/session')).status).toBe(401);
    expect((await call(app, { ...rotated, cookie: rotated.cookie.replace('user', 'admin') }, 'GET', '/admin/api/v1/session')).status).toBe(401);
    const admin = await enterAdmin(app);
    expect((await call(app, { ...admin, cookie: admin.cookie.replace('admin', 'user') }, 'GET', '/panel/api/v1/session')).status).toBe(401);
    const secure = await start({ overrides: { server: { port: 0, publicUrl: 'https://mail.example.test' } } });
    expect((await enterUser(secure.app, ALICE)).raw).toMatch(/^__Host-mailbox_user_panel=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
  });

  test('idle and absolute limits', async () => {
    let now = 1_000_000;
    const database = openSqlite<PanelTables>(join(tempFolder(), 'panels.db'));
    await panelTables(database);
    await panelTables(database);
    const limits = { idleSeconds: 60, absoluteSeconds: 200 };
    const sessions = createPanelSessions(database, { now: () => now }, { user: limits, admin: limits });
    const open = async (kind: 'user' | 'admin') => (await sessions.open({ kind, subject: ALICE.address, credential: '', issuedAt: now, client: '', remoteAddress: '' })).token;
    for (const kind of ['user', 'admin'] as const) {
      const token = await open(kind);
      for (let n = 0; n < 3; n += 1) {
        now += 50_000;
        expect(await sessions.find(kind, token)).not.toBeNull();
      }
      now += 51_000;
      expect(await sessions.find(kind, token)).toBeNull();
      const idle = await open(kind);
      now += 61_000;
      expect(await sessions.find(kind, idle)).toBeNull();
    }
    await database.destroy();
  });

  test('a replay after log-out is refused', async () => {
    const { app } = await start();
    const out = await enterUser(app, ALICE);
    expect((await call(app, out, 'POST', '/panel/api/v1/logout', {})).status).toBe(200);
    expect((await call(app, out, 'GET', '/panel/api/v1/session')).status).toBe(401);
    expect((await call(app, out, 'POST', '/panel/api/v1/password', { currentPassword: ALICE.password, newPassword: NEW })).status).toBe(401);
  });

  test('without the CSRF token, or from another site, nothing is changed', async () => {
    const { app } = await start();
    const [user, admin] = [await enterUser(app, ALICE), await enterAdmin(app)];
    const codes = [];
    for (const [panel, path, payload] of [
      [user, '/panel/api/v1/password', { currentPassword: ALICE.password, newPassword: NEW }], [user, '/panel/api/v1/devices/end-many', { which: 'all' }], [user, '/panel/api/v1/logout', {}],
      [admin, '/admin/api/v1/mailbox/password', { address: BOB.address, newPassword: NEW, passwordVersion: null }], [admin, '/admin/api/v1/mailbox/end-sessions', { address: BOB.address }],
    ] as const) {
      for (const csrf of ['', 'x'.repeat(32), user === panel ? admin.csrf : user.csrf]) codes.push((await call(app, { ...panel, csrf }, 'POST', path, payload)).body['code']);
      codes.push((await call(app, panel, 'POST', path, payload, { origin: 'https://evil.test' })).body['code']);
    }
    expect(new Set(codes)).toEqual(new Set(['CSRF_TOKEN_INVALID', 'ORIGIN_NOT_ALLOWED']));
    expect((await enterUser(app, ALICE)).status).toBe(200);
    expect((await enter(app, 'panel', ALICE, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  });

  test('the pages cannot be framed, hold no script of their own, and are kept by no cache', async () => {
    const { app } = await start();
    for (const path of ['panel', 'admin']) {
      const page = await app.inject(`${base}/${path}/`);
      expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect(page.headers['content-security-policy']).not.toContain('unsafe');
      expect(page.headers['x-frame-options']).toBe('DENY');
      expect(page.headers['cache-control']).toBe('no-store');
      expect(page.body).not.toMatch(/<script>|<style|\sstyle=|\son\w+=/);
      expect((await app.inject(`${base}/${path}`)).headers.location).toBe(`${base}/${path}/`);
    }
    const user = await enterUser(app, ALICE);
    expect((await call(app, user, 'GET', '/panel/api/v1/session')).headers['cache-control']).toBe('no-store');
    const texts = async (path: string) => Object.keys((await app.inject(`${base}/locales/${path}nl.json`)).json<object>());
    expect((await texts('section/')).filter((key) => /anel\./.test(key))).toEqual([]);
    expect((await texts('user-panel/')).some((key) => key.startsWith('adminPanel.'))).toBe(false);
    expect((await texts('admin-panel/')).some((key) => key.startsWith('userPanel.'))).toBe(false);
    expect((await app.inject(`${base}/locales/other/nl.json`)).statusCode).toBe(404);
  });

  test('devices: only those of this mailbox; a store that does not answer is named and hides no other', async () => {
    const { app, wiring } = await start({ decorate: (wired) => ({ ...wired, stores: [...wired.stores, {
      name: 'mail', channels: ['imap'], list: () => Promise.reject(new ModuleError('SESSIONS_UNAVAILABLE')), revoke: () => Promise.resolve(false),
      revokeAll: () => Promise.reject(new ModuleError('SESSIONS_UNAVAILABLE')), check: () => Promise.resolve(), close: () => Promise.resolve(),
    }] }) });
    await logIn(app, ALICE);
    const bobs = await logIn(app, BOB);
    const [alice, bob] = [await enterUser(app, ALICE), await enterUser(app, BOB)];
    const list = await call(app, alice, 'GET', '/panel/api/v1/devices');
    const devices = list.body['devices'] as unknown as { id: string; store: string; current: boolean }[];
    expect(devices).toHaveLength(2);
    expect(devices.filter(({ current }) => current)).toHaveLength(1);
    expect(list.body['unavailable']).toEqual(['imap']);
    // An id of somebody else's device ends nothing.
    const others = await wiring.stores[0]?.list(BOB.address, { signal: AbortSignal.timeout(1000) });
    expect((await call(app, alice, 'POST', '/panel/api/v1/devices/end', { store: 'web', id: others?.[0]?.id ?? '' })).body['ended']).toEqual({});
    expect(await alive(app, bobs)).toBe(true);
    // All: what did not answer is owed, and retried.
    const all = await call(app, alice, 'POST', '/panel/api/v1/devices/end-many', { which: 'all' });
    // The webmail, and the panel itself.
    expect(all.body).toMatchObject({ ended: { web: 2 }, pending: ['imap'] });
    expect(await wiring.outbox.list(10)).toMatchObject([{ store: 'mail', state: 'confirmed', address: ALICE.address }]);
    expect((await call(app, alice, 'GET', '/panel/api/v1/session')).status).toBe(401);
    expect((await call(app, bob, 'GET', '/panel/api/v1/session')).status).toBe(200);
  });

  test('devices: where a store can end no single session that is said, and not to try again in a few minutes', async () => {
    const { app, wiring } = await start({ decorate: (wired) => ({ ...wired, stores: [...wired.stores, {
      name: 'mail', channels: ['imap'], list: () => Promise.resolve([{ id: 'one', channel: 'imap', client: null, remoteAddress: null, issuedAt: null, lastSeenAt: null }]),
      revoke: (_address, id) => Promise.reject(new ModuleError(id === 'one' ? 'OPERATION_NOT_SUPPORTED' : 'SESSIONS_UNAVAILABLE')),
      revokeAll: () => Promise.resolve({ revoked: {} }), check: () => Promise.resolve(), close: () => Promise.resolve(),
    }] }) });
    const alice = await enterUser(app, ALICE);
    const ended = await call(app, alice, 'POST', '/panel/api/v1/devices/end', { store: 'mail', id: 'one' });
    expect([ended.status, ended.body]).toMatchObject([501, { code: 'OPERATION_NOT_SUPPORTED' }]);
    expect((await wiring.audit.read({ domains: null, address: ALICE.address, cursor: null, limit: 1 })).events).toMatchObject([{ action: 'revoke', outcome: 'OPERATION_NOT_SUPPORTED' }]);
  });
});

describe('Admin Panel', () => {
  test('lists, sets, logs out; the same policy; every set logs out from everywhere and stands in the history', async () => {
    const { app, wiring } = await start();
    const webmail = await logIn(app, CAROL);
    const panel = await enterUser(app, CAROL);
    const admin = await enterAdmin(app);
    expect((await call(app, admin, 'GET', '/admin/api/v1/domains?search=')).body['domains']).toEqual(['example.test', 'mail.test']);
    expect((await call(app, admin, 'GET', '/admin/api/v1/mailboxes?domain=mail.test')).body['mailboxes']).toMatchObject([{ address: CAROL.address, enabled: true }]);
    expect((await call(app, admin, 'POST', '/admin/api/v1/mailboxes/sessions', { addresses: [CAROL.address, BOB.address] })).body['counts']).toEqual({ [CAROL.address]: 2, [BOB.address]: 0 });
    const { body } = await call(app, admin, 'GET', `/admin/api/v1/mailbox?address=${CAROL.address}`);
    const set = (newPassword: string) => call(app, admin, 'POST', '/admin/api/v1/mailbox/password', { address: CAROL.address, newPassword, passwordVersion: body['passwordVersion'] });
    expect((await set('short')).body).toMatchObject({ code: 'PASSWORD_REJECTED' });
    expect((await set('Carol-is-here-1')).body).toMatchObject({ fields: [{ field: 'newPassword', code: 'PASSWORD_CONTAINS_ADDRESS' }] });
    // As many as the list of mailboxes has counted: the webmail and the User Panel.
    expect((await set(NEW)).body).toMatchObject({ revocation: 'done', ended: { web: 2 } });
    expect(await alive(app, webmail)).toBe(false);
    expect((await call(app, panel, 'GET', '/panel/api/v1/session')).status).toBe(401);
    expect((await logIn(app, { ...CAROL, password: NEW })).status).toBe(200);
    expect(await wiring.outbox.list(10)).toEqual([]);
    const rows = await history(wiring);
    expect(rows.find(({ action }) => action === 'set')).toMatchObject({ actor: 'admin', actorKind: 'administrator', address: CAROL.address, outcome: 'done', ended: { web: 2 } });
    expect(JSON.stringify(rows)).not.toContain(NEW);
  });

  test('two administrators at once: one is done, the other is told that it changed meanwhile', async () => {
    const { app } = await start();
    const [one, two] = [await enterAdmin(app), await enterAdmin(app)];
    const version = async (panel: Panel) => (await call(app, panel, 'GET', `/admin/api/v1/mailbox?address=${BOB.address}`)).body['passwordVersion'];
    const set = async (panel: Panel, newPassword: string, passwordVersion: unknown) => call(app, panel, 'POST', '/admin/api/v1/mailbox/password', { address: BOB.address, newPassword, passwordVersion });
    const versions = [await version(one), await version(two)];
    expect(versions[0]).not.toBe(versions[1]);
    const answers = await Promise.all([set(one, NEW, versions[0]), set(two, 'Other!Harvest43', versions[1])]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ code: 'ACCOUNT_CHANGED_MEANWHILE', changed: 'no' });
    const late = answers[0].status === 409 ? one : two;
    expect((await set(late, 'Third!Harvest44', versions[late === one ? 0 : 1])).body).toMatchObject({ code: 'ACCOUNT_CHANGED_MEANWHILE' });
    expect((await set(late, 'Third!Harvest44', null)).body).toMatchObject({ code: 'ACCOUNT_CHANGED_MEANWHILE' });
    expect((await set(late, 'Third!Harvest44', await version(late))).status).toBe(200);
  });

  test('a domain administrator tries to reach another domain: 403 and an audit row each, and nothing has changed', async () => {
    const { app, wiring } = await start({ overrides: await keeperConfig() });
    const webmail = await logIn(app, CAROL);
    const keeper = await enterAdmin(app, KEEPER);
    const chief = await enterAdmin(app, { name: 'chief', password: 'Chief-of-all-1' });
    for (let n = 0; n < 60; n += 1) {
      await wiring.audit.append({ at: n, requestId: randomUUID(), action: 'change', actor: CAROL.address, actorKind: 'owner', address: CAROL.address, remoteAddress: '', userAgent: '', outcome: 'done', ended: {} });
    }
    const foreignCursor = String((await call(app, chief, 'GET', '/admin/api/v1/history?mailbox=carol')).body['nextCursor']);
    expect(foreignCursor).toContain('.');
    const q = encodeURIComponent;
    const set = { newPassword: NEW, passwordVersion: null };
    const tries: [string, 'GET' | 'POST', string, object?][] = [
      ['mailbox by its address', 'GET', `/admin/api/v1/mailbox?address=${CAROL.address}`],
      ['in capitals and with a dot', 'GET', `/admin/api/v1/mailbox?address=${q('carol@MAIL.test.')}`],
      ['behind an address of the own domain', 'GET', `/admin/api/v1/mailbox?address=${q('bob@example.test@mail.test')}`],
      ['before an address of the own domain', 'GET', `/admin/api/v1/mailbox?address=${q('carol@mail.test,bob@example.test')}`],
      ['the list of the domain', 'GET', '/admin/api/v1/mailboxes?domain=mail.test'],
      ['the list by a wildcard', 'GET', '/admin/api/v1/mailboxes?domain=%25'],
      ['the search', 'GET', `/admin/api/v1/mailboxes?domain=example.test&search=${q('carol@mail.test')}`],
      ['a cursor of somebody else', 'GET', `/admin/api/v1/mailboxes?domain=example.test&cursor=${q(foreignCursor)}`],
      ['a cursor of his own making', 'GET', `/admin/api/v1/domains?cursor=${q(`${Buffer.from('m').toString('base64url')}.forged`)}`],
      ['the history of the mailbox', 'GET', `/admin/api/v1/history?mailbox=${q(CAROL.address)}`],
      ['the history by a foreign cursor', 'GET', `/admin/api/v1/history?cursor=${q(foreignCursor)}`],
      ['the history as CSV', 'GET', `/admin/api/v1/history.csv?mailbox=${q(CAROL.address)}`],
      ['how often it is logged in', 'POST', '/admin/api/v1/mailboxes/sessions', { addresses: [BOB.address, CAROL.address] }],
      ['a new password', 'POST', '/admin/api/v1/mailbox/password', { address: CAROL.address, ...set }],
      ['a new password with a body that is wrong besides', 'POST', '/admin/api/v1/mailbox/password', { address: CAROL.address }],
      ['a log-out', 'POST', '/admin/api/v1/mailbox/end-sessions', { address: CAROL.address }],
    ];
    for (const [name, method, path, payload] of tries) {
      const before = (await history(wiring)).filter(({ action }) => action === 'access').length;
      const answer = await call(app, keeper, method, path, payload);
      expect([name, answer.status, answer.body['code']]).toEqual([name, 403, 'FORBIDDEN']);
      expect(answer.text).not.toContain('Carol');
      const after = (await history(wiring)).filter(({ action }) => action === 'access');
      expect([name, after.length]).toEqual([name, before + 1]);
      expect(after[0]).toMatchObject({ actor: 'keeper', actorKind: 'administrator', outcome: 'FORBIDDEN' });
    }
    expect((await call(app, keeper, 'GET', '/admin/api/v1/mailboxes?domain=example.test&domain=mail.test')).status).toBe(422);
    expect(await alive(app, webmail)).toBe(true);
    expect((await logIn(app, CAROL)).status).toBe(200);
    // What is his own he may, and no more is shown than that.
    expect((await call(app, keeper, 'GET', '/admin/api/v1/domains?search=test')).body['domains']).toEqual(['example.test']);
    expect((await call(app, keeper, 'GET', '/admin/api/v1/mailboxes?domain=EXAMPLE.test')).body['mailboxes']).toHaveLength(2);
    for (const path of ['history', 'history.csv']) {
      const own = await call(app, keeper, 'GET', `/admin/api/v1/${path}`);
      expect(own.status).toBe(200);
      expect(own.text).not.toContain(`"${CAROL.address}"`);
      expect(own.text).not.toContain('chief');
    }
  });

  test('an alias of the own domain that leads to a mailbox of another is refused', async () => {
    const { app } = await start({ overrides: await keeperConfig(), decorate: (wired) => ({ ...wired, accounts: { ...wired.accounts,
      find: (address, options) => wired.accounts.find(address === 'alias@example.test' ? CAROL.address : address, options) } }) });
    const keeper = await enterAdmin(app, KEEPER);
    expect((await call(app, keeper, 'POST', '/admin/api/v1/mailbox/end-sessions', { address: 'alias@example.test' })).status).toBe(403);
    expect((await call(app, keeper, 'GET', '/admin/api/v1/mailbox?address=alias@example.test')).status).toBe(403);
  });

  test('an administrator who is no longer configured, or has another hash, is logged out', async () => {
    const overrides = await keeperConfig();
    const first = await startService({ overrides });
    const [keeper, chief] = [await enterAdmin(first.app, KEEPER), await enterAdmin(first.app, { name: 'chief', password: 'Chief-of-all-1' })];
    await first.stop();
    const [own] = overrides.administrators;
    const { app } = await start({ dataDir: first.dataDir, overrides: { administrators: [{ ...own, passwordHash: await hashAdministratorPassword('Another-one-2') }] } });
    for (const panel of [keeper, chief]) expect((await call(app, panel, 'GET', '/admin/api/v1/session')).status).toBe(401);
  });

  test('wrong log-ins are counted; an unknown name and a wrong password are one answer', async () => {
    const { app, wiring } = await start();
    const wrong = [];
    for (let n = 0; n < 5; n += 1) wrong.push(await enterAdmin(app, { name: 'admin', password: 'x' }), await enterAdmin(app, { name: 'nobody', password: 'x' }));
    expect(new Set(wrong.map(({ status, body }) => `${String(status)} ${String(body['code'])}`))).toEqual(new Set(['401 CREDENTIALS_WRONG']));
    for (let n = 0; n < 5; n += 1) await enterAdmin(app, { name: 'ADMIN', password: 'x' });
    expect((await enterAdmin(app)).status).toBe(429);
    expect((await history(wiring)).filter(({ action, outcome }) => action === 'signIn' && outcome === 'CREDENTIALS_WRONG')).toHaveLength(15);
  });

  test('an unknown administrator takes as long as a wrong password', async () => {
    const { app } = await start({ overrides: { rateLimit: { wrongPasswordsPerMailbox: { points: 1000, windowSeconds: 900 }, wrongPasswordsPerAddress: { points: 1000, windowSeconds: 900 } } } });
    const took: Record<string, number[]> = { admin: [], nobody: [] };
    for (let n = 0; n < 15; n += 1) {
      for (const name of ['admin', 'nobody']) {
        const since = performance.now();
        await enterAdmin(app, { name, password: 'x' });
        took[name]?.push(performance.now() - since);
      }
    }
    const median = (name: string): number => took[name]?.sort((a, b) => a - b)[7] ?? 0;
    expect(median('nobody') / median('admin')).toBeGreaterThan(0.6);
    expect(median('nobody') / median('admin')).toBeLessThan(1.6);
  });

  test('a known password opens no real mailboxes: without an administrator of its own there is no Admin Panel', async () => {
    const { app } = await start({ overrides: { panels: { admin: { enabled: false } } } });
    expect((await app.inject(`${base}/admin/`)).statusCode).toBe(404);
    expect((await app.inject({ method: 'POST', url: `${base}/admin/api/v1/login`, payload: {} })).statusCode).toBe(404);
    const configured = await start({ overrides: await keeperConfig() });
    expect((await enterAdmin(configured.app)).status).toBe(401);
  });

  test('maintenance: nothing is set; logging out still works', async () => {
    const { app } = await start({ overrides: { readOnly: true } });
    const admin = await enterAdmin(app);
    expect((await call(app, admin, 'POST', '/admin/api/v1/mailbox/password', { address: BOB.address, newPassword: NEW, passwordVersion: null })).body).toMatchObject({ code: 'READ_ONLY' });
    expect((await call(app, admin, 'POST', '/admin/api/v1/mailbox/end-sessions', { address: BOB.address })).status).toBe(200);
  });

  test('the history: filters, pages without gaps or doubles, and a CSV that no spreadsheet runs', async () => {
    const { app, wiring } = await start();
    for (let n = 0; n < 130; n += 1) {
      await wiring.audit.append({
        at: 1_000_000 + Math.floor(n / 3), requestId: randomUUID(), action: 'change', actor: '=1+1', actorKind: 'owner', address: `user${String(n)}@example.test`,
        remoteAddress: '10.0.0.1', userAgent: '@SUM(1)"\r\nnew line', outcome: n % 2 === 0 ? 'done' : 'CURRENT_PASSWORD_WRONG', ended: { web: n },
      });
    }
    const admin = await enterAdmin(app);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof call>> = await call(app, admin, 'GET', `/admin/api/v1/history?administrator=${encodeURIComponent('=1+1')}${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
      seen.push(...(page.body['events'] as unknown as { address: string }[]).map(({ address }) => address));
      cursor = page.body['nextCursor'] as unknown as string | null;
    } while (cursor !== null);
    expect([seen.length, new Set(seen).size]).toEqual([130, 130]);
    const count = async (query: string) => ((await call(app, admin, 'GET', `/admin/api/v1/history?${query}`)).body['events'] as unknown as unknown[]).length;
    expect(await count('mailbox=user77')).toBe(1);
    expect(await count('mailbox=user_7')).toBe(0);
    expect(await count('outcome=refused&mailbox=user1')).toBe(21);
    expect(await count('from=1000000&to=1000002')).toBe(6);
    expect(await count('outcome=refused&to=1000001')).toBe(1);
    const { text, headers } = await call(app, admin, 'GET', '/admin/api/v1/history.csv');
    expect(headers['content-disposition']).toBe('attachment; filename="history.csv"');
    expect(text.startsWith('\uFEFF"time"')).toBe(true);
    expect(text).toContain(`"'=1+1"`);
    expect(text).toContain(`"'@SUM(1)""`);
    expect(text).not.toMatch(/(^|,|\n)"[=+\-@\t]/);
  });

  test.each([['=1', `"'=1"`], ['+1', `"'+1"`], ['-1', `"'-1"`], ['@a', `"'@a"`], ['\ta', `"'\ta"`], ['\ra', `"'\ra"`], ['a"b', '"a""b"'], ['a=1', '"a=1"'], ['', '""']])('CSV field %j', (value, field) => {
    expect(csvField(value)).toBe(field);
  });
});
