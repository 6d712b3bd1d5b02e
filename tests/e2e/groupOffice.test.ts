import { mkdirSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { pino } from 'pino';
import { type Browser, chromium, type Page } from 'playwright-core';
import groupOfficeMaildomains from '../../server/drivers/accounts/groupOfficeMaildomains.ts';
import groupOfficeHost from '../../server/drivers/hosts/groupOffice.ts';
import groupOfficeSessions from '../../server/drivers/sessions/groupOffice.ts';
import { dropInFiles, type DropInSettings } from '../../server/groupOffice/dropInFiles.ts';
import { GroupOfficeDouble } from '../fixtures/groupOfficeDouble/groupOfficeDouble.ts';
import { NEW, startService } from '../fixtures/service.ts';

/**
 * The built drop-in in a page with the ExtJS calls it needs, in Chromium: the real client from `dist/client`, the real server
 * half with the groupOffice drivers, and the double as Group-Office. The same origin for all, as behind a proxy.
 */
const root = join(__dirname, '..', '..');
const CAROL = 'carol@mail.test';
const OLD = 'Mailpass-1';
const BUTTON = 'Update password and log me out from everywhere';
const CHROMIUM = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
/** As a real Group-Office sends it: no connect-src. */
const CSP = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data: blob:";

let double: GroupOfficeDouble;
let service: Awaited<ReturnType<typeof startService>>;
let browser: Browser;
let servicePort: number;
let settings: DropInSettings;
let situation: { available: boolean; texts: object };
let dialogUser: { id?: string; authenticators?: string[] };
let asked: string[];

beforeAll(async () => {
  mkdirSync(join(root, 'tests/artifacts'), { recursive: true });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: CHROMIUM });
}, 60_000);
afterAll(() => browser.close());

beforeEach(async () => {
  settings = { basePath: '/mailbox-password', localUsers: 'below' };
  situation = { available: true, texts: {} };
  dialogUser = {};
  asked = [];
  double = await GroupOfficeDouble.start();
  const { state } = double;
  state.imapDomains.add('mail.test');
  state.mailDomains.set('1', { id: '1', domain: 'mail.test', active: true });
  state.mailboxes.set('1', { id: '1', domainId: '1', username: CAROL, password: OLD, active: true, description: 'Carol' });
  state.addUser({ username: 'alice', email: 'alice@mail.test', password: 'Alicepass-1' });
  const serviceKey = double.installDropIn();
  state.modules.set('community/maildomains', { id: '77', package: 'community', name: 'maildomains', readers: null, managers: new Set() });
  const context = { name: 'web', dataDir: '/nonexistent', clock: { now: () => Date.now() }, log: pino({ level: 'silent' }) };
  const options = { url: double.url, host: null };
  const host = await groupOfficeHost.create({ ...options, localDomains: ['mail.test'] }, context);
  const stores = [await groupOfficeSessions.create(groupOfficeSessions.options.validateSync({ ...options, serviceKey }, { strict: true }) as never, context)];
  const accounts = await groupOfficeMaildomains.create({ ...options, serviceKey }, context);
  service = await startService({ overrides: { server: { port: 0, publicUrl: double.url } }, decorate: (wiring) => ({ ...wiring, host, stores, accounts }) });
  await service.app.listen({ host: '127.0.0.1', port: 0 });
  servicePort = (service.app.server.address() as { port: number }).port;
  double.behind = behind;
}, 30_000);
afterEach(async () => {
  await service.stop();
  await double.stop();
}, 30_000);

/** What nginx does in front of a Group-Office: its own files, the service as a path, and a page in place of the webmail. */
const behind: NonNullable<GroupOfficeDouble['behind']> = async (request, response, body) => {
  const path = new URL(request.url ?? '/', double.url).pathname;
  if (path === '/office') {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': CSP });
    response.end(page());
    return true;
  }
  if (path === '/ext.js') {
    response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(readFileSync(join(root, 'tests/fixtures/groupOfficeDouble/extStandIn.js')));
    return true;
  }
  const module = '/go/modules/mailboxpassword/mailboxpassword/';
  if (path.startsWith(module)) {
    const file = dropInFiles(settings).get(path.slice(module.length));
    response.writeHead(file === undefined ? 404 : 200, { 'Content-Type': 'text/javascript' }).end(file);
    return true;
  }
  if (!path.startsWith('/mailbox-password/')) return false;
  asked.push(`${request.method ?? ''} ${path}`);
  await new Promise<void>((resolve, reject) => {
    const headers = { ...request.headers, 'x-forwarded-for': '192.0.2.44' };
    const onward = httpRequest({ host: '127.0.0.1', port: servicePort, path: request.url, method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response).on('finish', resolve);
    });
    onward.on('error', reject).end(body);
  });
  return true;
};

const page = (): string => `<!DOCTYPE html><html class="ext-strict"><head><title>Webmail</title>
<style>body { font: 13.824px Lato, Arial, Helvetica; color: rgb(10,10,10); background: #ebecf1 } .x-fieldset-header { font-size: 13.824px } * { box-sizing: content-box } input { height: 99px; border: 9px solid red }</style></head>
<body class="ext-webkit light">
<script>window.situation = ${JSON.stringify(situation)};</script>
<script src="/ext.js"></script>
<script src="/go/modules/mailboxpassword/mailboxpassword/views/extjs3/MailboxPassword.js"></script>
<script type="module" src="/go/modules/mailboxpassword/mailboxpassword/views/goui/dist/Index.js?v=26.0.42"></script>
<script type="module">
const session = await (await fetch('/api/jmap.php')).json();
window.signedIn = !!session.userId;
window.groupofficeCore = { client: { CSRFToken: session.CSRFToken } };
go.User = { id: session.userId, language: 'en', themeColorScheme: 'light', session };
window.openAccount = () => {
  const user = Object.assign({ id: session.userId, authenticators: ['imap'] }, ${JSON.stringify(dialogUser)});
  return (window.dialog = new go.usersettings.UserSettingsDialog({})).show().load(user);
};
document.body.dataset.ready = 'yes';
</script></body></html>`;

async function visit(username = CAROL, password = OLD): Promise<Page> {
  const session = await double.signIn(username, password, true);
  const browserContext = await browser.newContext({ locale: 'en-GB' });
  await browserContext.addCookies([{ name: 'accessToken', value: session.accessToken, url: double.url, httpOnly: true, sameSite: 'Lax' }]);
  const opened = await browserContext.newPage();
  opened.setDefaultTimeout(10_000);
  await opened.goto(`${double.url}/office`);
  await opened.locator('body[data-ready]').waitFor({ state: 'attached' });
  return opened;
}
const openAccount = (opened: Page) => opened.evaluate(() => { (globalThis as unknown as { openAccount(): void }).openAccount(); });
const box = (opened: Page, label: string) => opened.getByRole('textbox', { name: label, exact: true });
const button = (opened: Page) => opened.getByRole('button', { name: BUTTON });
const submitted = (opened: Page) => opened.evaluate(() => (globalThis as unknown as { submitted: number }).submitted);
const fieldsets = (opened: Page) => opened.evaluate(() => [...document.querySelectorAll<HTMLElement>('.dialog .x-fieldset')].filter((each) => each.checkVisibility()).map((each) => each.querySelector('.x-fieldset-header')?.textContent));
const ours = (opened: Page) => opened.evaluate(() => [...document.querySelectorAll('*')].filter((each) => each.shadowRoot !== null).length);

test('nothing is asked of the service until the tab is opened; the section then stands where the hidden fieldset would', async () => {
  const opened = await visit();
  expect(asked).toEqual([]);
  await openAccount(opened);
  await button(opened).waitFor();
  expect(asked.slice(0, 1)).toEqual(['GET /mailbox-password/assets/loader.js']);
  expect(await fieldsets(opened)).toEqual(['User', 'Password', 'Authorized clients']);
  expect(await submitted(opened)).toBe(0);
  await opened.screenshot({ path: join(root, 'tests/artifacts/group-office-section.png') });
}, 60_000);

test("it looks at home: the native field's height, corners and font, whatever the host's own CSS says", async () => {
  const recorded = { height: 38, radius: '8.64px', fontSize: 13.824 };
  const opened = await visit();
  await openAccount(opened);
  await button(opened).waitFor();
  const measured = await box(opened, 'Password').evaluate((input) => {
    const field = input.closest('.box') as HTMLElement;
    const style = getComputedStyle(field);
    return { height: field.getBoundingClientRect().height, radius: style.borderRadius, font: style.fontFamily, fontSize: parseFloat(getComputedStyle(input).fontSize), arrow: [...field.querySelectorAll('button')].map((each) => each.getBoundingClientRect().width) };
  });
  expect(measured).toMatchObject({ height: recorded.height, radius: recorded.radius });
  expect(Math.abs(measured.fontSize - recorded.fontSize)).toBeLessThan(0.1);
  expect(measured.font).toMatch(/^Lato/);
  expect(measured.arrow).toContain(38);
}, 60_000);

test('Enter in a field submits our form and not the dialog', async () => {
  const opened = await visit();
  await openAccount(opened);
  await button(opened).waitFor();
  await box(opened, 'Password').fill('short');
  await box(opened, 'Password').press('Enter');
  await opened.locator('[aria-invalid=true]').first().waitFor();
  expect(await submitted(opened)).toBe(0);
  // The dialog's own fields still do: the stand-in can tell the difference.
  await opened.locator('.dialog input').first().press('Enter');
  expect(await submitted(opened)).toBeGreaterThan(0);
}, 60_000);

test('the whole story: changed, everything ended, the old password refused at once, the new one logs in', async () => {
  const opened = await visit();
  const second = await double.signIn(CAROL, OLD, true);
  expect(await double.alive(second.accessToken)).toBe(true);
  expect(double.state.rememberMe.size).toBe(2);
  await openAccount(opened);
  await button(opened).waitFor();
  await box(opened, 'Current password').fill(OLD);
  await box(opened, 'Password').fill(NEW);
  await box(opened, 'Confirm password').fill(NEW);
  await button(opened).click();
  await opened.getByText('Your password has been changed').waitFor();
  expect(double.state.mailboxes.get('1')!.password).toBe(NEW);
  expect(await double.alive(second.accessToken)).toBe(false);
  expect(double.state.rememberMe.size).toBe(0);
  expect([...double.state.tokens.values()].filter(({ expiresAt }) => expiresAt !== null)).toEqual([]);
  await expect(double.signIn(CAROL, OLD)).rejects.toThrow('401');
  // The client address that the proxy saw reaches Group-Office's log.
  await opened.screenshot({ path: join(root, 'tests/artifacts/group-office-done.png') });
  await Promise.all([opened.waitForNavigation(), opened.getByRole('button', { name: 'Log in again' }).click()]);
  await opened.locator('body[data-ready]').waitFor({ state: 'attached' });
  expect(new URL(opened.url()).pathname).toBe('/office');
  expect(await opened.evaluate(() => (globalThis as unknown as { signedIn: boolean }).signedIn)).toBe(false);
  expect((await opened.context().cookies()).filter(({ name }) => ['accessToken', 'goRememberMe'].includes(name))).toEqual([]);
  await expect(double.signIn(CAROL, NEW)).resolves.toBeDefined();
}, 60_000);

test('a wrong current password ends nothing', async () => {
  const opened = await visit();
  const second = await double.signIn(CAROL, OLD);
  await openAccount(opened);
  await button(opened).waitFor();
  await box(opened, 'Current password').fill('Not-it-at-all-1');
  await box(opened, 'Password').fill(NEW);
  await box(opened, 'Confirm password').fill(NEW);
  await button(opened).click();
  await opened.getByText('This is not your current password. Nothing was changed.').waitFor();
  expect(await double.alive(second.accessToken)).toBe(true);
  expect(double.state.mailboxes.get('1')!.password).toBe(OLD);
}, 60_000);

test('closing unmounts, a second opening works, and what is typed survives a reload of the dialog', async () => {
  const opened = await visit();
  await openAccount(opened);
  await button(opened).waitFor();
  await box(opened, 'Password').fill('half-typed');
  await opened.evaluate(() => { const { dialog } = globalThis as unknown as { dialog: { load(user: unknown): void; user: unknown } }; dialog.load(dialog.user); });
  await opened.waitForTimeout(200);
  expect(await box(opened, 'Password').inputValue()).toBe('half-typed');
  await opened.getByRole('button', { name: 'Close dialog' }).click();
  expect(await ours(opened)).toBe(0);
  // A change of the user reloads dialogs that were closed, too.
  await opened.evaluate(() => { const { dialog } = globalThis as unknown as { dialog: { load(user: unknown): void; user: unknown } }; dialog.load(dialog.user); });
  await opened.waitForTimeout(200);
  expect(await ours(opened)).toBe(0);
  await openAccount(opened);
  await button(opened).waitFor();
  expect(await box(opened, 'Password').inputValue()).toBe('');
  expect(await ours(opened)).toBe(1);
  await opened.evaluate(() => { (globalThis as unknown as { dialog: { destroy(): void } }).dialog.destroy(); });
  expect(await ours(opened)).toBe(0);
}, 60_000);

test('an administrator who edits somebody else sees no section, nor does a user without the module', async () => {
  dialogUser = { id: '4711' };
  const admin = await visit();
  await openAccount(admin);
  await admin.waitForTimeout(300);
  expect(await fieldsets(admin)).toEqual(['User', 'Authorized clients']);
  dialogUser = {};
  situation.available = false;
  const without = await visit();
  await openAccount(without);
  await without.waitForTimeout(300);
  expect(await fieldsets(without)).toEqual(['User', 'Authorized clients']);
  expect(asked).toEqual([]);
}, 60_000);

test.each([
  ['below', ['User', 'Password', 'Password', 'Authorized clients'], 1],
  ['instead', ['User', 'Password', 'Authorized clients'], 1],
  ['never', ['User', 'Password', 'Authorized clients'], 0],
] as const)('a local user sees it %s', async (localUsers, titles, mounted) => {
  settings = { ...settings, localUsers };
  dialogUser = { authenticators: ['password'] };
  const opened = await visit('alice', 'Alicepass-1');
  await openAccount(opened);
  if (mounted === 1) await button(opened).waitFor();
  else await opened.waitForTimeout(300);
  expect(await fieldsets(opened)).toEqual(titles);
  expect(await ours(opened)).toBe(mounted);
}, 60_000);

test('an upgrade replaces the chunks without breaking a page that is open', async () => {
  const opened = await visit();
  let first = true;
  // The page remembers a loader whose chunk is gone; the one of now is asked for under another address.
  await opened.route('**/assets/loader.js', async (route) => {
    const answer = await route.fetch();
    const text = (await answer.text()).replace(/("account-section"|account-section)([^"]*?)([0-9a-f]{12})/, (_whole, name: string, middle: string) => `${name}${middle}000000000000`).replaceAll(/"[0-9a-f]{12}"/g, '"000000000000"');
    first = false;
    await route.fulfill({ response: answer, body: text });
  });
  await openAccount(opened);
  await button(opened).waitFor();
  expect(first).toBe(false);
  expect(asked.filter((each) => each.includes('account-section')).map((each) => each.includes('000000000000'))).toEqual([true, false]);
}, 60_000);

test('a service that is down says so in the section, in the language of the user, and leaves the dialog alone', async () => {
  situation.texts = { 'mailboxpassword/mailboxpassword': { 'section.loadFailed': 'Nicht geladen.' } };
  const opened = await visit();
  await opened.route('**/mailbox-password/**', (route) => route.abort());
  await openAccount(opened);
  await opened.getByText('Nicht geladen.').waitFor();
  expect(await fieldsets(opened)).toEqual(['User', 'Password', 'Authorized clients']);
}, 60_000);
