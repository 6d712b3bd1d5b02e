import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DRIVERS } from '../../../server/drivers/registry.ts';

const root = join(__dirname, '..', '..', '..');
const page = readFileSync(join(root, 'docs/notices.md'), 'utf8');
/** The table alone. */
const table = (page.split('| account API |')[1] ?? '').split('\n\n')[0] ?? '';
const rows = [...table.matchAll(/^\| \[?`(\w+)`(?:\]\((drivers\/accounts-\w+\.md)\))? \| (.+) \| (.+) \|$/gm)].map(([, driver = '', path = 'notices.md', recovery = '', language = '']) => ({ driver, path, recovery, language }));

test('every account API is in the table of recovery addresses and languages, and none that there is not', () => {
  expect(rows.map(({ driver }) => driver).sort()).toEqual(Object.keys(DRIVERS.accounts).sort());
});

test.each(rows)('$driver: its page is there, and an option that is named is one of its own', ({ driver, path, recovery, language }) => {
  expect(existsSync(join(root, 'docs', path))).toBe(true);
  const source = JSON.stringify(DRIVERS.accounts[driver as keyof typeof DRIVERS.accounts].options.describe());
  for (const option of [recovery, language].flatMap((cell) => /^`([\w.]+)`$/.exec(cell)?.[1] ?? [])) {
    for (const part of option.split('.')) expect([option, source.includes(`"${part}":`)]).toEqual([option, true]);
  }
});
