import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { localeSources } from '../../server/cli/locales/localeSources.ts';
import { type Preview, startPreview } from '../../server/cli/locales/preview/previewServer.ts';
import { SCENES } from '../../server/cli/locales/preview/scenes.ts';
import { requiredKeys } from '../../module/texts/pluralKeys.ts';

// What a translator sees: `locales preview de`, with a file in a folder of their own, so that none of ours is touched.
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
let browser: Browser;
let preview: Preview;
let file: string;
const save = (content: string | object) => { writeFileSync(file, typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`); };

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mailbox-password-preview-'));
  file = join(folder, 'de.json');
  save({ 'section.consequence': 'Erste Fassung.' });
  preview = await startPreview({ folder });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
}, 120_000);
afterAll(async () => {
  await browser.close();
  await preview.stop();
});

async function visit(path: string): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(preview.url + path);
  return page;
}

test('the overview shows every surface in every state, and every text beside the English one', async () => {
  const page = await visit('/de/');
  expect(await page.locator('figcaption').allTextContents()).toEqual(SCENES.map(({ name }) => name));
  expect(await page.locator('tbody th').allTextContents()).toEqual(requiredKeys('de', localeSources().english));
  await page.frameLocator('iframe[title="section.form"]').getByText('Erste Fassung.').waitFor();
  await page.close();
}, 120_000);

test.each([...new Set(SCENES.map(({ page }) => page))])('there is a page for each state of %s', async (surface) => {
  for (const { name, suffix } of SCENES.filter(({ page }) => page === surface)) {
    const answer = await fetch(`${preview.url}/de/${name}${suffix}`);
    expect([name, answer.status]).toEqual([name, 200]);
    expect(await answer.text()).toContain('<html data-steps=');
  }
}, 120_000);

test('a saved file is seen without a reload by hand, also in the overview', async () => {
  const pages = [await visit('/de/section.form'), await visit('/de/')];
  const [scene, overview] = pages as [Page, Page];
  await scene.getByText('Erste Fassung.').waitFor();
  save({ 'section.consequence': 'Zweite Fassung.' });
  await scene.getByText('Zweite Fassung.').waitFor();
  await overview.locator('td').getByText('Zweite Fassung.').waitFor();
  for (const page of pages) await page.close();
}, 120_000);

test('a file that is no JSON: the line and what to do stand above the last good state, and the next good save takes it away', async () => {
  save({ 'section.consequence': 'Gute Fassung.' });
  const page = await visit('/de/section.form');
  await page.getByText('Gute Fassung.').waitFor();
  save('{\n  "section.consequence": "Neue Fassung."\n  "section.title": "Passwort"\n}\n');
  const bar = page.getByRole('alert').filter({ hasText: 'de.json:2: a comma is missing' });
  await bar.waitFor();
  expect(await bar.textContent()).toContain('put a comma after the text');
  await page.getByText('Gute Fassung.').waitFor();
  save({ 'section.consequence': 'Neue Fassung.' });
  await page.getByText('Neue Fassung.').waitFor();
  expect(await page.locator('#locale-problem').count()).toBe(0);
  await page.close();
}, 120_000);

test('a file that is broken from the start is said, too', async () => {
  save('{ "section.consequence": „Neue Fassung.“ }');
  const page = await visit('/de/');
  await page.getByRole('alert').filter({ hasText: 'de.json:1: the text does not stand between double quotes' }).waitFor();
  expect(await page.locator('figcaption').count()).toBe(SCENES.length);
  save({});
  await page.locator('#locale-problem').waitFor({ state: 'detached' });
  await page.close();
}, 120_000);
