import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERRORS } from '../../module/errors.ts';
import { POLICY_PRESETS } from '../../module/policy/passwordPolicy.ts';
import { rulesFor } from '../../module/policy/rulesFor.ts';
import { createTranslator } from '../../client/i18n/translator.ts';

const folder = join(__dirname, '..', '..', 'locales');
const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, string>;
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
const english = read('en.json');
const base = (key: string): string => key.replace(/_(zero|one|two|few|many|other)$/, '');
const placeholders = (text: string): string[] => [...new Set(text.match(/\{\{\w+\}\}/g) ?? [])].sort();

test('every error code has a text, and every text a code', () => {
  const codes = [...Object.keys(ERRORS), 'fallback'].map((code) => `error.${code}`).sort();
  expect(Object.keys(english).filter((key) => key.startsWith('error.')).sort()).toEqual(codes);
});

test('every rule of the policy has a text', () => {
  const all = rulesFor({ ...POLICY_PRESETS.default, maxBytes: 72, minStrength: 3, serverRules: [{ code: 'PASSWORD_BREACHED', params: {} }, { code: 'PASSWORD_IN_HISTORY', params: { count: 5 } }] });
  expect(all.map(({ code }) => `violation.${code}`).filter((key) => english[key] === undefined && english[`${key}_other`] === undefined)).toEqual([]);
});

describe.each(files)('%s', (name) => {
  const texts = read(name);
  test('has the keys of en.json, sorted, with the same placeholders, none empty, no markup', () => {
    expect([...new Set(Object.keys(texts).map(base))].sort()).toEqual([...new Set(Object.keys(english).map(base))].sort());
    expect(Object.keys(texts)).toEqual(Object.keys(texts).sort());
    for (const [key, text] of Object.entries(texts)) {
      expect(text.trim()).toBe(text);
      expect(text).not.toMatch(/^$|<[a-z/]/);
      expect([key, placeholders(text)]).toEqual([key, placeholders(english[key] ?? english[`${base(key)}_other`] ?? '')]);
    }
  });
  test('has every plural category of its language', () => {
    const categories = new Intl.PluralRules(name.replace('.json', '')).resolvedOptions().pluralCategories;
    for (const key of new Set(Object.keys(texts).filter((each) => each !== base(each)).map(base))) {
      for (const category of categories) expect(Object.keys(texts)).toContain(`${key}_${category}`);
    }
  });
});

test('plurals, placeholders and lists follow the language', () => {
  const { t, list, direction } = createTranslator({ ...read('nl.json'), '@language': 'nl' });
  expect(t('done.count', { channel: 'Webmail', count: 1 })).toBe('Webmail: 1 sessie');
  expect(t('done.count', { channel: 'Webmail', count: 2 })).toBe('Webmail: 2 sessies');
  expect(list(['a', 'b', 'c'])).toBe('a, b en c');
  expect(direction).toBe('ltr');
  expect(createTranslator({ '@language': 'ar' }).direction).toBe('rtl');
});
