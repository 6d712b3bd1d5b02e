// `npm run docs:shots`: the pictures of docs/README.md, taken in Chromium from the embedded host. Needs Debian's chromium and `npm run build`.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { serve } from '../server/cli/serve.ts';
import { loadConfig } from '../server/config/loadConfig.ts';

const images = join(import.meta.dirname, '..', 'docs', 'images');
const [ALICE, CAROL, ADMIN] = [{ address: 'alice@example.test', password: 'Wonder-land-7' }, { address: 'carol@mail.test', password: 'Singing-bells-9' }, { name: 'admin', password: 'Admin-demo-9' }];
const BUTTON = 'Update password and log me out from everywhere';
const NEXT = 'Fresh!Harvest42';

mkdirSync(images, { recursive: true });
const dataDir = mkdtempSync(join(tmpdir(), 'mailbox-password-shots-'));
const service = await serve(loadConfig({ overrides: { dataDir, server: { port: 0 }, log: { level: 'silent' } } }));
const browser: Browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });

async function open(width: number, height: number): Promise<Page> {
  const page = await (await browser.newContext({ locale: 'en-GB', viewport: { width, height }, reducedMotion: 'reduce' })).newPage();
  page.setDefaultTimeout(30_000);
  return page;
}
const box = (page: Page, label: string) => page.getByRole('textbox', { name: label, exact: true });
const shoot = async (page: Page, name: string): Promise<void> => {
  // Whatever is focused must not blink in one picture and not in the next.
  await page.screenshot({ path: join(images, `${name}.png`), caret: 'hide', animations: 'disabled' });
  process.stdout.write(`docs/images/${name}.png\n`);
};
async function logIn(page: Page, path: string, name: string, password: string): Promise<void> {
  await page.goto(`${service.url}${path}`);
  await page.locator('input').first().fill(name);
  await page.locator('input[type=password]').first().fill(password);
  await page.locator('button[type=submit]').click();
}

try {
  const section = await open(900, 900);
  await logIn(section, '/login', ALICE.address, ALICE.password);
  await section.getByRole('button', { name: 'User menu' }).click();
  await section.getByRole('button', { name: 'My account' }).click();
  await section.getByRole('button', { name: BUTTON }).waitFor();
  await shoot(section, 'account-section');
  await box(section, 'Current password').fill(ALICE.password);
  await box(section, 'Password').fill(NEXT);
  await box(section, 'Confirm password').fill(NEXT);
  await section.getByRole('meter', { name: 'Strength' }).waitFor();
  await section.waitForTimeout(1500);
  await shoot(section, 'account-section-valid');
  await section.getByRole('button', { name: BUTTON }).click();
  await section.getByRole('button', { name: 'Log in again' }).waitFor();
  await shoot(section, 'ended');

  const panel = await open(900, 700);
  await logIn(panel, '/panel/', CAROL.address, CAROL.password);
  await panel.getByRole('button', { name: 'Change', exact: true }).waitFor();
  await shoot(panel, 'user-panel');

  const admin = await open(1000, 700);
  await logIn(admin, '/admin/', ADMIN.name, ADMIN.password);
  const domains = admin.getByRole('combobox', { name: 'Select Domain' });
  await domains.click();
  await admin.getByRole('option', { name: 'example.test' }).click();
  const pencil = admin.getByRole('button', { name: `Edit: ${ALICE.address}`, exact: true });
  await pencil.waitFor();
  await shoot(admin, 'admin-panel');
  await pencil.click();
  await admin.getByRole('button', { name: 'Update User', exact: true }).waitFor();
  await shoot(admin, 'admin-dialog');
} finally {
  await browser.close();
  await service.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
process.exit(0);
