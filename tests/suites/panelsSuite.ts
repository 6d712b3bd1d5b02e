import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { source } from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { ALICE as ALICE_AT_FIRST, BOB, NEW } from '../fixtures/service.ts';

/** Debian's Chromium, without a word to anybody else. */
export const CHROMIUM = { executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] };

const artifacts = join(__dirname, '..', 'artifacts');

/** A running service, reached by its address alone, with the mailboxes of the embedded host (alice, bob, carol) and one administrator. */
export interface PanelsWorld {
  readonly name: string;
  readonly url: string;
  readonly admin: { readonly name: string; readonly password: string };
  /** What the service has written to its log so far. */
  said(): string;
  /** Folders in which nothing of a password may stand. */
  readonly folders: readonly string[];
  stop(): Promise<void>;
}

/** Both panels in Chromium, as their issue has them sentence by sentence; the same for every account API that can list and mark. */
export function panelsSuite(start: () => Promise<PanelsWorld>): void {
const CAROL = { address: 'carol@mail.test', password: 'Singing-bells-9' };
const ALICE = { ...ALICE_AT_FIRST };
let world: PanelsWorld;
let ADMIN: PanelsWorld['admin'];
let url: string;
let console_ = '';
let browser: Browser;

beforeAll(async () => {
  mkdirSync(artifacts, { recursive: true });
  world = await start();
  ({ url, admin: ADMIN } = world);
  browser = await chromium.launch(CHROMIUM);
}, 180_000);

afterAll(async () => {
  await browser.close();
  await world.stop();
}, 60_000);

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const page = await (await browser.newContext({ locale: 'en-GB', ...options })).newPage();
  page.setDefaultTimeout(10_000);
  // Whatever the policy of the page forbids is written to the console.
  page.on('console', (message) => { if (/Content Security Policy|Uncaught/i.test(message.text())) console_ += `${message.text()}\n`; });
  return page;
}

const box = (page: Page, label: string) => page.getByRole('textbox', { name: label, exact: true });
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const shoot = (page: Page, name: string) => page.screenshot({ path: join(artifacts, `panel-${world.name}-${name}.png`), fullPage: true });

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(source);
  return page.evaluate(async () => {
    const { violations: found } = await (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }).axe.run();
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}

const fits = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

async function logInUser(page: Page, who: { address: string; password: string }): Promise<void> {
  await page.goto(`${url}/panel/`);
  await page.locator('input[name=username]').fill(who.address);
  await page.locator('input[name=password]').fill(who.password);
  await page.locator('button[type=submit]').click();
}

async function logInAdmin(page: Page): Promise<void> {
  await page.goto(`${url}/admin/`);
  await page.locator('input[name=username]').fill(ADMIN.name);
  await page.locator('input[name=password]').fill(ADMIN.password);
  await page.locator('button[type=submit]').click();
}

async function chooseDomain(page: Page, domain: string): Promise<void> {
  await page.getByRole('combobox', { name: 'Select Domain' }).click();
  await page.getByRole('combobox', { name: 'Select Domain' }).fill(domain.slice(0, 4));
  await page.getByRole('option', { name: domain }).click();
}

const edit = (page: Page, address: string) => button(page, `Edit: ${address}`).click();

async function logInWebmail(page: Page, who: { address: string; password: string }): Promise<void> {
  await page.goto(`${url}/login`);
  await page.locator('input[name=address]').fill(who.address);
  await page.locator('input[name=password]').fill(who.password);
  await page.locator('button[type=submit]').click();
  await button(page, 'Inbox').waitFor();
}

/** Everything that a page could still hold. */
const left = (page: Page) => page.evaluate(async () => {
  const cached = await Promise.all((await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map(({ url: address }) => address)));
  return document.documentElement.outerHTML + [...document.querySelectorAll('input')].map(({ value }) => value).join(' ')
    + JSON.stringify([localStorage, sessionStorage, location.href, history.state, document.cookie, await indexedDB.databases(), cached]);
});

function keepsNothing(secrets: readonly string[]): void {
  for (const secret of secrets) {
    for (const file of world.folders.flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())) expect(readFileSync(join(file.parentPath, file.name)).includes(secret)).toBe(false);
    expect(world.said()).not.toContain(secret);
  }
}

test('User Panel: a stranger and a wrong password read the same; the front page links to both panels', async () => {
  const page = await open();
  await page.goto(`${url}/login`);
  await page.getByRole('link', { name: 'User Panel' }).waitFor();
  await page.getByRole('link', { name: 'Admin Panel' }).waitFor();
  await page.getByRole('link', { name: 'User Panel' }).click();
  await button(page, 'Log in').waitFor();
  expect(await violations(page)).toEqual([]);
  await shoot(page, 'user-login');
  for (const who of [{ address: BOB.address, password: 'Wrong-one-1' }, { address: 'nobody@example.test', password: BOB.password }]) {
    await logInUser(page, who);
    await page.getByText(/^The e.mail address or the password is wrong\.$/).waitFor();
  }
  expect(await violations(page)).toEqual([]);
  await shoot(page, 'user-login-refused');
  await page.goto(`${url}/panel/`);
  await button(page, 'Log in').click();
  await page.getByText('Fill in this field.').waitFor();
  await page.context().close();
}, 60_000);

test('User Panel, the story: log in, Password, generate, Change; everything ends, the login page says so; old refused, new works', async () => {
  const [webmail, panel, other] = [await open(), await open(), await open()];
  await logInWebmail(webmail, ALICE);
  await logInUser(other, ALICE);
  await button(other, 'Change').waitFor();
  await logInUser(panel, ALICE);
  await button(panel, 'Change').waitFor();
  // Given a moment ago: not asked again.
  expect(await box(panel, 'Current password').count()).toBe(0);
  expect(await violations(panel)).toEqual([]);
  await shoot(panel, 'user-password');
  await box(panel, 'Password').fill('short');
  await box(panel, 'Confirm password').fill('other');
  await button(panel, 'Change').click();
  await panel.locator('.checklist li[data-broken]').getByText('At least 8 characters').waitFor();
  await panel.getByText('The two passwords are not the same.').waitFor();
  await shoot(panel, 'user-password-errors');
  await button(panel, 'Generate password').click();
  const password = await box(panel, 'Password').inputValue();
  await shoot(panel, 'user-password-generated');
  await button(panel, 'Change').click();
  await panel.getByText('Your password has been changed. Log in with the new one.').waitFor();
  // The webmail, this panel and the other one.
  await panel.getByText('Webmail: 3 sessions').waitFor();
  expect(await violations(panel)).toEqual([]);
  await shoot(panel, 'user-changed');
  const rest = await left(panel);
  for (const secret of [password, ALICE.password]) expect(rest).not.toContain(secret);
  expect(await panel.context().cookies()).toEqual([]);
  await button(webmail, 'Inbox').click();
  await webmail.getByText('You have been logged out.').waitFor();
  await button(other, 'Devices').click();
  await other.getByText('You have been logged out.').waitFor();
  await panel.goBack();
  await panel.goForward().catch(() => null);
  expect(await panel.getByText(ALICE.address).count()).toBe(0);
  await logInUser(panel, ALICE);
  await panel.getByText(/^The e.mail address or the password is wrong\.$/).waitFor();
  await logInUser(panel, { ...ALICE, password });
  await button(panel, 'Change').waitFor();
  keepsNothing([password, ALICE.password]);
  for (const page of [webmail, panel, other]) await page.context().close();
}, 90_000);

test('User Panel: after a reload the current password is asked for; a wrong one is said at its field', async () => {
  const page = await open();
  await logInUser(page, BOB);
  await button(page, 'Change').waitFor();
  await page.reload();
  await box(page, 'Current password').fill('Wrong-one-1');
  await box(page, 'Password').fill(NEW);
  await box(page, 'Confirm password').fill(NEW);
  await button(page, 'Change').click();
  await page.getByText('This is not your current password. Nothing was changed.').waitFor();
  expect(await violations(page)).toEqual([]);
  await shoot(page, 'user-current-wrong');
  await page.context().close();
}, 60_000);

test('User Panel: five minutes after the log-in it is asked for too; a shown password hides after a minute and with the tab', async () => {
  const page = await open();
  await page.clock.install();
  await logInUser(page, BOB);
  await button(page, 'Change').waitFor();
  await button(page, 'Generate password').click();
  expect(await box(page, 'Password').getAttribute('type')).toBe('text');
  await page.clock.runFor(61_000);
  expect(await box(page, 'Password').getAttribute('type')).toBe('password');
  await button(page, 'Show password: Password').click();
  expect(await box(page, 'Password').getAttribute('type')).toBe('text');
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: true, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  expect(await box(page, 'Password').getAttribute('type')).toBe('password');
  expect(await box(page, 'Current password').count()).toBe(0);
  await page.clock.runFor(240_000);
  await box(page, 'Current password').waitFor();
  await page.context().close();
}, 60_000);

test('User Panel: devices are listed, this one is marked, others end, one ends, all end', async () => {
  const [webmail, panel, third] = [await open(), await open(), await open()];
  await logInWebmail(webmail, BOB);
  await logInUser(panel, BOB);
  await button(panel, 'Devices').click();
  await panel.getByText('this one').waitFor();
  const rows = panel.locator('.devices li');
  expect(await rows.count()).toBeGreaterThanOrEqual(2);
  expect(await panel.getByText('this one').count()).toBe(1);
  expect(await violations(panel)).toEqual([]);
  await shoot(panel, 'user-devices');
  await button(panel, 'Log out all others').click();
  await panel.getByText('Logged out:').waitFor();
  await panel.locator('.devices li').nth(1).waitFor({ state: 'detached' });
  expect(await rows.count()).toBe(1);
  await shoot(panel, 'user-devices-others-ended');
  await button(webmail, 'Inbox').click();
  await webmail.getByText('You have been logged out.').waitFor();
  await logInUser(third, BOB);
  await button(third, 'Change').waitFor();
  await panel.reload();
  await rows.nth(1).getByRole('button').click();
  await rows.nth(1).waitFor({ state: 'detached' });
  await button(third, 'Devices').click();
  await third.getByText('You have been logged out.').waitFor();
  await button(panel, 'Log out from everywhere, here too').click();
  await panel.getByText('You have been logged out.').waitFor();
  expect(await panel.context().cookies()).toEqual([]);
  for (const page of [webmail, panel, third]) await page.context().close();
}, 90_000);

test('User Panel: mail program settings, each with a button that copies it', async () => {
  const page = await open();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await logInUser(page, BOB);
  await button(page, 'Mail program settings').click();
  await button(page, 'Copy: Receiving mail (IMAP): Server').click();
  await button(page, 'Copied: Receiving mail (IMAP): Server').waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('imap.example.test');
  // Said for a moment, where one looks; then it can be copied again.
  await button(page, 'Copy: Receiving mail (IMAP): Server').waitFor();
  expect(await violations(page)).toEqual([]);
  await shoot(page, 'user-mail');
  await page.context().close();
}, 60_000);

test('after log-out Back shows nothing, and the old cookie is worth nothing', async () => {
  const page = await open();
  await logInUser(page, BOB);
  await button(page, 'Devices').click();
  await page.getByText('this one').waitFor();
  const cookies = await page.context().cookies();
  expect(cookies).toMatchObject([{ httpOnly: true, sameSite: 'Strict', path: '/mailbox-password/panel/api' }]);
  await button(page, 'Log out').first().click();
  await page.locator('input[name=username]').waitFor();
  await page.goto(`${url}/login`);
  await page.goBack();
  await page.locator('input[name=username]').waitFor();
  expect(await page.locator('.devices').count()).toBe(0);
  await page.context().addCookies(cookies);
  await page.reload();
  await page.locator('input[name=username]').waitFor();
  expect(await page.getByText(BOB.address).count()).toBe(0);
  await page.context().close();
}, 60_000);

test('Admin Panel, the story: log in, Users, Select Domain, pencil, New, Copy, Update User; the mailbox is logged out', async () => {
  const [webmail, admin] = [await open(), await open()];
  await admin.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await logInWebmail(webmail, CAROL);
  await admin.goto(`${url}/admin/`);
  await button(admin, 'Log in').waitFor();
  expect(await violations(admin)).toEqual([]);
  await shoot(admin, 'admin-login');
  await logInAdmin(admin);
  await admin.getByRole('tab', { name: 'Users' }).waitFor();
  await shoot(admin, 'admin-empty');
  await admin.getByRole('combobox', { name: 'Select Domain' }).click();
  await admin.locator('.chooser li').first().waitFor();
  expect(await violations(admin)).toEqual([]);
  await shoot(admin, 'admin-domains');
  await chooseDomain(admin, 'mail.test');
  await button(admin, `Edit: ${CAROL.address}`).waitFor();
  await admin.getByRole('row', { name: CAROL.address }).getByRole('cell', { name: '1', exact: true }).waitFor();
  expect(await violations(admin)).toEqual([]);
  await shoot(admin, 'admin-users');
  await edit(admin, CAROL.address);
  await button(admin, 'Update User').waitFor();
  expect(await box(admin, 'Current password').count()).toBe(0);
  expect(await violations(admin)).toEqual([]);
  await shoot(admin, 'admin-dialog');
  await box(admin, 'Password').fill('short');
  await button(admin, 'Update User').click();
  await admin.locator('.checklist li[data-broken]').getByText('At least 8 characters').waitFor();
  await shoot(admin, 'admin-dialog-errors');
  await button(admin, 'New').click();
  const password = await box(admin, 'Password').inputValue();
  expect(password).toHaveLength(16);
  await button(admin, 'Copy').click();
  await admin.getByText('Copied', { exact: true }).waitFor();
  expect(await admin.evaluate(() => navigator.clipboard.readText())).toBe(password);
  await shoot(admin, 'admin-dialog-copied');
  await button(admin, 'Update User').click();
  await admin.getByText('The password has been set').waitFor();
  await admin.getByText('Webmail: 1 session').waitFor();
  expect(await violations(admin)).toEqual([]);
  await shoot(admin, 'admin-dialog-done');
  expect(await left(admin)).not.toContain(password);
  await button(admin, 'Close').last().click();
  await admin.locator('dialog').waitFor({ state: 'detached' });
  await button(webmail, 'Inbox').click();
  await webmail.getByText('You have been logged out.').waitFor();
  await logInWebmail(webmail, { ...CAROL, password });
  keepsNothing([password, CAROL.password, ADMIN.password]);

  await admin.getByRole('tab', { name: 'History' }).click();
  await admin.getByRole('row', { name: /Set by an administrator/ }).waitFor();
  expect(await violations(admin)).toEqual([]);
  await shoot(admin, 'admin-history');
  await admin.getByLabel('Mailbox').fill('carol');
  await admin.getByLabel('Outcome').selectOption('done');
  await admin.getByText('alice@example.test').first().waitFor({ state: 'detached' });
  await shoot(admin, 'admin-history-filtered');
  const saved = admin.waitForEvent('download');
  await admin.getByRole('link', { name: 'Export as CSV' }).click();
  const file = await (await saved).path();
  expect(readFileSync(file, 'utf8')).toMatch(/"set","carol@mail.test","/);
  await admin.getByLabel('Mailbox').fill('not-there');
  await admin.getByText('Nothing was found.').waitFor();
  CAROL.password = password;
  for (const page of [webmail, admin]) await page.context().close();
}, 120_000);

test('Admin Panel: a generated password that is not saved asks first; the dialog logs out alone', async () => {
  const [webmail, admin] = [await open(), await open()];
  await logInWebmail(webmail, CAROL);
  await logInAdmin(admin);
  await chooseDomain(admin, 'mail.test');
  await edit(admin, CAROL.address);
  await button(admin, 'Log out from everywhere').click();
  await admin.getByText('Logged out:').waitFor();
  await shoot(admin, 'admin-dialog-logged-out');
  await button(webmail, 'Inbox').click();
  await webmail.getByText('You have been logged out.').waitFor();
  await logInWebmail(webmail, CAROL);
  await button(admin, 'New').click();
  const password = await box(admin, 'Password').inputValue();
  for (const leave of [() => admin.keyboard.press('Escape'), () => button(admin, 'Close').click()]) {
    await leave();
    await admin.getByText('The new password is not saved. Close anyway?').waitFor();
    expect(await violations(admin)).toEqual([]);
    await shoot(admin, 'admin-dialog-unsaved');
    await button(admin, 'Keep editing').click();
    expect(await box(admin, 'Password').inputValue()).toBe(password);
  }
  await admin.keyboard.press('Escape');
  await button(admin, 'Close without saving').click();
  await admin.locator('dialog').waitFor({ state: 'detached' });
  await logInWebmail(webmail, CAROL);
  for (const page of [webmail, admin]) await page.context().close();
}, 90_000);

test('two administrators on one mailbox: the second is told that it changed meanwhile, and may go on', async () => {
  const [one, two] = [await open(), await open()];
  for (const page of [one, two]) {
    await logInAdmin(page);
    await chooseDomain(page, 'mail.test');
    await edit(page, CAROL.address);
    await button(page, 'New').click();
  }
  await button(one, 'Update User').click();
  await one.getByText('The password has been set').waitFor();
  const password = await box(two, 'Password').inputValue();
  await button(two, 'Update User').click();
  await two.getByText('Somebody else changed this password while the dialog was open.').waitFor();
  expect(await violations(two)).toEqual([]);
  await shoot(two, 'admin-dialog-meanwhile');
  await button(two, 'Go on with mine').click();
  await two.getByText('Somebody else changed').waitFor({ state: 'detached' });
  await button(two, 'Update User').click();
  await two.getByText('The password has been set').waitFor();
  CAROL.password = password;
  for (const page of [one, two]) await page.context().close();
}, 90_000);

/** Presses Tab until the element with this name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let n = 0; n < 40; n += 1) {
    const focused = await page.evaluate(() => {
      const element = document.activeElement as HTMLInputElement | null;
      return element?.ariaLabel ?? element?.labels?.[0]?.textContent ?? element?.textContent ?? '';
    });
    if (focused.trim() === name) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not reach ${name}`);
}

test('both stories with the keyboard alone', async () => {
  const user = await open();
  await user.goto(`${url}/panel/`);
  await button(user, 'Log in').waitFor();
  await tabTo(user, 'E-mail address');
  await user.keyboard.type(CAROL.address);
  await tabTo(user, 'Password');
  await user.keyboard.type(CAROL.password);
  await user.keyboard.press('Enter');
  await button(user, 'Change').waitFor();
  await tabTo(user, 'Generate password');
  await user.keyboard.press('Space');
  const generated = await box(user, 'Password').inputValue();
  await tabTo(user, 'Change');
  await user.keyboard.press('Enter');
  await user.getByText('Log in with the new one.').waitFor();
  CAROL.password = generated;

  const admin = await open();
  await admin.goto(`${url}/admin/`);
  await button(admin, 'Log in').waitFor();
  await tabTo(admin, 'Administrator');
  await admin.keyboard.type(ADMIN.name);
  await tabTo(admin, 'Password');
  await admin.keyboard.type(ADMIN.password);
  await admin.keyboard.press('Enter');
  await admin.getByRole('tab', { name: 'Users' }).waitFor();
  await tabTo(admin, 'Select Domain');
  // Faster than the list: it is chosen as soon as the list has caught up.
  await admin.keyboard.type('mail');
  await admin.keyboard.press('Enter');
  await button(admin, `Edit: ${CAROL.address}`).waitFor();
  await tabTo(admin, `Edit: ${CAROL.address}`);
  await admin.keyboard.press('Enter');
  await button(admin, 'Update User').waitFor();
  // One can type the password at once.
  expect(await box(admin, 'Password').evaluate((input) => input === document.activeElement)).toBe(true);
  // Whatever closes, the focus is back where it came from.
  const focused = () => admin.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent);
  await admin.keyboard.press('Escape');
  await admin.locator('dialog').waitFor({ state: 'detached' });
  expect(await focused()).toBe(`Edit: ${CAROL.address}`);
  await admin.keyboard.press('Enter');
  await button(admin, 'Update User').waitFor();
  await tabTo(admin, 'Log out from everywhere');
  await admin.keyboard.press('Enter');
  await admin.getByText('Logging out…').waitFor({ state: 'detached' });
  expect(await focused()).toBe('Log out from everywhere');
  await tabTo(admin, 'New');
  await admin.keyboard.press('Space');
  await admin.keyboard.press('Escape');
  expect(await focused()).toBe('Keep editing');
  await admin.keyboard.press('Escape');
  expect(await focused()).toBe('New');
  await admin.keyboard.press('Space');
  CAROL.password = await box(admin, 'Password').inputValue();
  await tabTo(admin, 'Update User');
  await admin.keyboard.press('Enter');
  await admin.getByText('The password has been set').waitFor();
  await admin.keyboard.press('Escape');
  await admin.locator('dialog').waitFor({ state: 'detached' });
  await logInUser(user, CAROL);
  await button(user, 'Change').waitFor();
  for (const page of [user, admin]) await page.context().close();
}, 120_000);

test.each<[string, BrowserContextOptions]>([
  ['dark', { colorScheme: 'dark' }], ['phone', { viewport: { width: 320, height: 640 } }], ['arabic', { locale: 'ar' }], ['arabic-phone', { locale: 'ar', viewport: { width: 320, height: 640 } }],
  ['dutch', { locale: 'nl-NL' }],
])('%s: every page is readable, accessible, and nothing is wider than the window', async (name, options) => {
  const page = await open(options);
  const look = async (state: string): Promise<void> => {
    expect([state, await violations(page)]).toEqual([state, []]);
    expect([state, await fits(page)]).toEqual([state, true]);
    await shoot(page, `${name}-${state}`);
  };
  await page.goto(`${url}/panel/`);
  await page.locator('input[name=username]').waitFor();
  await look('user-login');
  await logInUser(page, BOB);
  await page.locator('.menu button').first().waitFor();
  await look('user-password');
  await page.locator('.menu button').nth(1).click();
  await page.locator('.devices li').first().waitFor();
  await look('user-devices');
  await page.locator('.menu button').nth(2).click();
  await page.locator('.settings').first().waitFor();
  await look('user-mail');
  await logInAdmin(page);
  await page.locator('.chooser').waitFor();
  const chooser = page.locator('.chooser input');
  await chooser.click();
  await page.locator('.chooser li').first().waitFor();
  await look('admin-domains');
  await page.locator('.chooser li').first().click();
  await page.locator('.list .pencil').first().waitFor();
  await look('admin-users');
  await page.locator('.list .pencil').first().click();
  await page.locator('dialog form').waitFor();
  await page.locator('dialog form .buttons button').first().click();
  await look('admin-dialog');
  await page.keyboard.press('Escape');
  await page.locator('.ask .plain').click();
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.getByRole('tab').nth(1).click();
  await page.locator('.history tbody tr').first().waitFor();
  await look('admin-history');
  await page.context().close();
}, 90_000);

test('offline, unavailable, rate limited and an ended session are said in words', async () => {
  const page = await open();
  await logInAdmin(page);
  await chooseDomain(page, 'mail.test');
  await button(page, `Edit: ${CAROL.address}`).waitFor();
  const problem = (code: string, status: number, params = {}) => ({ status, contentType: 'application/problem+json', body: JSON.stringify({ code, params }) });
  await page.route('**/admin/api/v1/mailbox?*', (route) => route.fulfill(problem('ACCOUNTS_UNAVAILABLE', 503)));
  await edit(page, CAROL.address);
  await page.getByText('The mail server does not answer.').waitFor();
  expect(await violations(page)).toEqual([]);
  await shoot(page, 'admin-unavailable');
  await page.unroute('**/admin/api/v1/mailbox?*');
  await button(page, 'Try again').click();
  await button(page, 'New').click();
  await page.context().setOffline(true);
  await button(page, 'Update User').click();
  await page.getByText('You are offline. Nothing was changed.').waitFor();
  await page.context().setOffline(false);
  await page.route('**/mailbox/password', (route) => route.abort('connectionreset'));
  await button(page, 'Update User').click();
  await page.getByText('We could not confirm whether the password was changed.').waitFor();
  await page.unroute('**/mailbox/password');
  await page.context().clearCookies();
  await button(page, 'Update User').click();
  await page.getByText('You have been logged out.').waitFor();
  await page.route('**/admin/api/v1/login', (route) => route.fulfill(problem('RATE_LIMITED', 429, { retryAfterSeconds: 30 })));
  await page.locator('input[name=username]').fill('admin');
  await page.locator('input[name=password]').fill('x');
  await page.locator('button[type=submit]').click();
  await page.getByText('Too many tries.').waitFor();
  await shoot(page, 'admin-rate-limited');
  await page.context().close();
  expect(console_).toBe('');
}, 60_000);
}
