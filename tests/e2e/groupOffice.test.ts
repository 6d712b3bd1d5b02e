import { mkdirSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { pino } from 'pino';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
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
let situation: { available: boolean; texts: object; narrow?: boolean };
let dialogUser: { id?: string; authenticators?: string[] };
let asked: string[];
let look: { scheme: 'light' | 'dark'; language: string };

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
  look = { scheme: 'light', language: 'en' };
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
  const host = await groupOfficeHost.create({ ...options, localDomains: ['mail.test'], administratorDomains: [] }, context);
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
  if (path === '/ext.css') {
    response.writeHead(200, { 'Content-Type': 'text/css' }).end(readFileSync(join(root, 'tests/fixtures/groupOfficeDouble/extStandIn.css')));
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

const page = (): string => `<!DOCTYPE html><html class="ext-strict"><head><title>Webmail</title><link rel="stylesheet" href="/ext.css"></head>
<body class="ext-webkit ${look.scheme}">
<script>window.situation = ${JSON.stringify(situation)};</script>
<script src="/ext.js"></script>
<script src="/go/modules/mailboxpassword/mailboxpassword/views/extjs3/MailboxPassword.js"></script>
<script type="module" src="/go/modules/mailboxpassword/mailboxpassword/views/goui/dist/Index.js?v=26.0.42"></script>
<script type="module">
const session = await (await fetch('/api/jmap.php')).json();
window.signedIn = !!session.userId;
window.groupofficeCore = { client: { CSRFToken: session.CSRFToken } };
go.User = { id: session.userId, language: '${look.language}', themeColorScheme: '${look.scheme}', session };
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

/** What an eye compares of a field: ours (in the shadow root) and the native one, the same questions. */
const fieldLook = (field: Locator) => field.evaluate((element) => {
  const input = element.querySelector('input') as HTMLInputElement;
  const framed = element.matches('.field') ? element.querySelector('.box') as HTMLElement : input;
  const label = element.querySelector('label') as HTMLElement;
  const arrow = [...element.querySelectorAll('button')].at(-1) as HTMLElement | undefined;
  const [frame, style, labelStyle] = [framed.getBoundingClientRect(), getComputedStyle(framed), getComputedStyle(label)];
  const middle = (rect: DOMRect) => rect.top + rect.height / 2 - frame.top;
  const words = document.createRange();
  words.selectNodeContents(label);
  const end = arrow?.getBoundingClientRect();
  return {
    width: Math.round(frame.width), height: Math.round(frame.height), radius: style.borderRadius, border: `${style.borderTopWidth} ${style.borderTopStyle} ${style.borderTopColor}`,
    background: style.backgroundColor, color: getComputedStyle(input).color, font: getComputedStyle(input).fontFamily, size: getComputedStyle(input).fontSize,
    label: { color: labelStyle.color, size: Math.round(parseFloat(labelStyle.fontSize)), middle: Math.round(middle(words.getBoundingClientRect())), start: Math.round(words.getBoundingClientRect().left - frame.left) },
    arrow: end && { width: Math.round(end.width), fromTheEnd: Math.round(getComputedStyle(label).direction === 'rtl' ? end.left - frame.left : frame.right - end.right), tooltip: arrow?.title },
  };
});
type FieldLook = Awaited<ReturnType<typeof fieldLook>>;
/** Ours stands where theirs does, give or take a pixel of rounding. */
function expectAtHome(mine: FieldLook, native: FieldLook): void {
  const { label, arrow, ...rest } = mine;
  const { label: theirs, ...others } = native;
  expect({ ...rest, arrow: null }).toEqual({ ...others, arrow: null });
  expect([label.color, label.size]).toEqual([theirs.color, theirs.size]);
  expect(Math.abs(label.start - theirs.start)).toBeLessThanOrEqual(2);
  expect(Math.abs(label.middle - theirs.middle)).toBeLessThanOrEqual(2);
  expect(arrow).toBeDefined();
}
const ourField = (opened: Page, label: string) => opened.locator('.field').filter({ has: opened.getByText(label, { exact: true }) });
const nativeField = (opened: Page, name: string) => opened.locator(`.x-form-item:has(input[name=${name}])`);

test.each(['light', 'dark'] as const)("it looks at home (%s): the native field's size, corners, border, colours, font and floating label", async (scheme) => {
  look.scheme = scheme;
  dialogUser = { authenticators: ['password'] };
  const opened = await visit('alice', 'Alicepass-1');
  // The stand-in is itself what was recorded.
  await openAccount(opened);
  await button(opened).waitFor();
  const native = await fieldLook(nativeField(opened, 'password'));
  if (scheme === 'light') {
    expect(native).toMatchObject({ width: 260, height: 38, radius: '8.64px', border: '1px solid rgba(0, 0, 0, 0.12)', background: 'rgb(255, 255, 255)', color: 'rgb(10, 10, 10)', font: 'Lato, Arial, Helvetica', size: '13.824px', arrow: { width: 38, fromTheEnd: 0 } });
  }
  const mine = await fieldLook(ourField(opened, 'Password'));
  expectAtHome(mine, native);
  expect(mine.arrow).toEqual({ width: 38, fromTheEnd: 1, tooltip: 'Generate password' });
  // The label floats where something is typed, and while the field has the focus.
  for (const [label, name] of [['Password', 'password'], ['Confirm password', 'confirm']] as const) {
    await box(opened, label).fill('x');
    await nativeField(opened, name).locator('input').fill('x');
  }
  await nativeField(opened, 'username').locator('input').focus();
  await opened.waitForTimeout(250);
  const [floating, theirs] = [await fieldLook(ourField(opened, 'Password')), await fieldLook(nativeField(opened, 'password'))];
  expectAtHome(floating, theirs);
  expect(floating.label.middle).toBeLessThanOrEqual(1);
  expect(mine.label.middle).toBeGreaterThan(15);
  expect(floating.label.size).toBeLessThan(mine.label.size);
  expectAtHome(await fieldLook(ourField(opened, 'Confirm password')), await fieldLook(nativeField(opened, 'confirm')));
  await opened.screenshot({ path: join(root, `tests/artifacts/group-office-${scheme}.png`), fullPage: true });
}, 60_000);

test("it wears the colours that the page is painted in, not the user's stored setting, and changes with the page", async () => {
  const opened = await visit();
  const paint = (dark: boolean) => opened.evaluate((on) => document.body.classList.toggle('dark', on), dark);
  const worn = (scheme: string) => opened.waitForFunction((wanted) => [...document.querySelectorAll('*')].flatMap((each) => each.shadowRoot?.querySelector('.root') ?? []).some((each) => getComputedStyle(each).colorScheme === wanted), scheme);
  await paint(true);
  await openAccount(opened);
  await button(opened).waitFor();
  await worn('dark');
  await paint(false);
  await worn('normal');
  await box(opened, 'Password').fill('still-there');
  await paint(true);
  await worn('dark');
  expect(await box(opened, 'Password').inputValue()).toBe('still-there');
}, 60_000);

test('in a right-to-left language the section turns, and the arrow stands at the left end', async () => {
  look.language = 'ar';
  const opened = await visit();
  await openAccount(opened);
  const generate = opened.locator('.field').nth(1).locator('button').last();
  await generate.waitFor();
  const { width, fromTheEnd } = (await fieldLook(opened.locator('.field').nth(1))).arrow!;
  expect({ width, fromTheEnd }).toEqual({ width: 38, fromTheEnd: 1 });
  await opened.screenshot({ path: join(root, 'tests/artifacts/group-office-ar.png'), fullPage: true });
}, 60_000);

test("Enter submits our form and presses our buttons, and never reaches the host's dialog", async () => {
  const opened = await visit();
  await openAccount(opened);
  await button(opened).waitFor();
  for (const label of ['Current password', 'Password', 'Confirm password']) {
    await box(opened, label).fill('short');
    await box(opened, label).press('Enter');
    await opened.locator('[aria-invalid=true]').first().waitFor();
  }
  await box(opened, 'Current password').fill(OLD);
  await box(opened, 'Password').fill(NEW);
  await box(opened, 'Confirm password').fill(NEW);
  await box(opened, 'Confirm password').press('Enter');
  const again = opened.getByRole('button', { name: 'Log in again' });
  await again.waitFor();
  expect(await submitted(opened)).toBe(0);
  // On the result, too, where no form of ours is left to stop it.
  await opened.evaluate(() => { document.querySelector('.dialog')?.addEventListener('keydown', () => { sessionStorage.setItem('reached', 'yes'); }); });
  await Promise.all([opened.waitForNavigation(), again.press('Enter')]);
  expect(await opened.evaluate(() => sessionStorage.getItem('reached'))).toBeNull();
}, 60_000);

test("Enter in the dialog's own fields submits it: the stand-in can tell the difference", async () => {
  const opened = await visit();
  await openAccount(opened);
  await nativeField(opened, 'username').locator('input').press('Enter');
  expect(await submitted(opened)).toBeGreaterThan(0);
}, 60_000);

test("the dialog's own Save asks first where a new password is typed: it would close, and the person believe it changed", async () => {
  situation.texts = { 'mailboxpassword/mailboxpassword': { Password: 'Password', 'section.consequence': 'You are logged out everywhere.' } };
  const opened = await visit();
  await opened.setViewportSize({ width: 390, height: 844 });
  await openAccount(opened);
  await button(opened).waitFor();
  const save = opened.getByRole('button', { name: 'Save', exact: true });
  const question = opened.getByRole('dialog', { name: 'Password' });
  await box(opened, 'Current password').fill(OLD);
  await box(opened, 'Password').fill(NEW);
  await save.click();
  await question.getByText('You are logged out everywhere.').waitFor();
  const edges = await question.boundingBox();
  expect(edges!.x).toBeGreaterThanOrEqual(0);
  expect(edges!.x + edges!.width).toBeLessThanOrEqual(390);
  await question.getByRole('button', { name: 'Cancel' }).click();
  expect(await box(opened, 'Password').inputValue()).toBe(NEW);
  expect(double.state.mailboxes.get('1')!.password).toBe(OLD);
  // As our own button: what is missing is named.
  await save.click();
  await question.getByRole('button', { name: 'OK' }).click();
  await opened.locator('[aria-invalid=true]').first().waitFor();
  await box(opened, 'Confirm password').fill(NEW);
  await save.click();
  await question.getByRole('button', { name: 'OK' }).click();
  await opened.getByText('Your password has been changed').waitFor();
  expect(double.state.mailboxes.get('1')!.password).toBe(NEW);
  expect(await submitted(opened)).toBe(0);
  // Nothing is typed now, and Save saves.
  await save.click();
  expect(await submitted(opened)).toBe(1);
}, 60_000);

test('Save saves where no new password is typed, whatever a password manager filled in', async () => {
  const opened = await visit();
  await openAccount(opened);
  await button(opened).waitFor();
  await box(opened, 'Current password').fill(OLD);
  await opened.getByRole('button', { name: 'Save', exact: true }).click();
  expect(await submitted(opened)).toBe(1);
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
  // Under the words that they are logged out, no list of clients that says otherwise.
  expect(await fieldsets(opened)).toEqual(['User', 'Password']);
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

test('on a phone, where the tab is rendered when it is chosen and not with the dialog, the section comes with the tab', async () => {
  situation.narrow = true;
  const opened = await visit();
  const faults: string[] = [];
  opened.on('pageerror', (error) => faults.push(error.message));
  const tab = opened.getByRole('button', { name: 'Account', exact: true, includeHidden: true }).last();
  await openAccount(opened);
  await opened.waitForTimeout(200);
  // Closed before the tab was chosen: what is rendered later, behind a closed dialog, mounts nothing.
  await opened.getByRole('button', { name: 'Close dialog' }).click();
  await tab.evaluate((element: HTMLElement) => { element.click(); });
  expect(await ours(opened)).toBe(0);
  await openAccount(opened);
  await opened.waitForTimeout(200);
  expect(await ours(opened)).toBe(0);
  await tab.click();
  await button(opened).waitFor();
  expect(await ours(opened)).toBe(1);
  expect(faults).toEqual([]);
}, 60_000);

test('opened and closed many times, nothing is left behind: no section, no listener, no request', async () => {
  const opened = await visit();
  await openAccount(opened);
  await button(opened).waitFor();
  await opened.getByRole('button', { name: 'Close dialog' }).click();
  const devtools = await opened.context().newCDPSession(opened);
  const held = async () => {
    await devtools.send('HeapProfiler.collectGarbage');
    const { jsEventListeners, nodes } = await devtools.send('Memory.getDOMCounters');
    return { jsEventListeners, nodes };
  };
  // The real dialog is made once, and shown and hidden from then on.
  const show = () => opened.evaluate(() => { const { dialog } = globalThis as unknown as { dialog: { show(): { load(user: unknown): void }; user: unknown } }; dialog.show().load(dialog.user); });
  const round = async () => {
    await show();
    await button(opened).waitFor();
    await opened.getByRole('button', { name: 'Close dialog' }).click();
    expect(await ours(opened)).toBe(0);
  };
  for (let warm = 0; warm < 3; warm++) await round();
  const before = await held();
  for (let again = 0; again < 10; again++) await round();
  const after = await held();
  // Ten sections would be hundreds of listeners and more than a thousand nodes.
  expect(after.jsEventListeners - before.jsEventListeners).toBeLessThan(20);
  expect(after.nodes - before.nodes).toBeLessThan(100);
  asked.length = 0;
  await opened.waitForTimeout(300);
  expect(asked).toEqual([]);
}, 120_000);

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
