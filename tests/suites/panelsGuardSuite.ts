import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Channel } from '../../module/channels.ts';
import { ModuleError } from '../../module/errors.ts';
import type { Session } from '../../server/ports/sessionStore.ts';
import type { Wiring } from '../../server/wiring.ts';
import { makeCertificate } from '../fixtures/certificate.ts';
import { CAROL, CHIEF, KEEPER, MANY, type Wired } from '../fixtures/panelWorlds.ts';
import { ALICE, BOB, NEW, startService } from '../fixtures/service.ts';
import { CHROMIUM } from './panelsSuite.ts';

const API = '/mailbox-password';
const MINUTE = 60_000;

/** What of both panels takes a service whose clock, stores and configuration the test holds: limits, scopes, what is owed, maintenance, many of everything. */
export function panelsGuardSuite(start: () => Promise<Wired>): void {
  let wired: Wired;
  let service: Awaited<ReturnType<typeof startService>>;
  let url: string;
  let browser: Browser;
  /** Milliseconds by which this machine's clock is ahead. */
  let ahead = 0;
  /** Of the mail server: who is connected, by mailbox; and whether it answers. */
  let connected: Record<string, Session[]> = {};
  let away = false;
  let mutable: { readOnly: boolean } | undefined;

  const answers = (): void => { if (away) throw new ModuleError('SESSIONS_UNAVAILABLE'); };
  const decorate = (wiring: Wiring): Wiring => {
    const config = { ...wiring.config };
    mutable ??= config;
    return { ...wiring, config, stores: [...wiring.stores, {
      name: 'mail', channels: ['imap', 'pop3', 'submission', 'activesync'], check: () => Promise.resolve(), close: () => Promise.resolve(),
      list: (address) => Promise.resolve().then(() => { answers(); return connected[address] ?? []; }),
      revoke: (address, id) => Promise.resolve().then(() => {
        answers();
        const before = connected[address] ?? [];
        connected[address] = before.filter((session) => session.id !== id);
        return before.some((session) => session.id === id);
      }),
      revokeAll: ({ address, issuedBefore }) => Promise.resolve().then(() => {
        answers();
        const gone = (connected[address] ?? []).filter(({ issuedAt }) => (issuedAt ?? 0) < issuedBefore);
        connected[address] = (connected[address] ?? []).filter((session) => !gone.includes(session));
        return { revoked: Object.fromEntries([...new Set(gone.map(({ channel }) => channel))].map((channel): [Channel, number] => [channel, gone.filter((one) => one.channel === channel).length])) };
      }),
    }] };
  };
  const serve = async (overrides: object = {}) => {
    const started = await startService({ overrides: { ...(await wired.overrides()), ...overrides }, decorate, system: () => Date.now() + ahead });
    await started.app.listen({ host: '127.0.0.1', port: 0 });
    return { ...started, url: `http://127.0.0.1:${String((started.app.server.address() as AddressInfo).port)}` };
  };

  beforeAll(async () => {
    wired = await start();
    service = await serve({ panels: { user: { absoluteSeconds: 1_800 }, admin: { absoluteSeconds: 1_800 } } });
    ({ url } = service as typeof service & { url: string });
    await wired.fill(service.dataDir);
    browser = await chromium.launch(CHROMIUM);
  }, 180_000);
  afterAll(async () => {
    await browser.close();
    await service.stop();
    await wired.stop();
  }, 60_000);
  afterEach(() => {
    ahead = 0;
    away = false;
    connected = {};
  });

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const page = await (await browser.newContext({ locale: 'en-GB', ...options })).newPage();
    page.setDefaultTimeout(15_000);
    return page;
  }
  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
  const box = (page: Page, label: string) => page.getByRole('textbox', { name: label, exact: true });
  async function logIn(page: Page, panel: 'panel' | 'admin', name: string, password: string, at = url): Promise<void> {
    await page.goto(`${at}/${panel}/`);
    await page.getByLabel(panel === 'panel' ? 'E-mail address' : 'Administrator').fill(name);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await button(page, 'Log in').click();
  }
  const logInAdmin = (page: Page) => logIn(page, 'admin', CHIEF.name, CHIEF.password);
  async function chooseDomain(page: Page, domain: string): Promise<void> {
    await page.getByLabel('Select Domain').fill(domain);
    await page.getByRole('option', { name: domain, exact: true }).click();
  }
  /** Back from another tab. */
  const comeBack = (page: Page) => page.evaluate(() => { window.dispatchEvent(new Event('focus')); });

  test('a log-in ends by itself: fifteen minutes without a click, half an hour whatever one does; both panels say so', async () => {
    for (const panel of ['panel', 'admin'] as const) {
      const enter = async (): Promise<Page> => {
        const page = await open();
        await (panel === 'panel' ? logIn(page, 'panel', BOB.address, BOB.password) : logInAdmin(page));
        await button(page, 'Log out').first().waitFor();
        return page;
      };
      const ask = async (page: Page): Promise<void> => {
        if (panel === 'panel') await button(page, 'Devices').click();
        else await page.getByRole('tab', { name: 'History' }).click();
      };
      const back = async (page: Page): Promise<void> => {
        if (panel === 'panel') await button(page, 'Password').click();
        else await page.getByRole('tab', { name: 'Users' }).click();
      };
      const shows = (page: Page) => (panel === 'panel' ? page.getByText('this one') : page.locator('.history tbody tr').first()).waitFor();
      const [idle, busy] = [await enter(), await enter()];
      for (let n = 0; n < 2; n += 1) {
        ahead += 14 * MINUTE;
        await ask(busy);
        await shows(busy);
        await back(busy);
      }
      await ask(idle);
      await idle.getByText('You have been logged out.').waitFor();
      ahead += 3 * MINUTE;
      await ask(busy);
      await busy.getByText('You have been logged out.').waitFor();
      ahead = 0;
      for (const page of [idle, busy]) await page.context().close();
    }
  }, 120_000);

  test('every log-in makes a new session: the one before is worth nothing, and what other panels know is no secret of this one', async () => {
    for (const [panel, name, who, password] of [['panel', 'mailbox_user_panel', BOB.address, BOB.password], ['admin', 'mailbox_admin_panel', CHIEF.name, CHIEF.password]] as const) {
      const page = await open();
      const cookie = async () => (await page.context().cookies()).filter((one) => one.name === name);
      await logIn(page, panel, who, password);
      await button(page, 'Log out').first().waitFor();
      const [first] = await cookie();
      expect(first).toMatchObject({ httpOnly: true, sameSite: 'Strict', secure: false, path: `${API}/${panel}/api`, expires: -1 });
      await page.context().addCookies([{ ...(first as NonNullable<typeof first>), value: 'chosen-by-a-thief' }]);
      await logIn(page, panel, who, password);
      await button(page, 'Log out').first().waitFor();
      const [second] = await cookie();
      expect(['chosen-by-a-thief', first?.value]).not.toContain(second?.value);
      // Logged in once more in the same browser: what was there before has ended.
      await page.evaluate(async ([at, whoever, secret]) => fetch(`${at}/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ [at.includes('admin') ? 'name' : 'address']: whoever, password: secret }) }), [`${API}/${panel}/api/v1`, who, password] as const);
      const [third] = await cookie();
      expect(third?.value).not.toBe(second?.value);
      await page.context().addCookies([second as NonNullable<typeof second>]);
      await page.reload();
      await button(page, 'Log in').waitFor();
      // Replay after log-out.
      await page.context().addCookies([third as NonNullable<typeof third>]);
      await page.reload();
      await button(page, 'Log out').first().click();
      await page.getByText('You have been logged out.').waitFor();
      await page.context().addCookies([third as NonNullable<typeof third>]);
      await page.reload();
      await button(page, 'Log in').waitFor();
      await page.context().close();
    }
  }, 90_000);

  describe('on https', () => {
    let proxy: TlsServer;
    let secure: Awaited<ReturnType<typeof serve>>;
    let at: string;
    beforeAll(async () => {
      const { certificate, key, remove } = makeCertificate();
      let target = '';
      proxy = createTlsServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (incoming, outgoing) => {
        const onward = request(target + (incoming.url ?? ''), { method: incoming.method, headers: incoming.headers }, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        });
        incoming.pipe(onward);
      });
      await new Promise<void>((resolve) => { proxy.listen(0, '127.0.0.1', resolve); });
      remove();
      at = `https://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`;
      secure = await serve({ server: { port: 0, publicUrl: at } });
      target = secure.url;
    }, 60_000);
    afterAll(async () => {
      proxy.closeAllConnections();
      proxy.close();
      await secure.stop();
    });

    test('the cookies of both panels are __Host-, secure, of this host and the whole of it', async () => {
      const page = await open({ ignoreHTTPSErrors: true });
      await logIn(page, 'panel', BOB.address, BOB.password, at);
      await button(page, 'Change').waitFor();
      await logIn(page, 'admin', CHIEF.name, CHIEF.password, at);
      await page.getByRole('tab', { name: 'Users' }).waitFor();
      expect((await page.context().cookies()).map(({ name, path, secure: https, httpOnly, sameSite }) => [name, path, https, httpOnly, sameSite]).sort()).toEqual([
        ['__Host-mailbox_admin_panel', '/', true, true, 'Strict'], ['__Host-mailbox_user_panel', '/', true, true, 'Strict'],
      ]);
      await page.context().close();
    }, 60_000);
  });

  describe('wrong log-ins', () => {
    let strict: Awaited<ReturnType<typeof serve>>;
    beforeAll(async () => {
      strict = await serve({ panels: { user: { reauthenticateAfterSeconds: 0 } }, rateLimit: { wrongPasswordsPerMailbox: { points: 3, windowSeconds: 900 }, wrongPasswordsPerAddress: { points: 8, windowSeconds: 900 } } });
    }, 60_000);
    afterAll(async () => { await strict.stop(); });

    test('the current password is asked for at once where the operator wants it so', async () => {
      const page = await open();
      await logIn(page, 'panel', BOB.address, BOB.password, strict.url);
      await box(page, 'Current password').waitFor();
      await page.context().close();
    }, 60_000);

    test('are counted by mailbox, by name and by address; the page says how long to wait', async () => {
      const page = await open();
      const tries = async (panel: 'panel' | 'admin', name: string, count: number): Promise<void> => {
        for (let n = 0; n < count; n += 1) {
          await logIn(page, panel, name, `Wrong-${String(n)}`, strict.url);
          await page.getByText(panel === 'panel' ? 'The e-mail address or the password is wrong.' : 'The name or the password is wrong.').waitFor();
        }
      };
      await tries('panel', ALICE.address, 3);
      await logIn(page, 'panel', ALICE.address, ALICE.password, strict.url);
      await page.getByText('Too many tries. Nothing was changed.').waitFor();
      await tries('admin', CHIEF.name, 3);
      await logIn(page, 'admin', CHIEF.name, CHIEF.password, strict.url);
      await page.getByText('Too many tries. Nothing was changed.').waitFor();
      // Another mailbox still may, until the address itself has tried too often.
      await tries('panel', 'nobody@example.test', 2);
      await logIn(page, 'panel', BOB.address, BOB.password, strict.url);
      await page.getByText('Too many tries. Nothing was changed.').waitFor();
      await page.context().close();
    }, 90_000);
  });

  test('unknown mailbox and wrong password: the same words, the same work', async () => {
    const generous = await serve({ rateLimit: { wrongPasswordsPerMailbox: { points: 1_000, windowSeconds: 900 }, wrongPasswordsPerAddress: { points: 1_000, windowSeconds: 900 } } });
    const page = await open();
    await page.goto(`${generous.url}/panel/`);
    await button(page, 'Log in').waitFor();
    const { took, words } = await page.evaluate(async ([path, known]) => {
      const times: [number[], number[]] = [[], []];
      const said = new Set<string>();
      for (let n = 0; n < 25; n += 1) {
        for (const [which, address] of [known, 'nobody@example.test'].entries()) {
          const since = performance.now();
          const answer = await fetch(`${path}/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ address, password: 'Wrong-one-1' }) });
          const rest = { ...((await answer.json()) as Record<string, unknown>), requestId: '' };
          times[which]?.push(performance.now() - since);
          said.add(`${String(answer.status)} ${JSON.stringify(rest)} ${[...answer.headers.keys()].sort().join()}`);
        }
      }
      return { took: times, words: [...said] };
    }, [`${API}/panel/api/v1`, ALICE.address] as const);
    expect(words).toHaveLength(1);
    const median = (times: number[]): number => times.sort((a, b) => a - b)[12] ?? 0;
    expect(median(took[1]) / median(took[0])).toBeGreaterThan(0.6);
    expect(median(took[1]) / median(took[0])).toBeLessThan(1.6);
    await page.context().close();
    await generous.stop();
  }, 120_000);

  const KINDS: readonly [Channel, string][] = [['imap', 'E-mail programs (IMAP)'], ['pop3', 'E-mail programs (POP)'], ['submission', 'Sending mail (SMTP)'], ['activesync', 'Phones (ActiveSync)']];
  const everyKind = (): Session[] => KINDS.map(([channel], n) => ({ id: `d${String(n)}`, channel, client: `Program ${String(n)}`, remoteAddress: `192.0.2.${String(n + 1)}`, issuedAt: Date.now() - 3 * 3_600_000, lastSeenAt: Date.now() - 5 * MINUTE }));

  test('Devices: every kind with its client, address, since and last seen; one ends, the others end, all end', async () => {
    connected[ALICE.address] = everyKind();
    const page = await open();
    await logIn(page, 'panel', ALICE.address, ALICE.password);
    await button(page, 'Devices').click();
    await page.getByText('this one').waitFor();
    for (const [n, [, name]] of KINDS.entries()) {
      const row = page.locator('.devices li').filter({ hasText: name });
      for (const text of [`Program ${String(n)}`, `192.0.2.${String(n + 1)}`, 'Since', 'Last seen', '5 minutes ago']) await row.getByText(text).first().waitFor();
    }
    expect(await page.locator('.devices li').count()).toBe(5);
    await button(page, 'Log out: Phones (ActiveSync): Program 3').click();
    await page.getByText('Program 3').waitFor({ state: 'detached' });
    expect(connected[ALICE.address]?.map(({ id }) => id)).toEqual(['d0', 'd1', 'd2']);
    await button(page, 'Log out all others').click();
    await page.getByText('Program 0').waitFor({ state: 'detached' });
    expect([connected[ALICE.address], await page.locator('.devices li').count()]).toEqual([[], 1]);
    connected[ALICE.address] = everyKind();
    await button(page, 'Log out from everywhere, here too').click();
    await page.getByText('You have been logged out.').waitFor();
    expect(connected[ALICE.address]).toEqual([]);
    await page.context().close();
  }, 90_000);

  test('a mail server that does not answer: one device is refused in words; "all others" is owed, said so, kept, and done when it is back', async () => {
    connected[ALICE.address] = everyKind();
    const [page, other] = [await open(), await open()];
    for (const each of [page, other]) {
      await logIn(each, 'panel', ALICE.address, ALICE.password);
      await button(each, 'Change').waitFor();
    }
    await button(page, 'Devices').click();
    await page.getByText('Program 0').waitFor();
    connected[ALICE.address]?.push({ id: 'gone', channel: 'imap', client: 'Program gone', remoteAddress: '192.0.2.8', issuedAt: Date.now() - MINUTE, lastSeenAt: null });
    await button(page, 'Password').click();
    await button(page, 'Devices').click();
    await button(page, 'Log out: E-mail programs (IMAP): Program gone').click();
    await page.getByText('Program gone').waitFor({ state: 'detached' });
    await page.getByText('Logged out:').waitFor();
    away = true;
    await button(page, 'Log out: E-mail programs (IMAP): Program 0').click();
    await page.getByText('The list of devices does not answer. Try again in a few minutes. Nothing was changed.').waitFor();
    // Not beside what was said of the one before.
    expect(await page.getByText('Logged out:').count()).toBe(0);
    expect(await service.wiring.outbox.list(10)).toEqual([]);
    await button(page, 'Try again').click();
    await button(page, 'Log out all others').click();
    await page.getByText('Not logged out yet: E-mail programs (IMAP), E-mail programs (POP)').waitFor();
    await page.getByText('We keep trying until it is done.').waitFor();
    expect(await service.wiring.outbox.list(10)).toMatchObject([{ store: 'mail', state: 'confirmed', address: ALICE.address, attempts: 1 }]);
    // What could be ended is; who asked is still here, also over the retry.
    await button(other, 'Devices').click();
    await other.getByText('You have been logged out.').waitFor();
    expect(connected[ALICE.address]).toHaveLength(4);
    away = false;
    const later: Session = { id: 'new', channel: 'imap', client: 'Program new', remoteAddress: '192.0.2.9', issuedAt: Date.now() + MINUTE, lastSeenAt: null };
    connected[ALICE.address]?.push(later);
    await service.wiring.outbox.retryNow();
    await service.worker.runOnce();
    expect(await service.wiring.outbox.list(10)).toEqual([]);
    expect(connected[ALICE.address]).toEqual([later]);
    await button(page, 'Password').click();
    await button(page, 'Devices').click();
    await page.getByText('Program new').waitFor();
    expect(await page.locator('.devices li').count()).toBe(2);
    const rows = (await service.wiring.audit.read({ domains: null, address: ALICE.address, cursor: null, limit: 5 })).events;
    expect(rows.filter(({ action }) => action === 'revoke').slice(0, 2).map(({ outcome }) => outcome)).toEqual(['pending', 'SESSIONS_UNAVAILABLE']);
    for (const each of [page, other]) await each.context().close();
  }, 90_000);

  test(`${String(MANY.domains)} domains by type-ahead, ${String(MANY.mailboxes)} mailboxes as one scrolls; search; what the driver can tell`, async () => {
    await wired.disable(service.dataDir, CAROL.address);
    connected[CAROL.address] = everyKind();
    const page = await open();
    await logInAdmin(page);
    const chooser = page.getByLabel('Select Domain');
    await chooser.click();
    await page.getByRole('option', { name: 'zone00001.test' }).waitFor();
    expect(await page.locator('.chooser li').count()).toBe(50);
    await page.locator('.chooser ul').evaluate((list) => { list.scrollTop = list.scrollHeight; });
    await page.getByRole('option', { name: 'zone00060.test' }).waitFor();
    const since = Date.now();
    await chooser.fill('09999');
    await page.getByRole('option', { name: 'zone09999.test' }).waitFor();
    expect(await page.locator('.chooser li').count()).toBe(1);
    expect(Date.now() - since).toBeLessThan(10_000);
    await chooser.fill('mail');
    await page.getByRole('option', { name: 'mail.test', exact: true }).click();
    const carol = page.getByRole('row', { name: CAROL.address });
    await carol.getByRole('cell', { name: 'Disabled' }).waitFor();
    await carol.getByRole('cell', { name: '4', exact: true }).waitFor();
    const rows = page.locator('.list tbody tr');
    const before = await rows.count();
    await page.mouse.move(400, 400);
    await page.mouse.wheel(0, 20_000);
    await rows.nth(before + 10).waitFor();
    await page.getByLabel('Search mailboxes').fill('user02999');
    await button(page, 'Edit: user02999@mail.test').waitFor();
    await rows.nth(1).waitFor({ state: 'detached' });
    await page.context().close();
  }, 90_000);

  test('a domain administrator tries ten ways and more to reach another domain: 403 and an audit row each; without the token nothing at all', async () => {
    const page = await open();
    await logIn(page, 'admin', KEEPER.name, KEEPER.password);
    await button(page, `Edit: ${BOB.address}`).waitFor();
    expect(await page.getByLabel('Select Domain').inputValue()).toBe('example.test');
    await page.getByLabel('Select Domain').fill('mail');
    await page.getByText('No such domain').waitFor();
    const others = await open();
    await logInAdmin(others);
    await others.getByRole('tab', { name: 'Users' }).waitFor();
    const cursor = await others.evaluate(async (api) => ((await (await fetch(`${api}/domains`)).json()) as { nextCursor: string }).nextCursor, `${API}/admin/api/v1`);
    expect(cursor).toContain('.');
    const refused = async () => (await service.wiring.audit.read({ domains: null, actor: KEEPER.name, outcome: 'refused', cursor: null, limit: 100 })).events.filter(({ action, outcome }) => action === 'access' && outcome === 'FORBIDDEN').length;
    const none = await refused();
    const answered = await page.evaluate(async ([api, address, newPassword, foreign]) => {
      const { csrfToken } = (await (await fetch(`${api}/session`)).json()) as { csrfToken: string };
      const post = async (path: string, body: object, token = csrfToken) => (await fetch(api + path, { method: 'POST', headers: { 'content-type': 'application/json', 'x-csrf-token': token }, body: JSON.stringify(body) })).status;
      const get = async (path: string) => (await fetch(api + path)).status;
      const q = encodeURIComponent;
      return {
        reached: [
          await get(`/mailbox?address=${address}`), await get(`/mailbox?address=${q('CAROL@MAIL.TEST.')}`), await get(`/mailbox?address=${q(`bob@example.test@mail.test`)}`), await get('/mailboxes?domain=mail.test'), await get('/mailboxes?domain=%25'),
          await get(`/mailboxes?domain=example.test&search=${q(address)}`), await get('/mailboxes?domain=example.test&cursor=YQ.forged'), await get(`/domains?cursor=${q(foreign)}`),
          await get(`/history?mailbox=${q(address)}`), await get(`/history.csv?mailbox=${q(address)}`), await get(`/history?cursor=${q(foreign)}`), await post('/mailboxes/sessions', { addresses: [address] }),
          await post('/mailbox/password', { address, newPassword, passwordVersion: null }), await post('/mailbox/end-sessions', { address }), await post('/mailbox/require-change', { address, required: true }),
        ],
        withoutToken: [await post('/mailbox/end-sessions', { address: 'bob@example.test' }, ''), await post('/mailbox/password', { address: 'bob@example.test', newPassword, passwordVersion: null }, 'forged')],
        // There is no way to write to the history.
        history: await Promise.all(['PUT', 'PATCH', 'DELETE', 'POST'].map(async (method) => (await fetch(`${api}/history`, { method, headers: { 'x-csrf-token': csrfToken } })).status)),
      };
    }, [`${API}/admin/api/v1`, CAROL.address, NEW, cursor] as const);
    expect(answered.reached).toEqual(answered.reached.map(() => 403));
    expect(answered.reached).toHaveLength(15);
    expect(answered.withoutToken).toEqual([403, 403]);
    expect(answered.history.every((status) => status === 404 || status === 405)).toBe(true);
    expect(await refused()).toBe(none + 15);
    for (const each of [page, others]) await each.context().close();
  }, 90_000);

  test('a new password asked for at the next login: nothing else is possible until it is chosen; taking it back reads otherwise in the history', async () => {
    const page = await open();
    await logInAdmin(page);
    await chooseDomain(page, 'example.test');
    const mark = page.getByLabel('Ask for a new password at next login');
    await button(page, `Edit: ${BOB.address}`).click();
    await mark.check();
    await button(page, 'New').click();
    const given = await box(page, 'Password').inputValue();
    await button(page, 'Update User').click();
    await page.getByText('The password has been set').waitFor();

    const user = await open();
    await logIn(user, 'panel', BOB.address, given);
    await user.getByText('Your provider asks you to choose a new password.').waitFor();
    expect(await user.locator('.menu button').count()).toBe(1);
    await user.goto(`${url}/panel/#devices`);
    await user.reload();
    await user.getByText('Your provider asks you to choose a new password.').waitFor();
    expect(await user.locator('.devices').count()).toBe(0);
    await box(user, 'Current password').fill(given);
    await button(user, 'Generate password').click();
    const chosen = await box(user, 'Password').inputValue();
    await button(user, 'Change').click();
    await user.getByText('Your password has been changed. Log in with the new one.').waitFor();
    await logIn(user, 'panel', BOB.address, chosen);
    await button(user, 'Devices').click();
    await user.getByText('this one').waitFor();

    // Alone: the password stays, and nobody is logged out.
    await page.keyboard.press('Escape');
    await button(page, `Edit: ${BOB.address}`).click();
    expect(await mark.isChecked()).toBe(false);
    await mark.check();
    await button(page, 'Update User').click();
    await page.getByText('A new password will be asked for at the next log-in. The password was not changed.').waitFor();
    await mark.uncheck();
    await button(page, 'Update User').click();
    await page.getByText('No new password will be asked for.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('tab', { name: 'History' }).click();
    await page.getByLabel('Mailbox').fill(BOB.address);
    await page.getByRole('row', { name: /New password no longer asked for.*bob@example.test chief/ }).waitFor();
    await page.getByRole('row', { name: /New password asked for.*bob@example.test chief/ }).waitFor();
    await button(user, 'Password').click();
    await button(user, 'Devices').click();
    await user.getByText('this one').waitFor();
    BOB_NOW.password = chosen;
    for (const each of [page, user]) await each.context().close();
  }, 120_000);
  const BOB_NOW = { ...BOB };

  test('a password in the dialog is shown and hidden by its button, hides after a minute and with the tab, and stays nowhere', async () => {
    const page = await open();
    await page.clock.install();
    await logInAdmin(page);
    await chooseDomain(page, 'example.test');
    await button(page, `Edit: ${ALICE.address}`).click();
    const type = () => box(page, 'Password').getAttribute('type');
    await button(page, 'New').click();
    const password = await box(page, 'Password').inputValue();
    expect(await type()).toBe('text');
    await button(page, 'Hide password: Password').click();
    expect(await type()).toBe('password');
    await button(page, 'Show password: Password').click();
    expect(await type()).toBe('text');
    await page.clock.runFor(61_000);
    expect(await type()).toBe('password');
    await button(page, 'Show password: Password').click();
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { value: true, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    expect(await type()).toBe('password');
    const kept = await page.evaluate(async () => JSON.stringify([localStorage, sessionStorage, location.href, history.state, document.cookie, await indexedDB.databases(), await caches.keys()]));
    expect(kept).not.toContain(password);
    await page.context().close();
  }, 60_000);

  test('maintenance that begins while a page lies open is said when one comes back to it, on all three surfaces; and its end too', async () => {
    const NOTICE = 'Maintenance: passwords cannot be changed right now.';
    const [user, admin, section] = [await open(), await open(), await open()];
    await logIn(user, 'panel', BOB_NOW.address, BOB_NOW.password);
    await button(user, 'Change').waitFor();
    await box(user, 'Password').fill(NEW);
    await logInAdmin(admin);
    await chooseDomain(admin, 'example.test');
    await button(admin, `Edit: ${ALICE.address}`).click();
    await box(admin, 'Password').waitFor();
    await section.goto(`${url}/login`);
    await section.getByLabel('E-mail address').fill(BOB_NOW.address);
    await section.getByLabel('Password').fill(BOB_NOW.password);
    await button(section, 'Log in').click();
    await button(section, 'Inbox').waitFor();
    await section.goto(`${url}/?account`);
    await box(section, 'Current password').fill('typed before');
    const pages = [[user, 'Change'], [admin, 'Update User'], [section, 'Update password and log me out from everywhere']] as const;
    for (const readOnly of [true, false]) {
      if (mutable !== undefined) mutable.readOnly = readOnly;
      for (const [page, name] of pages) {
        await page.waitForTimeout(1_100);
        await comeBack(page);
        await page.getByText(NOTICE).first().waitFor({ state: readOnly ? 'visible' : 'detached' });
        expect(await button(page, name).getAttribute('aria-disabled')).toBe(String(readOnly));
        expect(await box(page, 'Password').isDisabled()).toBe(readOnly);
      }
    }
    // What was typed is still there.
    expect([await box(user, 'Password').inputValue(), await box(section, 'Current password').inputValue()]).toEqual([NEW, 'typed before']);
    for (const page of [user, admin, section]) await page.context().close();
  }, 120_000);

  test('who comes back after the log-in has ended is told at once; a change under way has the word before that', async () => {
    const page = await open();
    await logIn(page, 'panel', BOB_NOW.address, BOB_NOW.password);
    await button(page, 'Change').waitFor();
    await service.wiring.panels.sessions.revokeAll(BOB_NOW.address, Date.now() + MINUTE);
    await comeBack(page);
    await page.getByText('You have been logged out.').waitFor();
    expect(await page.getByText(BOB_NOW.address).count()).toBe(0);
    ahead = 2 * MINUTE;
    await logIn(page, 'panel', BOB_NOW.address, BOB_NOW.password);
    await button(page, 'Generate password').click();
    const chosen = await box(page, 'Password').inputValue();
    let go = (): void => undefined;
    const held = new Promise<void>((resolve) => { go = resolve; });
    await page.route('**/panel/api/v1/password', async (route) => {
      const answer = await route.fetch();
      await held;
      await route.fulfill({ response: answer });
    });
    const sent = page.waitForRequest('**/panel/api/v1/password');
    await button(page, 'Change').click();
    await sent;
    await page.waitForTimeout(1_500);
    await comeBack(page);
    await page.waitForTimeout(500);
    expect(await page.getByText('You have been logged out.').count()).toBe(0);
    go();
    await page.getByText('Your password has been changed. Log in with the new one.').waitFor();
    BOB_NOW.password = chosen;
    await page.context().close();
  }, 90_000);

  test('a fault while drawing is said in words with a way on, never a blank page: both panels, the section, the webmail around it', async () => {
    const BROKEN = 'This page stopped working. Load it again. If you have just changed a password, try the new one first.';
    const json = (body: object) => ({ contentType: 'application/json', body: JSON.stringify(body) });
    const page = await open();
    await logIn(page, 'panel', ALICE.address, ALICE.password);
    await page.route('**/panel/api/v1/devices', (route) => route.fulfill(json({ devices: [null], unavailable: [] })));
    await button(page, 'Devices').click();
    await page.getByText(BROKEN).waitFor();
    await page.unroute('**/panel/api/v1/devices');
    await button(page, 'Try again').click();
    await page.getByText('this one').waitFor();

    await logInAdmin(page);
    await page.route('**/admin/api/v1/history', (route) => route.fulfill(json({ events: [{ at: 1, requestId: 'x', action: 'set' }], nextCursor: null })));
    await page.getByRole('tab', { name: 'History' }).click();
    await page.getByText(BROKEN).waitFor();
    await page.unroute('**/admin/api/v1/history');
    await button(page, 'Try again').click();
    await page.locator('.history tbody tr').first().waitFor();

    await page.goto(`${url}/login`);
    await page.getByLabel('E-mail address').fill(ALICE.address);
    await page.getByLabel('Password').fill(ALICE.password);
    await button(page, 'Log in').click();
    await button(page, 'Inbox').waitFor();
    await page.route('**/mailbox-password/api/v1/context', (route) => route.fulfill(json({ account: { address: 'x' }, channels: [], writable: true })));
    await page.goto(`${url}/?account`);
    await page.getByText(BROKEN).waitFor();
    await page.unroute('**/mailbox-password/api/v1/context');
    await button(page, 'Try again').click();
    await button(page, 'Update password and log me out from everywhere').waitFor();
    await page.route('**/host/session', (route) => route.fulfill(json({})));
    await page.goto(`${url}/`);
    await page.getByText(BROKEN).waitFor();
    await page.unroute('**/host/session');
    await button(page, 'Try again').click();
    await button(page, 'Inbox').waitFor();
    await page.context().close();
  }, 90_000);
}
