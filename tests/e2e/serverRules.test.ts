import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { source } from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { ALICE, BOB, tempFolder } from '../fixtures/service.ts';

const root = join(__dirname, '..', '..');
const artifacts = join(root, 'tests', 'artifacts');
const LEAKED = 'Known!Everywhere1';
const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex').toUpperCase();
const BREACHED = 'Not a password known from a data leak';
let server: ChildProcess;
let browser: Browser;
let url = '';

beforeAll(async () => {
  mkdirSync(artifacts, { recursive: true });
  const dataDir = tempFolder();
  const file = join(dataDir, 'pwned.txt');
  writeFileSync(file, [LEAKED, 'something else'].map((word) => `${sha1(word)}:3\n`).sort().join(''));
  const config = join(dataDir, 'config.yaml');
  writeFileSync(config, JSON.stringify({ dataDir, serverRules: [{ driver: 'breachFile', file }, { driver: 'history', count: 5 }] }));
  server = spawn(process.execPath, [join(root, 'dist/server/cli/main.js'), 'serve', '--port', '0', '--config', config], { stdio: ['ignore', 'pipe', 'ignore'] });
  let printed = '';
  while (!/http:\/\/\S+/.test(printed)) printed += String(((await once(server.stdout as NodeJS.ReadableStream, 'data')) as [Buffer])[0]);
  url = /http:\/\/\S+/.exec(printed)?.[0] ?? '';
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
}, 90_000);

afterAll(async () => {
  await browser.close();
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  await ended;
}, 60_000);

async function open(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
  const page = await (await browser.newContext({ locale: 'en-GB', ...options })).newPage();
  page.setDefaultTimeout(20_000);
  return page;
}

const box = (page: Page, label: string) => page.getByRole('textbox', { name: label, exact: true });
const line = (page: Page, text: string) => page.locator('.checklist li').filter({ hasText: text });

async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(source);
  const found = await page.evaluate(async () => (await (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } }).axe.run()).violations.map(({ id }) => id));
  expect(found).toEqual([]);
}

test('Account section: listed with a neutral mark, red when refused, neutral again for another password; what was typed stays', async () => {
  const page = await open();
  await page.goto(`${url}/login`);
  await page.locator('input[name=address]').fill(ALICE.address);
  await page.locator('input[name=password]').fill(ALICE.password);
  await page.locator('button[type=submit]').click();
  await page.getByRole('button', { name: 'User menu' }).click();
  await page.getByRole('button', { name: 'My account' }).click();
  const button = page.getByRole('button', { name: 'Update password and log me out from everywhere' });
  await button.waitFor();
  expect(await line(page, BREACHED).innerText()).toContain(`${BREACHED} (checked when you save)`);
  expect(await line(page, 'Not one of your last 5 passwords').getAttribute('data-state')).toBe('pending');
  await page.screenshot({ path: join(artifacts, 'server-rules-empty.png'), fullPage: true });

  await box(page, 'Current password').fill(ALICE.password);
  await box(page, 'Password').fill(LEAKED);
  await box(page, 'Confirm password').fill(LEAKED);
  expect(await line(page, BREACHED).getAttribute('data-state')).toBe('pending');
  await button.click();
  await page.locator('.checklist li[data-state=violated]').waitFor();
  expect(await line(page, BREACHED).getAttribute('data-state')).toBe('violated');
  expect(await line(page, BREACHED).innerText()).not.toContain('checked when');
  expect(await line(page, 'Not one of your last').getAttribute('data-state')).toBe('pending');
  expect(await page.locator('.checklist li[data-broken]').allInnerTexts()).toEqual([expect.stringContaining(BREACHED)]);
  expect(await page.locator('.errors p').allInnerTexts()).toEqual(['The new password does not meet every rule. Nothing was changed.']);
  await page.waitForTimeout(500);
  expect(await page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.outerHTML ?? document.activeElement?.outerHTML)).toContain('name="newPassword"');
  expect(await box(page, 'Current password').inputValue()).toBe(ALICE.password);
  await expectAccessible(page);
  await page.screenshot({ path: join(artifacts, 'server-rules-refused.png'), fullPage: true });

  await box(page, 'Password').fill(`${LEAKED}x`);
  expect(await line(page, BREACHED).getAttribute('data-state')).toBe('pending');
  await page.screenshot({ path: join(artifacts, 'server-rules-typed.png'), fullPage: true });
  // A generated one passes, and is ticked.
  await page.getByRole('button', { name: 'Generate password' }).click();
  await page.locator('.checklist li[data-state=met]').filter({ hasText: BREACHED }).waitFor();
  expect(await line(page, 'Not one of your last').getAttribute('data-state')).toBe('met');
  await page.screenshot({ path: join(artifacts, 'server-rules-met.png'), fullPage: true });
  await button.click();
  await page.getByText('Your password has been changed').waitFor();
});

test('Admin Panel: the same rules, the same words, dark', async () => {
  const page = await open({ colorScheme: 'dark', viewport: { width: 420, height: 900 } });
  await page.goto(`${url}/admin`);
  await page.locator('input[type=text]').first().fill('admin');
  await page.locator('input[type=password]').fill('Admin-demo-9');
  await page.locator('button[type=submit]').click();
  await page.getByRole('combobox', { name: 'Select Domain' }).fill('example.test');
  await page.getByRole('option', { name: 'example.test' }).first().click();
  await page.getByRole('button', { name: `Edit ${BOB.address}` }).or(page.locator('tr, li').filter({ hasText: BOB.address }).getByRole('button')).first().click();
  await box(page, 'Password').fill(LEAKED);
  await box(page, 'Password').press('Tab');
  await page.locator('.checklist li[data-state=violated]').filter({ hasText: BREACHED }).waitFor();
  // An administrator is told nothing of the mailbox's own passwords beforehand.
  expect(await line(page, 'Not one of your last').getAttribute('data-state')).toBe('pending');
  await page.getByRole('button', { name: 'Update User' }).click();
  await page.locator('.checklist li[data-state=violated]').waitFor();
  expect(await line(page, BREACHED).getAttribute('data-state')).toBe('violated');
  await page.screenshot({ path: join(artifacts, 'server-rules-admin.png'), fullPage: true });
});
