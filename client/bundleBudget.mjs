// Fails when the Account section costs a webmail user more than the promised bytes. Prints what it measured (gzip level 9).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const TEXTS = 4 * 1024;
const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist', 'client');
const files = JSON.parse(readFileSync(join(dist, 'assets.json'), 'utf8'));
const bytes = (path) => gzipSync(readFileSync(path), { level: 9 }).length;

const before = readFileSync(join(dist, files['loader.js'])).length;
const chunk = bytes(join(dist, files['account-section.js']));
/** What the service sends to a surface in each language, as it sends it (server/http/routes/assets.ts). */
const { createTextLibrary } = await import('../dist/server/texts/textLibrary.js');
const { SURFACE_TEXTS } = await import('../dist/module/texts/surfaceTexts.js');
const { withShortKeys } = await import('../dist/module/texts/shortKey.js');
const library = createTextLibrary();
const sizes = Object.entries(SURFACE_TEXTS).map(([surface, wanted]) => ({
  surface,
  languages: library.languages().map(({ tag }) => ({ tag, size: gzipSync(JSON.stringify(withShortKeys(Object.fromEntries(Object.entries(library.texts(tag)).filter(([key]) => wanted.test(key))))), { level: 9 }).length })).sort((left, right) => right.size - left.size),
}));
const texts = sizes.find(({ surface }) => surface === 'section').languages[0].size;
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
for (const { surface, languages } of sizes) console.log(`texts of ${surface}: at most ${languages[0].size} bytes gzip (${languages.slice(0, 3).map(({ tag, size }) => `${tag} ${size}`).join(', ')}; at most ${TEXTS})`);
const fat = sizes.some(({ languages }) => languages[0].size > TEXTS);
if (before > 3 * 1024 || first > 115 * 1024 || fat) {
  console.error('over budget');
  process.exit(1);
}
