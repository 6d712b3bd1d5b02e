import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { shortKey } from '../../../module/texts/shortKey.ts';
import { createTextLibrary, type Language } from '../../../server/texts/textLibrary.ts';
import { startService } from '../../fixtures/service.ts';

let clock = 1_700_000_000;
/** Writes with a time of its own, so that two writes within one tick differ as they do for people. */
function write(folder: string, tag: string, texts: object | string): void {
  const path = join(folder, `${tag}.json`);
  writeFileSync(path, typeof texts === 'string' ? texts : JSON.stringify(texts));
  clock += 5;
  utimesSync(path, clock, clock);
  utimesSync(folder, clock, clock);
}
const newFolder = () => mkdtempSync(join(tmpdir(), 'mailbox-password-texts-'));

function shippedFolder(): string {
  const folder = newFolder();
  write(folder, 'en', { a: 'English a', b: 'English b', c: 'English c' });
  write(folder, 'de', { '@reviewed': 'no', a: 'Deutsch a', b: 'Deutsch b', c: 'Deutsch c' });
  write(folder, 'en-GB', { '@reviewed': 'no', b: 'British b' });
  return folder;
}

test('a region holds what differs; a whole language carries no English', () => {
  const library = createTextLibrary(null, undefined, shippedFolder());
  expect(library.texts('en-GB')).toEqual({ '@language': 'en-GB', a: 'English a', b: 'British b', c: 'English c' });
  expect(JSON.stringify(library.texts('de'))).not.toContain('English');
  expect(library.translator(['sk', 'de-AT']).language).toBe('de');
});

test('what nobody has translated yet shows the language behind it', () => {
  const folder = shippedFolder();
  write(folder, 'cs', { '@reviewed': 'no', a: '@todo English a', b: 'Česky b', c: '' });
  write(folder, 'sk', { '@reviewed': 'no', a: '@todo English a' });
  write(folder, 'en-PH', { '@reviewed': 'no' });
  const library = createTextLibrary(null, undefined, folder);
  expect(library.texts('cs')).toEqual({ '@language': 'cs', a: 'English a', b: 'Česky b', c: 'English c' });
  // Begun, but there is nothing to read in it yet; a region may have nothing to differ in.
  expect(library.languages().map(({ tag }) => tag)).toEqual(['cs', 'de', 'en', 'en-PH', 'en-GB']);
});

test('an operator changes one text, adds a language, and breaks a file: seen at once, and never more broken than before', () => {
  const own = newFolder();
  const broken: string[] = [];
  const library = createTextLibrary(own, (path) => broken.push(path), shippedFolder());
  expect(library.languages().map(({ tag }) => tag)).toEqual(['de', 'en', 'en-GB']);
  write(own, 'de', { a: 'Unser a' });
  expect(library.texts('de')).toMatchObject({ a: 'Unser a', b: 'Deutsch b' });
  write(own, 'tlh', { '@name': 'tlhIngan Hol', a: 'tlh a' });
  expect(library.languages().find(({ tag }) => tag === 'tlh')).toEqual({ tag: 'tlh', name: 'tlhIngan Hol', direction: 'ltr' });
  expect(library.choose(['tlh', 'de'])).toBe('tlh');
  write(own, 'de', '{ "a": "Unser neu');
  expect(library.texts('de')).toMatchObject({ a: 'Unser a', b: 'Deutsch b' });
  library.texts('de');
  expect(broken).toEqual([join(own, 'de.json')]);
  write(own, 'de', { a: 'Unser neues a' });
  expect(library.texts('de')).toMatchObject({ a: 'Unser neues a' });
  rmSync(join(own, 'de.json'));
  expect(library.texts('de')).toMatchObject({ a: 'Deutsch a' });
});

test('names are those of the languages themselves, sorted', () => {
  const folder = shippedFolder();
  for (const tag of ['fr', 'pt-BR', 'ar', 'nb']) write(folder, tag, { a: 'x' });
  expect(createTextLibrary(null, undefined, folder).languages()).toEqual([
    { tag: 'de', name: 'Deutsch', direction: 'ltr' }, { tag: 'en', name: 'English', direction: 'ltr' }, { tag: 'en-GB', name: expect.stringContaining('English (') as string, direction: 'ltr' },
    { tag: 'fr', name: 'Français', direction: 'ltr' }, { tag: 'nb', name: 'Norsk bokmål', direction: 'ltr' }, { tag: 'pt-BR', name: expect.stringMatching(/^Português/) as string, direction: 'ltr' },
    { tag: 'ar', name: 'العربية', direction: 'rtl' },
  ]);
});

test('pseudo languages come by name alone', () => {
  const library = createTextLibrary(null, undefined, shippedFolder());
  expect(library.languages().map(({ tag }) => tag)).not.toContain('en-XA');
  expect(library.choose(['de', 'en-XA'])).toBe('de');
  expect(library.texts(library.choose(['en-XA']))['a']).toMatch(/^⟦Éñǧĺíšĥ á .+⟧$/);
  expect(library.translator(['ar-XB']).direction).toBe('rtl');
});

describe('a running server', () => {
  test('a made-up language is there as soon as its file is, and a text of the operator\'s own wins', async () => {
    const dir = newFolder();
    const service = await startService({ overrides: { locales: { dir } } });
    const base = '/mailbox-password';
    const languages = async () => (await service.app.inject(`${base}/languages.json`)).json<Language[]>();
    const texts = async (path: string, headers = {}) => service.app.inject({ url: `${base}/locales/${path}.json`, headers });
    try {
      expect((await languages()).map(({ tag }) => tag)).not.toContain('tlh');
      expect((await texts('section/tlh,nl')).json()).toMatchObject({ '@language': 'nl' });
      write(dir, 'tlh', { '@name': 'tlhIngan Hol', '@reviewed': 'no', 'section.retry': 'ngoq' });
      write(dir, 'nl', { 'section.info': 'Bel ons: 555 0100.' });
      expect(await languages()).toContainEqual({ tag: 'tlh', name: 'tlhIngan Hol', direction: 'ltr' });
      expect((await service.app.inject(`${base}/manifest.json`)).json<{ locales: string[] }>().locales).toContain('tlh');
      expect((await texts('section/tlh,nl')).json()).toMatchObject({ '@language': 'tlh', 'section.retry': 'ngoq', 'field.new': 'Password' });
      expect((await texts('section/nl')).json()).toMatchObject({ 'section.info': 'Bel ons: 555 0100.' });
      expect((await texts('section/nl.short')).json()).toMatchObject({ '@language': 'nl', [shortKey('section.info')]: 'Bel ons: 555 0100.' });
      const packed = await texts('section/nl', { 'accept-encoding': 'gzip' });
      expect(JSON.parse(gunzipSync(packed.rawPayload).toString('utf8'))).toEqual((await texts('section/nl')).json());
      for (const path of ['section/nl/..', 'section/%2e%2e%2fen', 'section/nl,', 'nothing/nl', 'nl']) expect((await texts(path)).statusCode).toBe(404);
      rmSync(join(dir, 'tlh.json'));
      utimesSync(dir, clock + 50, clock + 50);
      expect((await languages()).map(({ tag }) => tag)).not.toContain('tlh');
    } finally {
      await service.stop();
    }
  });

  test('a folder that is not there yet is no reason not to serve', async () => {
    const dir = join(newFolder(), 'later');
    const service = await startService({ overrides: { locales: { dir } } });
    try {
      expect((await service.app.inject('/mailbox-password/locales/section/nl.json')).statusCode).toBe(200);
      mkdirSync(dir);
      write(dir, 'en', { 'section.retry': 'Once more' });
      expect((await service.app.inject('/mailbox-password/locales/section/en.json')).json()).toMatchObject({ 'section.retry': 'Once more' });
    } finally {
      await service.stop();
    }
  });
});
