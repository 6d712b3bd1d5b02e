import { mkdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { source } from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { HostAdministrator } from '../../server/ports/hostIdentity.ts';
import { ALICE, BOB, startService } from '../fixtures/service.ts';
import { CHIEF, type Wired } from '../fixtures/panelWorlds.ts';
import { CHROMIUM } from './panelsSuite.ts';

const artifacts = join(__dirname, '..', 'artifacts');

/** What takes a service whose ports can be held back: progress, empty and failed lists, administrators of the host, other sites. */
export function panelsCareSuite(start: () => Promise<Wired>): void {
let wired: Wired;
let service: Awaited<ReturnType<typeof startService>>;
let url: string;
let browser: Browser;
let hostAdministrator: HostAdministrator | null = null;
/** What the session stores and the account API wait for; null = nothing. */
let held: Promise<void> | null = null;
let extraSessions = 0;

beforeAll(async () => {
  mkdirSync(artifacts, { recursive: true });
  wired = await start();
  service = await startService({ overrides: await wired.overrides(), decorate: (wiring) => ({
    ...wiring,
    accounts: {
      ...wiring.accounts,
      setPassword: async (...args) => { await held; return wiring.accounts.setPassword(...args); },
      listMailboxes: async (...args) => { await held; return wiring.accounts.listMailboxes(...args); },
      verifyPassword: async (...args) => { await held; return wiring.accounts.verifyPassword(...args); },
    },
    host: { ...wiring.host, administrator: ({ cookies }) => Promise.resolve(cookies['webmail_of_the_host'] === 'root' ? hostAdministrator : null) },
    stores: [...wiring.stores, {
      name: 'mail', channels: ['imap'], check: () => Promise.resolve(), close: () => Promise.resolve(), revoke: () => Promise.resolve(true),
      list: () => Promise.resolve(Array.from({ length: extraSessions }, (_, n) => ({ id: String(n), channel: 'imap' as const, client: `Mail program ${String(n)}`, remoteAddress: '192.0.2.1', issuedAt: 1_795_000_000_000, lastSeenAt: null }))),
      revokeAll: async () => { await held; return { revoked: { imap: extraSessions } }; },
    }],
  }) });
  await service.app.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${String((service.app.server.address() as AddressInfo).port)}`;
  browser = await chromium.launch(CHROMIUM);
}, 180_000);
afterAll(async () => {
  await browser.close();
  await service.stop();
  await wired.stop();
}, 60_000);
afterEach(() => { held = null; });

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const page = await (await browser.newContext({ locale: 'en-GB', ...options })).newPage();
  page.setDefaultTimeout(10_000);
  return page;
}
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const box = (page: Page, label: string) => page.getByRole('textbox', { name: label, exact: true });

async function logIn(page: Page, panel: 'panel' | 'admin', name: string, password: string): Promise<void> {
  await page.goto(`${url}/${panel}/`);
  await page.locator('input[name=username]').fill(name);
  await page.locator('input[name=password]').fill(password);
  await page.locator('button[type=submit]').click();
}
const logInAdmin = (page: Page) => logIn(page, 'admin', CHIEF.name, CHIEF.password);

async function look(page: Page, name: string): Promise<void> {
  await page.evaluate(source);
  const found = await page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }).axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
  expect([name, found]).toEqual([name, []]);
  expect([name, await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)]).toEqual([name, true]);
  await page.screenshot({ path: join(artifacts, `care-${wired.name}-${name}.png`), fullPage: true });
}

/** Holds the ports back until it is called. */
function hold(): () => void {
  let go = (): void => undefined;
  held = new Promise((resolve) => { go = resolve; });
  return go;
}

test('each panel loads its own page, texts and API, and nothing of the other', async () => {
  for (const [panel, other] of [['panel', 'admin'], ['admin', 'panel']] as const) {
    const page = await open();
    const asked: string[] = [];
    page.on('request', (request) => { asked.push(new URL(request.url()).pathname); });
    if (panel === 'panel') await logIn(page, 'panel', BOB.address, BOB.password);
    else await logInAdmin(page);
    await button(page, 'Log out').first().waitFor();
    const mine = panel === 'panel' ? 'user-panel' : 'admin-panel';
    const theirs = panel === 'panel' ? 'admin-panel' : 'user-panel';
    expect(asked.some((path) => path.includes(`/${mine}.`))).toBe(true);
    expect(asked.filter((path) => path.includes(theirs) || path.includes(`/${other}/api/`) || path.includes('account-section') || path.includes('shell'))).toEqual([]);
    // Whatever holds something of somebody is kept by no cache.
    const kept = await page.evaluate(async () => Promise.all(performance.getEntriesByType('resource').map(async ({ name }) => [name, (await fetch(name, { method: 'GET' }).catch(() => null))?.headers.get('cache-control') ?? null])));
    for (const [name, cache] of kept) if (String(name).includes('/api/')) expect([name, cache]).toEqual([name, 'no-store']);
    await page.context().close();
  }
}, 60_000);

test('where no text of any language can be fetched, words say so, and a button with words tries again', async () => {
  for (const panel of ['panel', 'admin']) {
    const page = await open({ locale: 'ar' });
    await page.route('**/locales/**', (route) => route.abort());
    await page.goto(`${url}/${panel}/`);
    await page.getByRole('alert').getByText('This page could not be loaded completely. Check your connection, then try again.').waitFor();
    await look(page, `${panel}-no-texts`);
    await page.unroute('**/locales/**');
    await button(page, 'Try again').click();
    await page.locator('input[name=username]').waitFor();
    await page.context().close();
  }
}, 60_000);

test('on a phone the language can be changed after log-in: where the page stands, and what was typed stays', async () => {
  const page = await open({ viewport: { width: 360, height: 740 } });
  await logIn(page, 'panel', BOB.address, BOB.password);
  await box(page, 'Confirm password').fill('typed before');
  await page.getByRole('combobox', { name: 'Language' }).selectOption('de');
  await button(page, 'Abmelden').waitFor();
  expect(await page.locator('input[name=confirm]').inputValue()).toBe('typed before');
  expect(await page.evaluate(() => document.documentElement.lang)).toBe('de');
  await look(page, 'user-phone-language');
  await page.context().close();
}, 60_000);

test('history: days are typed as the page writes them, whatever the browser writes; what is no day is told; addresses break before their domain', async () => {
  const address = 'somebody.with.a.long.name@subdomain.of.example.test';
  await service.wiring.audit.append({ at: Date.UTC(2025, 1, 3, 12), requestId: 'long', action: 'change', actor: address, actorKind: 'owner', address, remoteAddress: '192.0.2.1', userAgent: '', outcome: 'done', ended: {} });
  const page = await open({ viewport: { width: 1100, height: 800 } });
  await page.addInitScript(() => { localStorage.setItem('webmail-language', 'de'); });
  await logInAdmin(page);
  await page.getByRole('tab', { name: 'Verlauf' }).click();
  const day = (name: string) => page.getByRole('textbox', { name, exact: true });
  expect(await day('Von').getAttribute('placeholder')).toBe('Tag.Monat.Jahr');
  await day('Von').fill('31.2.2025');
  await page.keyboard.press('Tab');
  await page.getByText(/^Tag\.Monat\.Jahr: \d\d\.\d\d\.\d{4}$/).waitFor();
  /** Marked, and what is wrong is read out with it; in the place of the list is a sentence, and no row of what was not asked for. */
  const told = async (name: string, what: RegExp): Promise<void> => {
    const errors = page.locator(`[id="${await day(name).getAttribute('aria-describedby') ?? ''}"]`);
    await errors.getByText(what).waitFor();
    expect(await day(name).getAttribute('aria-invalid')).toBe('true');
    await page.getByRole('alert').getByText('Einige Felder stimmen nicht.').waitFor();
    expect(await page.locator('.history').count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Mehr anzeigen' }).count()).toBe(0);
    await page.getByRole('link', { name: 'Als CSV exportieren' }).click({ force: true });
    expect(await day(name).evaluate((element) => element === document.activeElement)).toBe(true);
  };
  const asked: string[] = [];
  page.on('request', (request) => { if (request.url().includes('/history')) asked.push(new URL(request.url()).search); });
  await told('Von', /^Tag\.Monat\.Jahr: \d\d\.\d\d\.\d{4}$/);
  await look(page, 'admin-history-no-day');
  await day('Von').fill('4.2.2025');
  await page.locator('.history').waitFor();
  await day('Bis').fill('3.2.2025');
  await told('Bis', /^Von ≤ Bis$/);
  await look(page, 'admin-history-turned');
  // Also without leaving the field.
  await day('Bis').fill('3.2.');
  await told('Bis', /^Tag\.Monat\.Jahr: /);
  await day('Von').fill('3.2.2025');
  expect(asked.filter((search) => !search.includes('from='))).toEqual([]);
  await day('Bis').fill('3.2.2025');
  await page.keyboard.press('Enter');
  expect([await day('Von').inputValue(), await day('Bis').inputValue()]).toEqual(['03.02.2025', '03.02.2025']);
  const rows = page.locator('.history tbody tr');
  await page.waitForFunction(() => document.querySelectorAll('.history tbody tr').length === 1);
  /** The letter that each further line begins with. */
  const begins = await rows.locator('td.wide bdi').filter({ hasText: address }).first().evaluate((cell) => {
    const found: string[] = [];
    let top: number | null = null;
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
      for (let at = 0; at < (node.textContent ?? '').length; at += 1) {
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + 1);
        const { top: here } = range.getBoundingClientRect();
        if (top !== null && here > top + 4) found.push((node.textContent ?? '')[at] ?? '');
        top = here;
      }
    }
    return found;
  });
  expect(begins).toEqual(['@']);
  await look(page, 'admin-history-days');
  await page.context().close();
}, 60_000);

test('history: from phone to desk nothing is wider than the window, and no word is broken, also in a language of long ones', async () => {
  const page = await open({ locale: 'el' });
  await logInAdmin(page);
  await page.getByRole('tab').nth(1).click();
  await page.locator('.history tbody tr').first().waitFor();
  for (const width of [360, 641, 768, 900, 1024, 1051, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    const seen = await page.evaluate(() => {
      const words = document.createTreeWalker(document.querySelector('.history tbody') as Element, NodeFilter.SHOW_TEXT);
      const broken: string[] = [];
      for (let node = words.nextNode(); node !== null; node = words.nextNode()) {
        if (node.parentElement?.closest('bdi, .soft') !== null) continue;
        for (const { index, 0: word } of (node.textContent ?? '').matchAll(/\p{L}+/gu)) {
          const range = document.createRange();
          range.setStart(node, index);
          range.setEnd(node, index + word.length);
          if (range.getClientRects().length > 1) broken.push(word);
        }
      }
      return { broken, wider: document.documentElement.scrollWidth - innerWidth };
    });
    expect([width, seen]).toEqual([width, { broken: [], wider: 0 }]);
  }
  await page.context().close();
}, 60_000);

test('what takes time says so: logging in, the list, setting a password, logging out', async () => {
  const page = await open();
  let go = hold();
  const user = await open();
  await logIn(user, 'panel', BOB.address, BOB.password);
  await user.getByText('Logging in…').waitFor();
  await look(user, 'user-logging-in');
  go();
  await button(user, 'Change').waitFor();
  held = null;
  await logInAdmin(page);
  go = hold();
  await page.getByRole('combobox', { name: 'Select Domain' }).click();
  await page.getByRole('option', { name: 'example.test' }).click();
  await page.getByText('Loading…').waitFor();
  await look(page, 'admin-list-loading');
  go();
  held = null;
  await button(page, `Edit: ${BOB.address}`).click();
  await button(page, 'New').click();
  go = hold();
  await button(page, 'Update User').click();
  await button(page, 'Updating…').waitFor();
  await look(page, 'admin-dialog-busy');
  // Pressed again and closed meanwhile: nothing is lost, nothing is sent twice.
  await page.keyboard.press('Escape');
  await page.getByText('The new password is not saved. Close anyway?').waitFor();
  go();
  await page.getByText('The password has been set').waitFor();
  held = null;
  const keep = button(page, 'Keep editing');
  if (await keep.count() > 0) await keep.click();
  await button(page, 'Close').last().click();
  await button(page, `Edit: ${ALICE.address}`).click();
  go = hold();
  await button(page, 'Log out from everywhere').click();
  await page.getByText('Logging out…').waitFor();
  await look(page, 'admin-dialog-logging-out');
  go();
  await page.getByText('Logging out…').waitFor({ state: 'detached' });
  const sets = (await service.wiring.audit.read({ domains: null, cursor: null, limit: 100 })).events.filter(({ action }) => action === 'set');
  expect(sets).toHaveLength(1);
  for (const each of [page, user]) await each.context().close();
}, 90_000);

test('empty lists say what to do; a list that failed says so, and can be tried again', async () => {
  const page = await open();
  await logInAdmin(page);
  await page.getByText('Select a domain to see its mailboxes.').waitFor();
  await look(page, 'admin-no-domain');
  await page.getByRole('combobox', { name: 'Select Domain' }).fill('not-there');
  await page.getByText('No such domain').waitFor();
  await look(page, 'admin-domain-not-found');
  await page.getByRole('combobox', { name: 'Select Domain' }).fill('example');
  await page.getByRole('option', { name: 'example.test' }).click();
  await page.getByLabel('Search mailboxes').fill('not-there');
  await page.getByText('No mailbox was found.').waitFor();
  await look(page, 'admin-no-mailbox');
  await page.route('**/admin/api/v1/mailboxes?*', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify({ code: 'ACCOUNTS_UNAVAILABLE' }) }));
  await page.getByLabel('Search mailboxes').fill('bob');
  await page.getByText('The mail server does not answer.').waitFor();
  await look(page, 'admin-list-failed');
  await page.unroute('**/admin/api/v1/mailboxes?*');
  await button(page, 'Try again').click();
  await button(page, `Edit: ${BOB.address}`).waitFor();
  await page.getByRole('tab', { name: 'History' }).click();
  await page.getByLabel('Mailbox').fill('not-there');
  await page.getByText('Nothing was found.').waitFor();
  await look(page, 'admin-no-history');
  await page.context().close();
}, 90_000);

test('history: by mailbox, by who did it, by outcome, by day; as a file; a refusal is told in words', async () => {
  const day = (text: string): number => new Date(`${text}T12:00:00`).getTime();
  for (const [at, address, actor, outcome] of [[day('2026-03-01'), 'm1@example.test', 'anna', 'done'], [day('2026-03-02'), 'm2@example.test', 'ben', 'PASSWORD_REJECTED_BY_SERVER'], [day('2026-03-03'), 'm3@example.test', '=cmd()', 'pending']] as const) {
    await service.wiring.audit.append({ at, requestId: `history-${address}`, action: 'set', actor, actorKind: 'administrator', address, remoteAddress: '192.0.2.9', userAgent: 'test', outcome, ended: { web: 1, imap: 2 } });
  }
  const page = await open();
  await logInAdmin(page);
  await page.getByRole('tab', { name: 'History' }).click();
  const rows = page.locator('.history tbody tr');
  const shows = async (wanted: readonly string[]): Promise<void> => {
    await page.waitForFunction((names) => {
      const found = [...document.querySelectorAll('.history tbody tr')].map((row) => row.textContent ?? '');
      return found.length === names.length && names.every((name, n) => found[n]?.includes(name));
    }, wanted);
  };
  await page.getByLabel('From', { exact: true }).fill('2026-03-01');
  await page.getByLabel('To', { exact: true }).fill('2026-03-03');
  await shows(['m3@example.test', 'm2@example.test', 'm1@example.test']);
  await rows.filter({ hasText: 'The mail server refused the new password.' }).waitFor();
  await rows.first().filter({ hasText: 'Done, log-out pending' }).waitFor();
  await look(page, 'admin-history-words');
  const saved = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Export as CSV' }).click();
  const text = readFileSync(await (await saved).path(), 'utf8');
  expect(text.trim().split('\r\n')).toHaveLength(4);
  expect(text).toContain(`"'=cmd()"`);
  await page.getByLabel('To', { exact: true }).fill('2026-03-02');
  await shows(['m2@example.test', 'm1@example.test']);
  await page.getByLabel('Who did it').fill('anna');
  await shows(['m1@example.test']);
  await page.getByLabel('Who did it').fill('');
  await page.getByLabel('Outcome').selectOption('refused');
  await shows(['m2@example.test']);
  await page.getByLabel('Outcome').selectOption('');
  await page.getByLabel('Mailbox').fill('m1@');
  await shows(['m1@example.test']);
  await page.context().close();
}, 90_000);

test('an administrator of the host goes on without a second password; nobody else is offered it; the end of that log-in ends this one', async () => {
  const page = await open();
  hostAdministrator = { name: 'root', domains: ['example.test'] };
  await page.goto(`${url}/admin/`);
  await button(page, 'Log in').waitFor();
  expect(await page.getByText('Continue as').count()).toBe(0);
  await page.context().addCookies([{ name: 'webmail_of_the_host', value: 'root', url }]);
  await page.reload();
  await button(page, 'Continue as root').waitFor();
  await look(page, 'admin-continue');
  await button(page, 'Continue as root').click();
  await button(page, `Edit: ${BOB.address}`).waitFor();
  expect(await page.getByRole('combobox', { name: 'Select Domain' }).inputValue()).toBe('example.test');
  await page.context().clearCookies({ name: 'webmail_of_the_host' });
  await button(page, `Edit: ${BOB.address}`).click();
  await page.getByText('You have been logged out.').waitFor();
  await page.context().close();
}, 60_000);

describe('another site', () => {
  let evil: Server;
  let evilUrl: string;
  beforeAll(async () => {
    evil = createServer((_request, response) => { response.setHeader('content-type', 'text/html'); response.end(`<iframe id="f" src="${url}/mailbox-password/panel/"></iframe><iframe src="${url}/mailbox-password/admin/"></iframe>`); });
    await new Promise<void>((resolve) => { evil.listen(0, '127.0.0.1', resolve); });
    // Another name of this machine is another site.
    evilUrl = `http://localhost:${String((evil.address() as AddressInfo).port)}/`;
  });
  afterAll(() => { evil.close(); });

  test('cannot frame a panel, cannot send its forms, and gets no cookie along', async () => {
    const page = await open();
    await logIn(page, 'panel', ALICE.address, ALICE.password);
    await button(page, 'Change').waitFor();
    const said: string[] = [];
    page.on('console', (message) => { said.push(message.text()); });
    await page.goto(evilUrl);
    await page.waitForLoadState('networkidle');
    expect(page.frames().slice(1).every((frame) => !frame.url().startsWith(url))).toBe(true);
    expect(said.filter((text) => /frame/i.test(text)).length).toBeGreaterThanOrEqual(2);
    const statuses = await page.evaluate(async (target) => {
      const tries = [['/mailbox-password/panel/api/v1/devices/end-many', { which: 'all' }], ['/mailbox-password/panel/api/v1/login', { address: 'bob@example.test', password: 'x' }], ['/mailbox-password/admin/api/v1/login/by-host', {}]] as const;
      return Promise.all(tries.map(async ([path, body]) => fetch(target + path, { method: 'POST', credentials: 'include', mode: 'no-cors', headers: { 'content-type': 'text/plain' }, body: JSON.stringify(body) }).then(() => 'sent', () => 'failed')));
    }, url);
    expect(statuses).toHaveLength(3);
    await page.goto(`${url}/panel/`);
    await button(page, 'Change').waitFor();
    await page.context().close();
  }, 60_000);

  test('a session fixed beforehand is never taken: the cookie after the log-in is another one', async () => {
    const page = await open();
    await page.context().addCookies([{ name: 'mailbox_user_panel', value: 'chosen-by-a-thief', domain: '127.0.0.1', path: '/mailbox-password/panel/api' }]);
    await logIn(page, 'panel', ALICE.address, ALICE.password);
    await button(page, 'Change').waitFor();
    const first = (await page.context().cookies()).filter(({ name }) => name === 'mailbox_user_panel');
    expect(first.map(({ value }) => value === 'chosen-by-a-thief')).toEqual([false]);
    await logIn(await page.context().newPage(), 'panel', ALICE.address, ALICE.password).catch(() => undefined);
    await page.context().close();
  }, 60_000);
});

test('many devices: the list is long, each ends by its own button, and a keyboard reaches the last', async () => {
  extraSessions = 120;
  const page = await open();
  await logIn(page, 'panel', ALICE.address, ALICE.password);
  await button(page, 'Devices').click();
  await page.getByText('Mail program 119').waitFor();
  expect(await page.locator('.devices li').count()).toBeGreaterThan(120);
  await page.locator('.devices li button').last().focus();
  await page.keyboard.press('Enter');
  await page.getByText('Logged out:').waitFor();
  await look(page, 'user-many-devices');
  extraSessions = 0;
  await page.context().close();
}, 60_000);

test.each<[string, BrowserContextOptions]>([['forced-colors', { forcedColors: 'active' }], ['zoom-200', { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }], ['phone-390', { viewport: { width: 390, height: 844 } }]])('%s: the focus can be seen, nothing is cut off', async (name, options) => {
  const page = await open(options);
  await logInAdmin(page);
  await page.getByRole('combobox', { name: 'Select Domain' }).click();
  await page.getByRole('option', { name: 'example.test' }).click();
  await button(page, `Edit: ${ALICE.address}`).focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Shift+Tab');
  const outline = await page.evaluate(() => { const style = getComputedStyle(document.activeElement as Element); return [style.outlineStyle, Number.parseFloat(style.outlineWidth)]; });
  expect(outline[0]).not.toBe('none');
  expect(outline[1]).toBeGreaterThanOrEqual(2);
  await look(page, `${name}-users`);
  await page.keyboard.press('Enter');
  await button(page, 'New').click();
  await look(page, `${name}-dialog`);
  expect(await page.evaluate(() => { const dialog = document.querySelector('dialog'); return dialog !== null && dialog.scrollWidth <= dialog.clientWidth && dialog.getBoundingClientRect().bottom <= innerHeight; })).toBe(true);
  expect(await box(page, 'Password').inputValue()).toHaveLength(16);
  await page.context().close();
}, 60_000);
}
