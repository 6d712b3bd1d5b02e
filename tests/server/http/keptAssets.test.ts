import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keepAssets } from '../../../server/http/keptAssets.ts';
import { startService, tempFolder } from '../../fixtures/service.ts';

const DAY = 24 * 3_600_000;
const built = (names: string[]): string => {
  const folder = tempFolder();
  for (const name of names) writeFileSync(join(folder, name), name);
  return folder;
};

it('keeps the chunks of earlier builds for a month, and no other file', () => {
  const dataDir = tempFolder();
  const folder = keepAssets(built(['loader.js', 'assets.json', 'section.aaaaaaaaaaaa.js', 'section.aaaaaaaaaaaa.js.map']), dataDir, Date.now() - 20 * DAY)!;
  expect(readdirSync(folder)).toEqual(['section.aaaaaaaaaaaa.js']);
  keepAssets(built(['loader.js', 'section.bbbbbbbbbbbb.js']), dataDir);
  expect(readdirSync(folder).sort()).toEqual(['section.aaaaaaaaaaaa.js', 'section.bbbbbbbbbbbb.js']);
  keepAssets(built(['section.cccccccccccc.js']), dataDir, Date.now() + 15 * DAY);
  expect(readdirSync(folder).sort()).toEqual(['section.bbbbbbbbbbbb.js', 'section.cccccccccccc.js']);
});

it('does not stand in the way where the folder cannot be made', () => {
  const dataDir = tempFolder();
  writeFileSync(join(dataDir, 'assets'), 'a file');
  expect(keepAssets(built(['section.aaaaaaaaaaaa.js']), dataDir)).toBeNull();
});

it('serves what a page of an earlier build asks for, for good', async () => {
  const dataDir = tempFolder();
  mkdirSync(join(dataDir, 'assets'), { recursive: true });
  writeFileSync(join(dataDir, 'assets', 'account-section.0123456789ab.js'), 'export const earlier = 1;');
  const { app, stop } = await startService({ dataDir });
  const get = (name: string) => app.inject({ url: `/mailbox-password/assets/${name}` });
  const old = await get('account-section.0123456789ab.js');
  expect([old.statusCode, old.body, old.headers['cache-control']]).toEqual([200, 'export const earlier = 1;', 'public, max-age=31536000, immutable']);
  expect((await get('account-section.ffffffffffff.js')).statusCode).toBe(404);
  expect((await get('loader.js')).headers['cache-control']).toBe('no-cache');
  expect((await get('../mailbox-password.sqlite')).statusCode).toBe(404);
  expect(readdirSync(join(dataDir, 'assets')).length).toBeGreaterThan(1);
  expect(existsSync(join(dataDir, 'assets', 'loader.js'))).toBe(false);
  await stop();
}, 60_000);
