import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { startService, tempFolder } from '../../fixtures/service.ts';

const BUILT = join(import.meta.dirname, '../../../dist/client');
const FILES = Object.values(JSON.parse(readFileSync(join(BUILT, 'assets.json'), 'utf8')) as Record<string, string>);
const BASE = '/mailbox-password';
/** As Chromium says it, and as others may. */
const ALL = 'gzip, deflate, br, zstd';

let service: Awaited<ReturnType<typeof startService>>;
const dataDir = tempFolder();
beforeAll(async () => {
  // Of an earlier build, which had nothing beside its files.
  mkdirSync(join(dataDir, 'assets'));
  writeFileSync(join(dataDir, 'assets/section.0123456789ab.js'), 'export const earlier = 1;');
  service = await startService({ dataDir });
}, 60_000);
afterAll(() => service.stop());

const get = (name: string, encoding?: string, headers: Record<string, string> = {}) => service.app.inject({ url: `${BASE}/assets/${name}`, headers: { ...(encoding !== undefined && { 'accept-encoding': encoding }), ...headers } });
const opened = ({ headers, rawPayload }: Awaited<ReturnType<typeof get>>): Buffer =>
  headers['content-encoding'] === 'br' ? brotliDecompressSync(rawPayload) : headers['content-encoding'] === 'gzip' ? gunzipSync(rawPayload) : rawPayload;

test.each(FILES)('%s is the same file in each encoding that a browser takes, with its own type, age and mark', async (name) => {
  const whole = readFileSync(join(BUILT, name));
  const plain = await get(name);
  const marks = new Set<unknown>();
  for (const [wish, encoding] of [[undefined, undefined], ['identity', undefined], ['gzip', 'gzip'], [ALL, 'br'], ['br;q=0, gzip', 'gzip'], ['deflate', undefined], ['*', 'gzip'], ['zstd', undefined]] as const) {
    const answer = await get(name, wish);
    expect([wish, answer.statusCode, answer.headers['content-encoding'], opened(answer).equals(whole)]).toEqual([wish, 200, encoding, true]);
    for (const header of ['content-type', 'cache-control', 'x-content-type-options']) expect([wish, header, answer.headers[header]]).toEqual([wish, header, plain.headers[header]]);
    expect([wish, answer.headers['vary']]).toEqual([wish, expect.stringMatching(/accept-encoding/i)]);
    if (encoding !== undefined) expect(Number(answer.headers['content-length'])).toBeLessThan(whole.length);
    marks.add(answer.headers['etag']);
    expect((await get(name, wish, { 'if-none-match': String(answer.headers['etag']) })).statusCode).toBe(304);
  }
  // A cache that holds one of them must not take it for another.
  expect(marks.size).toBe(3);
  expect(plain.headers).toMatchObject({
    'content-type': name.endsWith('.css') ? 'text/css; charset=utf-8' : expect.stringMatching(/^(text|application)\/javascript; charset=utf-8$/) as string,
    'cache-control': name === 'loader.js' ? 'no-cache' : 'public, max-age=31536000, immutable',
  });
});

test('what lies beside them is not asked for by its own name, nor are maps', async () => {
  const [first = ''] = FILES;
  for (const name of ['loader.js.br', 'loader.js.gz', 'loader.js.map', `${first}.br`]) expect([name, (await get(name, ALL)).statusCode]).toEqual([name, 404]);
  expect((await service.app.inject({ method: 'HEAD', url: `${BASE}/assets/loader.js`, headers: { 'accept-encoding': ALL } })).headers).toMatchObject({ 'content-encoding': 'br' });
});

test('a file of an earlier build is found whatever the browser takes; those of this build are kept with what lies beside them', async () => {
  for (const wish of [undefined, 'gzip', ALL, 'deflate']) expect([wish, (await get('section.0123456789ab.js', wish)).body]).toEqual([wish, 'export const earlier = 1;']);
  const kept = readdirSync(join(dataDir, 'assets'));
  for (const name of FILES.filter((one) => one !== 'loader.js')) expect(kept).toEqual(expect.arrayContaining([name, `${name}.br`, `${name}.gz`]));
});

test('texts, languages and manifest are compressed too, and come whole where that is refused', async () => {
  for (const path of ['locales/user-panel/el.json', 'languages.json', 'manifest.json']) {
    const ask = (wish: string, headers: Record<string, string> = {}) => service.app.inject({ url: `${BASE}/${path}`, headers: { 'accept-encoding': wish, ...headers } });
    const [small, whole] = [await ask(ALL), await ask('gzip;q=0, br')];
    expect([path, small.headers['content-encoding'], whole.headers['content-encoding'], gunzipSync(small.rawPayload).toString()]).toEqual([path, 'gzip', undefined, whole.body]);
    expect(small.headers).toMatchObject({ vary: 'Accept-Encoding', 'cache-control': 'no-cache', 'content-type': 'application/json', etag: expect.stringMatching(/^W\/"/) as string });
    expect((await ask(ALL, { 'if-none-match': String(small.headers['etag']) })).statusCode).toBe(304);
    expect(JSON.parse(whole.body)).toBeTruthy();
  }
});

test('the section costs less than what gzip makes of it', async () => {
  const section = FILES.find((name) => name.startsWith('account-section')) ?? '';
  expect((await get(section, ALL)).rawPayload.length).toBeLessThan(gzipSync(readFileSync(join(BUILT, section)), { level: 9 }).length);
});
