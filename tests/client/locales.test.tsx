import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERRORS } from '../../module/errors.ts';
import { POLICY_PRESETS } from '../../module/policy/passwordPolicy.ts';
import { rulesFor } from '../../module/policy/rulesFor.ts';
import { createTranslator } from '../../client/i18n/translator.ts';

// What a language file must be is tested in tests/server/cli/locales; here is what the browser makes of it.
const folder = join(__dirname, '..', '..', 'locales');
const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, string>;
const english = read('en.json');

test('every error code has a text, and every text a code', () => {
  const codes = [...Object.keys(ERRORS), 'fallback'].map((code) => `error.${code}`).sort();
  expect(Object.keys(english).filter((key) => key.startsWith('error.')).sort()).toEqual(codes);
});

test('every rule of the policy has a text of its own, with its numbers', () => {
  const { code } = createTranslator(english);
  const all = rulesFor({ ...POLICY_PRESETS.default, maxBytes: 72, minStrength: 3, serverRules: [{ code: 'PASSWORD_BREACHED', params: {} }, { code: 'PASSWORD_IN_HISTORY', params: { count: 5 } }] });
  for (const rule of all) {
    const text = code('violation', rule.code, rule.params);
    expect([rule.code, text]).not.toEqual([rule.code, english['error.fallback']]);
    expect(text).not.toMatch(/\{\{|  /);
    // A score of zxcvbn says nothing to people.
    if (rule.code !== 'PASSWORD_TOO_WEAK') for (const value of Object.values(rule.params)) expect(text).toContain(String(value));
  }
});

test('plurals, placeholders and lists follow the language', () => {
  const { t, list, direction, code } = createTranslator({ '@language': 'pl', 'done.count_few': '{{channel}}: {{count}} sesje', 'done.count_many': '{{channel}}: {{count}} sesji', 'done.count_one': '{{channel}}: {{count}} sesja', 'violation.PASSWORD_TOO_SHORT_few': 'Co najmniej {{min}} znaki', 'violation.PASSWORD_TOO_SHORT_many': 'Co najmniej {{min}} znaków' });
  expect(t('done.count', { channel: 'Webmail', count: 1 })).toBe('Webmail: 1 sesja');
  expect(t('done.count', { channel: 'Webmail', count: 2 })).toBe('Webmail: 2 sesje');
  expect(t('done.count', { channel: 'Webmail', count: 12_345 })).toBe(`Webmail: ${new Intl.NumberFormat('pl').format(12_345)} sesji`);
  expect(code('violation', 'PASSWORD_TOO_SHORT', { min: 3 })).toBe('Co najmniej 3 znaki');
  expect(code('violation', 'PASSWORD_TOO_SHORT', { min: 8 })).toBe('Co najmniej 8 znaków');
  expect(list(['a', 'b', 'c'])).toBe('a, b i c');
  expect(direction).toBe('ltr');
  expect(createTranslator({ '@language': 'ar' }).direction).toBe('rtl');
});

test.each(readdirSync(folder).filter((name) => name.endsWith('.json')))('%s: a placeholder never reaches a person', (name) => {
  const { code } = createTranslator({ ...read(name), '@language': name.replace('.json', '') });
  for (const min of [0, 1, 2, 3, 5, 11, 21, 100, 1_000_000]) expect(code('violation', 'PASSWORD_TOO_SHORT', { min })).not.toContain('{{');
});
