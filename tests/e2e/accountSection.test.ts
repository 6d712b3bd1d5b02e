import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { source } from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page, type Route } from 'playwright-core';
import { ALICE, BOB, NEW, tempFolder } from '../fixtures/service.ts';

const root = join(__dirname, '..', '..');
const artifacts = join(root, 'tests', 'artifacts');
const BUTTON = 'Update password and log me out from everywhere';
const dataDir = tempFolder();
let server: ChildProcess;
let url: string;
/** What the server logged. */
let said = '';
let browser: Browser;

async function startServer(): Promise<void> {
  server = spawn(process.execPath, [join(root, 'dist/server/cli/main.js'), 'serve', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, MAILBOX_PASSWORD__DATADIR: dataDir },
  });
  server.stderr?.on('data', (chunk: Buffer) => { said += chunk.toString(); });
  let printed = '';
  while (!/http:\/\/\S+/.test(printed)) printed += String(((await once(server.stdout as NodeJS.ReadableStream, 'data')) as [Buffer])[0]);
  url = /http:\/\/\S+/.exec(printed)?.[0] ?? '';
}

async function stopServer(): Promise<void> {
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  await ended;
}

beforeAll(async () => {
  mkdirSync(artifacts, { recursive: true });
  await startServer();
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
}, 60_000);

afterAll(async () => {
  await browser.close();
  await stopServer();
}, 30_000);

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const page = await (await browser.newContext({ locale: 'en-GB', ...options })).newPage();
  page.setDefaultTimeout(10_000);
  return page;
}

async function logIn(page: Page, who: { address: string; password: string }): Promise<void> {
  await page.goto(`${url}/login`);
  await page.locator('input[name=address]').fill(who.address);
  await page.locator('input[name=password]').fill(who.password);
  await page.locator('button[type=submit]').click();
}

async function openSection(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'User menu' }).click();
  await page.getByRole('button', { name: 'My account' }).click();
  await page.getByRole('button', { name: BUTTON }).waitFor();
}

const box = (page: Page, label: string) => page.getByRole('textbox', { name: label, exact: true });

async function fill(page: Page, current: string, next: string, confirm = next): Promise<void> {
  await box(page, 'Current password').fill(current);
  await box(page, 'Password').fill(next);
  await box(page, 'Confirm password').fill(confirm);
  await page.getByRole('button', { name: BUTTON }).click();
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(source);
  return page.evaluate(async () => {
    const { violations: found } = await (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }).axe.run();
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}

const shoot = (page: Page, name: string) => page.screenshot({ path: join(artifacts, `${name}.png`), fullPage: true });

test('a wrong current password is said at its field, and nothing is changed', async () => {
  const page = await open();
  await logIn(page, BOB);
  await openSection(page);
  expect(await violations(page)).toEqual([]);
  await shoot(page, 'empty');
  await fill(page, 'Wrong-one-1', NEW);
  await page.getByText('This is not your current password. Nothing was changed.').waitFor();
  expect(await violations(page)).toEqual([]);
  await shoot(page, 'error');
  await page.context().close();
}, 60_000);

test('each broken rule is shown, and the common-password list comes only when typing starts', async () => {
  const page = await open();
  const loaded: string[] = [];
  page.on('request', (request) => loaded.push(request.url()));
  await logIn(page, BOB);
  await openSection(page);
  const before = loaded.filter((each) => each.includes('common-passwords')).length;
  await fill(page, BOB.password, 'bob');
  for (const text of ['At least 8 characters', 'An upper-case letter', 'A digit', 'Not the e-mail address or a part of it']) {
    await page.locator('.checklist li[data-broken]').getByText(text).waitFor();
  }
  // Said once: the list marks what is broken, the field says that something is.
  expect(await page.locator('.errors p').allInnerTexts()).toEqual(['The new password does not meet every rule. Nothing was changed.']);
  expect(await page.locator('.checklist li[data-broken]').count()).toBe(await page.locator('.checklist li[data-state=violated]').count());
  expect(before).toBe(0);
  expect(loaded.some((each) => each.includes('common-passwords'))).toBe(true);
  expect(loaded.some((each) => each.endsWith('/api/v1/password'))).toBe(false);
  await page.context().close();
}, 60_000);

test.each([
  ['Aa1!', 'At least 8 characters'],
  [`Aa1!${'x'.repeat(130)}`, 'At most 128 characters'],
  ['lower-case-1', 'An upper-case letter'],
  ['UPPER-CASE-1', 'A lower-case letter'],
  ['No-digits-here', 'A digit'],
  ['NoSpecial123', 'A special character'],
  ['My-example-1', 'Not the e-mail address or a part of it'],
  [BOB.password, 'Not your current password'],
])('the policy refuses %s in words, at the field, and sends nothing', async (password, text) => {
  const page = await open();
  const sent: string[] = [];
  page.on('request', (request) => { if (request.method() === 'POST') sent.push(new URL(request.url()).pathname); });
  await logIn(page, BOB);
  await openSection(page);
  await fill(page, BOB.password, password);
  await page.locator('.checklist li[data-broken]').getByText(text).waitFor();
  await page.locator('.errors').getByText('The new password does not meet every rule.').waitFor();
  expect(await box(page, 'Password').getAttribute('aria-invalid')).toBe('true');
  expect(sent).toEqual(['/host/login']);
  await page.context().close();
}, 60_000);

test('/.well-known/change-password leads to the section, through the log-in page', async () => {
  const page = await open();
  await page.goto(`${url}/.well-known/change-password`);
  await page.locator('input[name=address]').fill(BOB.address);
  await page.locator('input[name=password]').fill(BOB.password);
  await page.locator('button[type=submit]').click();
  await page.getByRole('button', { name: BUTTON }).waitFor();
  await page.context().close();
}, 60_000);

test('Copy puts the generated password on the clipboard, also where the Clipboard API is missing', async () => {
  const page = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
  await logIn(page, BOB);
  await openSection(page);
  for (const missing of [false, true]) {
    if (missing) await page.evaluate(() => { Object.defineProperty(navigator.clipboard, 'writeText', { value: undefined }); });
    await page.getByRole('button', { name: 'Generate password' }).click();
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByText('Copied').waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(await box(page, 'Password').inputValue());
  }
  await page.context().close();
}, 60_000);

test('the section loads in three requests once the tab is opened', async () => {
  const page = await open();
  await logIn(page, BOB);
  await page.getByRole('button', { name: 'User menu' }).waitFor();
  const loaded: string[] = [];
  page.on('request', (request) => loaded.push(new URL(request.url()).pathname));
  await openSection(page);
  const own = loaded.filter((path) => path.startsWith('/mailbox-password/') && !path.endsWith('/manifest.json') && !path.endsWith('/loader.js'));
  expect(own).toHaveLength(3);
  await page.context().close();
}, 60_000);

test.each([
  ['dark', { colorScheme: 'dark' as const }, BUTTON],
  ['phone', { viewport: { width: 320, height: 640 } }, BUTTON],
  ['arabic', { locale: 'ar' }, 'تحديث كلمة المرور وتسجيل خروجي من كل مكان'],
  ['dutch', { locale: 'nl-NL' }, 'Wachtwoord wijzigen en mij overal afmelden'],
])('%s: readable, accessible, nothing wider than the page', async (name, options, button) => {
  const page = await open(options);
  await logIn(page, BOB);
  await page.locator('.avatar').click();
  await page.locator('.menu button').first().click();
  await page.getByRole('button', { name: button }).waitFor();
  expect(await violations(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  await shoot(page, name);
  await page.context().close();
}, 60_000);

test('busy, offline, unconfirmed, rate limited and failed to load are all said, and accessible', async () => {
  const page = await open();
  await logIn(page, BOB);
  await openSection(page);
  const api = '**/api/v1/password';
  const check = async (name: string, text: string): Promise<void> => {
    await page.getByText(text).first().waitFor();
    expect(await violations(page)).toEqual([]);
    await shoot(page, name);
  };
  let release = (): void => undefined;
  await page.route(api, async (route) => {
    await new Promise<void>((resolve) => { release = resolve; });
    await route.abort('connectionreset');
  });
  await fill(page, BOB.password, NEW);
  await check('busy', 'Updating…');
  release();
  await check('unconfirmed', 'We could not confirm whether the password was changed. Try the new password first');
  await page.unroute(api);

  await page.context().setOffline(true);
  await fill(page, BOB.password, NEW);
  await check('offline', 'You are offline. Nothing was changed.');
  await page.context().setOffline(false);

  const problem = { code: 'RATE_LIMITED', params: { retryAfterSeconds: 3 } };
  await page.route(api, (route) => route.fulfill({ status: 429, contentType: 'application/problem+json', body: JSON.stringify(problem) }));
  await fill(page, BOB.password, NEW);
  await check('rate-limited', 'Too many tries. Nothing was changed. Try again in');
  await page.getByText('Too many tries.').waitFor({ state: 'detached' });
  await page.unroute(api);

  await page.route('**/api/v1/context', (route) => route.abort());
  await page.reload();
  await page.getByRole('button', { name: 'User menu' }).click();
  await page.getByRole('button', { name: 'My account' }).click();
  await check('load-failed', 'This section could not be loaded. Nothing was changed.');
  await page.unroute('**/api/v1/context');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('button', { name: BUTTON }).waitFor();
  await page.context().close();
}, 60_000);

test('where no texts can be fetched the section is words all the same, in English and marked as such, with a button', async () => {
  const page = await open({ locale: 'ar' });
  await logIn(page, BOB);
  await page.locator('.avatar').click();
  await page.route('**/locales/section/**', (route) => route.abort());
  await page.locator('.menu button').first().click();
  const alert = page.getByRole('alert');
  await alert.getByText('This section could not be loaded. Nothing was changed.').waitFor();
  expect(await alert.evaluate((element) => { const { lang, dir } = element.closest('[lang]') as HTMLElement; return { lang, dir }; })).toEqual({ lang: 'en', dir: 'ltr' });
  expect(await violations(page)).toEqual([]);
  await shoot(page, 'without-texts');
  await page.unroute('**/locales/section/**');
  await alert.getByRole('button', { name: 'Try again', exact: true }).click();
  await page.getByRole('button', { name: 'تحديث كلمة المرور وتسجيل خروجي من كل مكان' }).waitFor();
  await page.context().close();
}, 60_000);

test('the strength meter and the language choice work; Enter reaches the form only', async () => {
  const page = await open();
  const loaded: string[] = [];
  page.on('request', (request) => loaded.push(request.url()));
  await logIn(page, BOB);
  await openSection(page);
  expect(loaded.filter((each) => /strength|common/.test(each))).toEqual([]);
  await box(page, 'Password').fill('Tr0ub4dor&3-horse');
  await page.getByRole('meter', { name: 'Strength' }).waitFor();
  await page.context().clearCookies();
  await page.goto(`${url}/login`);
  await page.getByRole('combobox').selectOption('nl');
  await page.getByText('Dit is een demonstratie').waitFor();
  await page.context().close();
}, 60_000);

test('on a phone, after Enter in a field: what went wrong is in view, and one can type on', async () => {
  const page = await open();
  await page.setViewportSize({ width: 390, height: 500 });
  await logIn(page, BOB);
  await openSection(page);
  await box(page, 'Current password').fill(BOB.password);
  await box(page, 'Password').fill('Fresh!Harvest42');
  await box(page, 'Confirm password').fill('Fresh!Harvest42');
  const place = page.locator('form [role=alert]');
  const belowView = (element: Element): boolean => element.getBoundingClientRect().top > innerHeight;
  const api = '**/api/v1/password';
  const wrongs: readonly (readonly [string, (route: Route) => Promise<void>])[] = [
    ['We could not confirm whether the password was changed.', (route) => route.abort()],
    ['Too many tries.', (route) => route.fulfill({ status: 429, contentType: 'application/problem+json', body: JSON.stringify({ code: 'RATE_LIMITED', params: { retryAfterSeconds: 30 } }) })],
  ];
  for (const [words, answer] of wrongs) {
    await page.route(api, answer);
    // At the top, where the place of the message, below the rules, is out of view; and it stays so until something scrolls to it.
    await box(page, 'Confirm password').focus();
    await box(page, 'Current password').focus();
    await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => { requestAnimationFrame(resolve); }); }));
    expect([words, await place.evaluate(belowView)]).toEqual([words, true]);
    await page.keyboard.press('Enter');
    const message = page.getByRole('alert').locator('.warning').filter({ hasText: words });
    await message.waitFor();
    await page.waitForFunction((input) => (input?.getRootNode() as ShadowRoot).activeElement === input, await box(page, 'Current password').elementHandle());
    // Fractions of a pixel apart.
    await page.waitForFunction((element) => {
      const { top, bottom } = element.getBoundingClientRect();
      return top >= 0 && bottom < innerHeight + 1;
    }, await message.elementHandle());
    await page.unroute(api);
  }
  await page.context().close();
}, 60_000);

test('the whole story: two browsers, generator, keyboard, everybody out, old refused, new works, also after a restart', async () => {
  const [one, two] = [await open(), await open()];
  await logIn(one, ALICE);
  await logIn(two, ALICE);
  await two.getByRole('button', { name: 'Inbox' }).waitFor();
  await openSection(one);
  await one.getByRole('button', { name: 'Generate password' }).click();
  const password = await box(one, 'Password').inputValue();
  expect(password).toHaveLength(16);
  expect(await one.locator('dialog legend').allInnerTexts()).toEqual(['User', 'Password', 'Authorised clients']);
  expect(await box(one, 'Confirm password').inputValue()).toBe(password);
  await shoot(one, 'generated');
  await box(one, 'Current password').focus();
  await one.keyboard.type(ALICE.password);
  await one.keyboard.press('Enter');
  await one.getByText('Your password has been changed').waitFor();
  await one.getByText('Webmail: 2 sessions').waitFor();
  // Under the words that they are logged out, no list of clients that says otherwise.
  expect(await one.locator('dialog legend').allInnerTexts()).toEqual(['User', 'Password']);
  expect(await violations(one)).toEqual([]);
  const left = await one.evaluate(() => {
    const all = (root: Document | ShadowRoot): string => [...root.querySelectorAll('*')].map((element) =>
      `${element.shadowRoot === null ? '' : element.shadowRoot.innerHTML + all(element.shadowRoot)} ${(element as HTMLInputElement).value ?? ''}`).join(' ');
    return document.documentElement.outerHTML + all(document) + JSON.stringify([localStorage, sessionStorage, location.href]);
  });
  expect(left).toContain('Your password has been changed');
  for (const secret of [password, ALICE.password]) {
    expect(left).not.toContain(secret);
    for (const file of readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())) expect(readFileSync(join(file.parentPath, file.name)).includes(secret)).toBe(false);
    expect(said).not.toContain(secret);
  }
  await shoot(one, 'done');

  await two.getByRole('button', { name: 'Inbox' }).click();
  await two.getByText('You have been logged out.').waitFor();
  await one.getByRole('button', { name: 'Log in again' }).click();
  await one.getByText('Your password has been changed. Log in with the new one.').waitFor();
  await logIn(one, ALICE);
  await one.getByText(/^The e.mail address or the password is wrong\.$/).waitFor();
  await shoot(one, 'login');

  await stopServer();
  await startServer();
  await logIn(one, { ...ALICE, password });
  await one.getByRole('button', { name: 'User menu' }).waitFor();
}, 90_000);

test('with the keyboard alone, from the log-in page to the log-in page', async () => {
  const carol = { address: 'carol@mail.test', password: 'Singing-bells-9' };
  const page = await open();
  const { keyboard } = page;
  const tabTo = async (name: string): Promise<void> => {
    for (let n = 0; n < 30; n += 1) {
      const focused = await page.evaluate(() => {
        let element = document.activeElement;
        while (element?.shadowRoot?.activeElement != null) element = element.shadowRoot.activeElement;
        const labels = (element as HTMLInputElement | null)?.labels;
        return element?.ariaLabel ?? labels?.[0]?.textContent ?? element?.textContent ?? '';
      });
      if (focused.trim() === name) return;
      await keyboard.press('Tab');
    }
    throw new Error(`Tab does not reach ${name}`);
  };
  await page.goto(`${url}/login`);
  await page.getByRole('button', { name: 'Log in' }).waitFor();
  await tabTo('E-mail address');
  await keyboard.type(carol.address);
  await tabTo('Password');
  await keyboard.type(carol.password);
  await keyboard.press('Enter');
  await page.getByRole('button', { name: 'User menu' }).waitFor();
  await tabTo('User menu');
  await keyboard.press('Enter');
  await tabTo('My account');
  await keyboard.press('Enter');
  await page.getByRole('button', { name: BUTTON }).waitFor();
  await tabTo('Current password');
  await keyboard.type(carol.password);
  await tabTo('Generate password');
  await keyboard.press('Space');
  await tabTo(BUTTON);
  await keyboard.press('Enter');
  await page.getByText('Your password has been changed').waitFor();
  await tabTo('Log in again');
  await keyboard.press('Enter');
  await page.getByText('Log in with the new one.').waitFor();
  await page.context().close();
}, 60_000);
