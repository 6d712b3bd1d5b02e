import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { ALICE, NEW, tempFolder } from '../fixtures/service.ts';

jest.setTimeout(180_000);

const root = join(__dirname, '..', '..');
const artifacts = join(root, 'tests', 'artifacts');
const dataDir = tempFolder();
const file = join(dataDir, 'config.yaml');
const write = (readOnly: boolean): void => { writeFileSync(file, `dataDir: ${dataDir}\nserver: { port: 0 }\nreadOnly: ${String(readOnly)}\n`); };
const NOTICE = 'Maintenance: passwords cannot be changed right now. Mail works as always. Please come back later.';
let server: ChildProcess;
let browser: Browser;
let url = '';
let said = '';

beforeAll(async () => {
  mkdirSync(artifacts, { recursive: true });
  write(false);
  server = spawn(process.execPath, [join(root, 'dist/server/cli/main.js'), 'serve', '-c', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  server.stderr?.on('data', (chunk: Buffer) => { said += chunk.toString(); });
  let printed = '';
  while (!/http:\/\/\S+/.test(printed)) printed += String(((await once(server.stdout as NodeJS.ReadableStream, 'data')) as [Buffer])[0]);
  url = /http:\/\/\S+/.exec(printed)?.[0] ?? '';
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
});

afterAll(async () => {
  await browser.close();
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  expect((await ended)[0]).toBe(0);
});

async function reload(readOnly: boolean): Promise<void> {
  const times = said.split('was read again').length;
  write(readOnly);
  server.kill('SIGHUP');
  const end = Date.now() + 30_000;
  while (said.split('was read again').length === times) {
    if (Date.now() > end) throw new Error(said);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

async function open(path: string, clock = false): Promise<Page> {
  const page = await (await browser.newContext({ locale: 'en-GB' })).newPage();
  if (clock) await page.clock.install();
  page.setDefaultTimeout(15_000);
  await page.goto(url + path);
  return page;
}

async function logIn(page: Page, name: string, password: string): Promise<void> {
  await page.locator('input[name=username]').fill(name);
  await page.locator('input[name=password]').fill(password);
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
}

const inputs = (page: Page, scope: string) => page.locator(`${scope} input[type=password]`).evaluateAll((all) => all.map((one) => (one as HTMLInputElement).disabled));
const shoot = (page: Page, name: string) => page.screenshot({ path: join(artifacts, `maintenance-${name}.png`), fullPage: true });

test('maintenance is said before anybody types anything, on all three surfaces; log-outs go on; afterwards changes do', async () => {
  // A page that was open before is told at its try.
  const before = await open('/panel');
  await logIn(before, ALICE.address, ALICE.password);
  await before.locator('input[name=newPassword]').waitFor();
  // A log-in page that was open before learns of it by itself; so does who is logged in.
  const waiting = await open('/admin', true);
  await waiting.locator('input[name=username]').waitFor();
  await reload(true);
  await waiting.clock.fastForward(31_000);
  await waiting.getByText(NOTICE).waitFor();
  await before.locator('input[name=newPassword]').fill(NEW);
  await before.locator('input[name=confirm]').fill(NEW);
  await before.getByRole('button', { name: 'Change', exact: true }).click();
  await before.getByText('Passwords cannot be changed during maintenance. Try again later. Nothing was changed.').waitFor();

  const user = await open('/panel');
  await user.getByText(NOTICE).waitFor();
  await shoot(user, 'user-login');
  await logIn(user, ALICE.address, ALICE.password);
  await user.locator('input[name=newPassword]').waitFor();
  expect(await user.getByText(NOTICE).count()).toBe(1);
  expect(await inputs(user, 'form')).toEqual([true, true]);
  expect(await user.getByRole('button', { name: 'Change', exact: true }).getAttribute('aria-disabled')).toBe('true');
  await shoot(user, 'user-form');
  await user.getByRole('button', { name: 'Devices', exact: true }).click();
  await user.getByRole('button', { name: 'Log out all others', exact: true }).click();
  await user.getByText('Logged out:').waitFor();

  const section = await open('/login');
  await section.getByLabel('E-mail address').fill(ALICE.address);
  await section.getByLabel('Password', { exact: true }).fill(ALICE.password);
  await section.keyboard.press('Enter');
  await section.waitForURL(`${url}/`);
  await section.goto(`${url}/?account`);
  await section.getByText(NOTICE).waitFor();
  const update = section.getByRole('button', { name: 'Update password and log me out from everywhere' });
  expect(await update.getAttribute('aria-disabled')).toBe('true');
  expect(await section.getByLabel('Current password', { exact: true }).isDisabled()).toBe(true);
  await shoot(section, 'account-section');

  const admin = await open('/admin');
  await admin.getByText(NOTICE).waitFor();
  await logIn(admin, 'admin', 'Admin-demo-9');
  await admin.getByRole('tablist').waitFor();
  expect(await admin.getByText(NOTICE).count()).toBe(1);
  await admin.getByRole('combobox', { name: 'Select Domain' }).click();
  await admin.getByRole('option', { name: 'example.test' }).click();
  await admin.getByRole('button', { name: /alice@example\.test/ }).click();
  await admin.locator('dialog').getByText(NOTICE).waitFor();
  // Nothing can be typed: it is read from its title on.
  expect(await admin.evaluate(() => document.activeElement?.textContent)).toBe(`Edit user ${ALICE.address}`);
  expect(await inputs(admin, 'dialog form')).toEqual([true]);
  expect(await admin.getByRole('button', { name: 'Update User', exact: true }).getAttribute('aria-disabled')).toBe('true');
  await shoot(admin, 'admin-dialog');
  await admin.getByRole('button', { name: 'Log out from everywhere', exact: true }).click();
  await admin.locator('dialog').getByText('Logged out').first().waitFor();

  await logIn(waiting, 'admin', 'Admin-demo-9');
  await waiting.getByRole('tablist').waitFor();
  await waiting.getByText(NOTICE).waitFor();
  await reload(false);
  await waiting.clock.fastForward(31_000);
  await waiting.getByText(NOTICE).waitFor({ state: 'detached' });
  const after = await open('/panel');
  await after.locator('input[name=username]').waitFor();
  expect(await after.getByText(NOTICE).count()).toBe(0);
  await logIn(after, ALICE.address, ALICE.password);
  await after.locator('input[name=newPassword]').fill(NEW);
  await after.locator('input[name=confirm]').fill(NEW);
  await after.getByRole('button', { name: 'Change', exact: true }).click();
  await after.getByText('Your password has been changed. Log in with the new one.').waitFor();
});
