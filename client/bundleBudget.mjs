// Fails when the Account section costs a webmail user more than the promised bytes. Prints what it measured (gzip level 9).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist', 'client');
const files = JSON.parse(readFileSync(join(dist, 'assets.json'), 'utf8'));
const bytes = (path) => gzipSync(readFileSync(path), { level: 9 }).length;

const before = readFileSync(join(dist, files['loader.js'])).length;
const chunk = bytes(join(dist, files['account-section.js']));
/** Without the texts of the panels, which the service sends to them alone. */
function textBytes(tag) {
  const all = Object.entries(JSON.parse(readFileSync(join(root, 'locales', `${tag}.json`), 'utf8')));
  return gzipSync(JSON.stringify(Object.fromEntries(all.filter(([key]) => !/^(panel|userPanel|adminPanel|notice)\./.test(key)))), { level: 9 }).length;
}
const texts = Math.max(...['en', 'nl', 'ar'].map(textBytes));
const context = 500; // the answer of GET context, not compressed, rounded up
const first = chunk + texts + context;

console.log(`before the tab is opened: ${before} bytes (at most 3072)`);
console.log(`first load: ${first} bytes gzip in 3 requests (at most 117760): chunk ${chunk}, texts ${texts}, context ${context}`);
for (const name of ['user-panel', 'admin-panel']) console.log(`${name}: ${bytes(join(dist, files[`${name}.js`]))} bytes gzip`);
const panels = ['user-panel', 'admin-panel'].map((name) => readFileSync(join(dist, files[`${name}.js`]), 'utf8'));
if (panels[0].includes('/admin/api/') || panels[1].includes('/panel/api/')) {
  console.error('a panel holds a part of the other');
  process.exit(1);
}
if (before > 3 * 1024 || first > 115 * 1024 || texts > 4 * 1024) {
  console.error('over budget');
  process.exit(1);
}
