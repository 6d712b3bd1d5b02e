import { readFileSync } from 'node:fs';
import { behind, chooseLanguage, matchLanguage, regionOf } from '../../../module/texts/matchLanguage.ts';
import { shortKey, withShortKeys } from '../../../module/texts/shortKey.ts';
import { createTranslator, directionOf } from '../../../module/texts/translator.ts';
import { pluralCategories, requiredKeys, sourceText } from '../../../module/texts/pluralKeys.ts';

const SHIPPED = 'ar bn de en en-AU en-GB en-PH fr he id nb nl pt-BR pt-PT ro zh-CN zh-TW'.split(' ');

test.each([
  ['de', 'de'], ['de-AT', 'de'], ['de_ch', 'de'], ['DE-at', 'de'], ['en-US', 'en'], ['en-GB', 'en-GB'], ['en-IE', 'en-GB'], ['en-NZ', 'en-AU'], ['en_uk', 'en-GB'], ['en-CA', 'en'],
  ['pt', 'pt-BR'], ['pt-BR', 'pt-BR'], ['pt-PT', 'pt-PT'], ['pt-AO', 'pt-PT'], ['pt-MZ', 'pt-PT'], ['pt_br', 'pt-BR'], ['pt-br', 'pt-BR'], ['bn_bd', 'bn'], ['zh_tw', 'zh-TW'], ['sr-Latn', null],
  ['zh', 'zh-CN'], ['zh-Hans', 'zh-CN'], ['zh-SG', 'zh-CN'], ['zh-Hant', 'zh-TW'], ['zh-HK', 'zh-TW'], ['zh-MO', 'zh-TW'], ['zh-Hant-HK', 'zh-TW'], ['zh-Hans-HK', 'zh-CN'], ['cn', 'zh-CN'],
  ['no', 'nb'], ['nn', 'nb'], ['nn-NO', 'nb'], ['nb-NO', 'nb'], ['iw', 'he'], ['iw-IL', 'he'], ['in', 'id'], ['bn-BD', 'bn'], ['mo', 'ro'],
  ['sk', null], ['x', null], ['../etc', null], ['', null],
])('%s is served by %s', (wanted, tag) => {
  expect(matchLanguage(wanted, SHIPPED)).toBe(tag);
});

test('a script is kept apart: Serbian in Latin letters is not served in Cyrillic ones, nor the other way round', () => {
  expect(matchLanguage('sr-Latn-RS', ['en', 'sr', 'sr-Latn'])).toBe('sr-Latn');
  expect(matchLanguage('sr-RS', ['en', 'sr', 'sr-Latn'])).toBe('sr');
  expect(matchLanguage('sr-Latn', ['en', 'sr'])).toBeNull();
  expect(matchLanguage('sr', ['en', 'sr-Latn'])).toBeNull();
});

test('a region holds what differs from its language, in the same script', () => {
  const there = [...SHIPPED, 'nn', 'sr', 'sr-Latn'];
  expect(['en-GB', 'sr-Latn', 'sr-Latn-ME', 'de-AT', 'pt-PT', 'zh-TW', 'de'].map((tag) => regionOf(tag, there))).toEqual(['en', null, 'sr-Latn', 'de', null, null, null]);
  expect(['en-NZ', 'pt-AO', 'nn', 'zh-HK', 'sr-Latn', 'de'].map((tag) => behind(tag, there))).toEqual(['en-AU', 'pt-PT', 'nb', 'zh-TW', null, null]);
});

test('the first wish that can be met; English where none can', () => {
  expect(chooseLanguage(['sk', 'fr-CA', 'de'], SHIPPED)).toBe('fr');
  expect(chooseLanguage(['sk', 'tlh'], SHIPPED)).toBe('en');
  expect(chooseLanguage([], SHIPPED)).toBe('en');
});

test('plural forms and what they translate', () => {
  const source = { 'a.left_one': 'one', 'a.left_other': 'others', 'b.one': 'B' };
  expect(requiredKeys('pl', source)).toEqual(['a.left_few', 'a.left_many', 'a.left_one', 'a.left_other', 'b.one']);
  expect(requiredKeys('th', source)).toEqual(['a.left_other', 'b.one']);
  expect(pluralCategories('tlh')).toEqual(['other']);
  expect([sourceText('a.left_few', source), sourceText('a.left_one', source), sourceText('b.one', source), sourceText('c', source)]).toEqual(['others', 'one', 'B', undefined]);
});

test('short keys: no two alike, plural forms kept, read by the translator', () => {
  const keys = Object.keys(JSON.parse(readFileSync('locales/en.json', 'utf8')) as object);
  expect(new Set(keys.map(shortKey)).size).toBe(keys.length);
  expect(shortKey('done.count_other')).toBe(`${shortKey('done.count')}_other`);
  const { t, language } = createTranslator(withShortKeys({ '@language': 'de', 'done.count_one': '{{channel}}: {{count}} Sitzung', 'done.count_other': '{{channel}}: {{count}} Sitzungen', 'field.new': 'Passwort' }));
  expect([t('field.new'), t('done.count', { channel: 'IMAP', count: 2 }), language]).toEqual(['Passwort', 'IMAP: 2 Sitzungen', 'de']);
});

test('the direction is that of the script', () => {
  expect(['ar', 'fa', 'he', 'ur', 'ckb', 'ku-Arab', 'ar-XB'].map(directionOf)).toEqual(Array(7).fill('rtl'));
  expect(['de', 'ku', 'az', 'en-XA', 'zh-TW', 'no tag'].map(directionOf)).toEqual(Array(6).fill('ltr'));
});
