import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addLocale } from '../../../../server/cli/locales/addLocale.ts';
import { checkLocale } from '../../../../server/cli/locales/checkLocale.ts';
import { checkGlossary, checkNotes, fixedLayout } from '../../../../server/cli/locales/checkSources.ts';
import { jsonProblem } from '../../../../server/cli/locales/jsonProblem.ts';
import { LocaleProblem } from '../../../../server/cli/locales/localeProblem.ts';
import { localeSources } from '../../../../server/cli/locales/localeSources.ts';
import { localeStats, statsTable } from '../../../../server/cli/locales/localeStats.ts';
import { sortedJson, sortedLines } from '../../../../server/cli/locales/sortedJson.ts';

const ENGLISH = {
  'a.copy': 'Copy', 'a.done': 'Done. Nothing was changed.', 'a.left_one': '{{count}} second left', 'a.left_other': '{{count}} seconds left', 'a.name': 'STARTTLS', 'a.who': 'For {{address}}',
};
const NOTES = {
  'a.copy': { where: 'A button', max: 8 }, 'a.done': { where: 'A message' }, 'a.left': { where: 'A message', params: { count: 'seconds' } },
  'a.name': { where: 'A name', same: true }, 'a.who': { where: 'A heading', params: { address: 'an address' } },
};
const GERMAN = {
  '@reviewed': 'no', 'a.copy': 'Kopieren', 'a.done': 'Fertig. Nichts wurde geändert.', 'a.left_one': 'noch {{count}} Sekunde', 'a.left_other': 'noch {{count}} Sekunden', 'a.name': 'STARTTLS', 'a.who': 'Für {{address}}',
};
const GLOSSARY = { language: 'German', register: 'formal', terms: { password: 'Passwort' }, avoid: { Kennwort: 'Passwort' }, same: [] as string[], sources: [] };

/** A folder of languages, with what is given put over what is right. */
function home(files: Readonly<Record<string, string | object>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'mailbox-password-locales-'));
  mkdirSync(join(folder, 'notes'));
  mkdirSync(join(folder, 'glossary'));
  const all = { 'en.json': sortedJson(ENGLISH), 'notes/en.json': sortedLines(NOTES), 'glossary/en.json': JSON.stringify({ ...GLOSSARY, terms: { password: 'the secret' } }), 'de.json': sortedJson(GERMAN), 'glossary/de.json': JSON.stringify(GLOSSARY), ...files };
  for (const [name, content] of Object.entries(all)) writeFileSync(join(folder, name), typeof content === 'string' ? content : sortedJson(content));
  return folder;
}

function check(tag: string, files: Readonly<Record<string, string | object>> = {}, partial = false) {
  const folder = home(files);
  return checkLocale(tag, localeSources(folder), { folder, partial });
}
const german = (texts: Readonly<Record<string, string | undefined>>) => check('de', { 'de.json': sortedJson(JSON.parse(JSON.stringify({ ...GERMAN, ...texts })) as object as Record<string, unknown>) });

test('a right file has nothing to say, nor have the notes and the glossary', () => {
  expect(german({})).toEqual([]);
  const sources = localeSources(home());
  expect([...checkNotes(sources), ...checkGlossary('de', sources), ...checkGlossary('en', sources)]).toEqual([]);
});

test.each<[string, Record<string, string | undefined>, string, string]>([
  ['a key that is missing', { 'a.copy': undefined }, 'missing', 'Copy'],
  ['a key that English has not', { 'a.cpoy': 'Kopieren' }, 'extra', 'did you mean a.copy?'],
  ['an empty text', { 'a.copy': ' ' }, 'empty', 'Copy'],
  ['a hint that was left', { 'a.copy': '@todo Copy' }, 'untranslated', 'Copy'],
  ['the same as in English', { 'a.copy': 'Copy' }, 'same', 'glossary'],
  ['a placeholder that is missing', { 'a.who': 'Für Sie' }, 'placeholder', '{{address}}'],
  ['a placeholder that was translated', { 'a.who': 'Für {{adresse}}' }, 'placeholder', '{{address}}'],
  ['a broken placeholder', { 'a.who': 'Für {{address}} {address}' }, 'placeholder', '{{address}}'],
  ['a placeholder with spaces', { 'a.who': 'Für {{ address }}' }, 'placeholder', '{{address}}'],
  ['a plural form that is missing', { 'a.left_one': undefined }, 'plural', 'the number 1'],
  ['a plural form too many', { 'a.left_few': 'noch {{count}}' }, 'plural', 'one, other'],
  ['an English word that was left', { 'a.done': 'Fertig. Nothing wurde geändert.' }, 'english', 'sameWords'],
  ['the number left out where more numbers have the form', { 'a.left_other': 'noch Sekunden' }, 'placeholder', '{{count}}'],
  ['HTML', { 'a.copy': '<b>Los</b>' }, 'markup', 'plain text'],
  ['an entity', { 'a.copy': 'A&amp;B' }, 'markup', 'plain text'],
  ['a space at the end', { 'a.copy': 'Kopie ' }, 'space', '"Kopie"'],
  ['two spaces', { 'a.copy': 'Ko  pie' }, 'space', '"Ko pie"'],
  ['a space before a full stop', { 'a.done': 'Fertig . Nichts geändert.' }, 'space', 'leave'],
  ['a tab', { 'a.copy': 'Ko\tpie' }, 'control', 'delete'],
  ['a zero-width space', { 'a.copy': 'Ko\u200bpie' }, 'control', 'delete'],
  ['a direction mark in a left-to-right language', { 'a.copy': '\u200fKopie' }, 'direction', 'delete'],
  ['accents apart from letters', { 'a.copy': 'Kopi\u0065\u0301' }, 'unicode', 'Kopi\u00e9'],
  ['three dots', { 'a.copy': 'Los...' }, 'ellipsis', '…'],
  ['too long for its button', { 'a.copy': 'Kopieren!' }, 'length', 'shorter'],
  ['a word the glossary does not want', { 'a.done': 'Kennwort. Nichts geändert.' }, 'glossary', 'Passwort'],
  ['a review that names nobody', { '@reviewed': 'yes' }, 'reviewed', 'Ada Lovelace'],
  ['no word on the review', { '@reviewed': undefined }, 'reviewed', '"no"'],
])('%s is an error with its line and a suggestion', (_name, texts, rule, suggestion) => {
  const found = german(texts);
  expect(found.map((each) => [each.rule, each.severity])).toContainEqual([rule, 'error']);
  const finding = found.find((each) => each.rule === rule);
  expect(finding?.suggestion).toContain(suggestion);
  const key = Object.keys(texts)[0] ?? '';
  if (finding?.key === key && texts[key] !== undefined) expect(readFileSync(finding.file, 'utf8').split('\n')[finding.line - 1]).toContain(`"${key}"`);
});

test('the number may be left out where it is always the same', () => {
  expect(german({ 'a.left_one': 'noch eine Sekunde' })).toEqual([]);
  // In French, 0 and 1 share a form.
  const french = { '@reviewed': 'no', 'a.copy': 'Copier', 'a.done': 'Fini. Rien de neuf.', 'a.left_many': '{{count}} de secondes', 'a.left_one': 'une seconde', 'a.left_other': '{{count}} secondes', 'a.name': 'STARTTLS', 'a.who': 'Pour {{address}}' };
  expect(check('fr', { 'fr.json': french, 'glossary/fr.json': { ...GLOSSARY, avoid: {} } }).map(({ rule, key }) => [rule, key])).toEqual([['placeholder', 'a.left_one']]);
});

test('the number may stand in every form, also where English leaves it out, and must where one form is for 1, 21 and 31', () => {
  const english = { 'a.last_one': 'Not your last word', 'a.last_other': 'Not one of your last {{count}} words' };
  const rules = (tag: string, one: string) => check(tag, {
    'en.json': english, 'notes/en.json': sortedLines({ 'a.last': { where: 'A rule', params: { count: 'how many' } } }), [`${tag}.json`]: { '@reviewed': 'no', 'a.last_one': one }, [`glossary/${tag}.json`]: GLOSSARY,
  }, true).filter(({ key }) => key === 'a.last_one').map(({ rule, suggestion }) => `${rule}: ${suggestion}`);
  expect([rules('de', 'Nicht das letzte Wort'), rules('de', 'Nicht das letzte {{count}} Wort')]).toEqual([[], []]);
  expect(rules('ru', 'Не последнее слово')).toEqual(['placeholder: this form is also for 1, 21, 31: put {{count}} where the number belongs']);
  expect(rules('ru', 'Не {{count}} последнее слово')).toEqual([]);
  expect(rules('de', 'Nicht das letzte {{max}} Wort')).toEqual(['placeholder: write it as in English, untranslated: {{count}}']);
});

test('English words inside a text: names stay, borrowed words are named in the glossary, another alphabet has none', () => {
  const found = (tag: string, text: string, sameWords: string[] = []) => check(tag, { [`${tag}.json`]: { '@reviewed': 'no', 'a.who': text }, [`glossary/${tag}.json`]: { ...GLOSSARY, sameWords } }, true)
    .filter(({ key, rule }) => key === 'a.who' && rule === 'english').map(({ message, severity }) => `${severity}: ${message}`);
  expect(found('de', 'Für for {{address}}')).toEqual(['error: "for" is English']);
  // Of the other English texts.
  expect(found('de', 'Seconds left für {{address}}')).toEqual(['warning: "Seconds" is English', 'warning: "left" is English']);
  expect(found('de', 'Seconds left für {{address}}', ['seconds', 'left'])).toEqual([]);
  expect(found('de', 'Für {{address}} (IMAP, SSL/TLS, Apple Mail): Strg+C')).toEqual([]);
  // Not a word of these English texts, but no Russian one either.
  expect(found('ru', 'Для {{address}} settings')).toEqual(['error: "settings" is English']);
  expect(found('ru', 'Для {{address}} (IMAP): Ctrl+C')).toEqual([]);
  expect(found('en-GB', 'Copy for {{address}}')).toEqual([]);
});

test('a word that is rightly the same is named in the glossary, a name in the notes', () => {
  expect(check('de', { 'de.json': { ...GERMAN, 'a.copy': 'Copy' }, 'glossary/de.json': { ...GLOSSARY, same: ['a.copy'] } })).toEqual([]);
});

test('what was not translated may fall back where that is wanted', () => {
  expect(check('de', { 'de.json': { '@reviewed': 'no', 'a.copy': '@todo Copy' } }, true).map(({ severity }) => severity)).not.toContain('error');
});

test('a region holds only what differs', () => {
  expect(check('en-GB', { 'en-GB.json': { '@reviewed': 'no', 'a.who': 'For you, {{address}}' } })).toEqual([]);
  expect(check('en-GB', { 'en-GB.json': { '@reviewed': 'no', 'a.copy': 'Copy' } }).map(({ rule }) => rule)).toEqual(['same']);
});

test('every form that the language has: Arabic six, Japanese one', () => {
  const forms = (tag: string) => check(tag, { [`${tag}.json`]: { '@reviewed': 'no' } }).filter(({ key }) => key?.startsWith('a.left')).map(({ key }) => key);
  expect(forms('ar')).toEqual(['a.left_few', 'a.left_many', 'a.left_one', 'a.left_other', 'a.left_two', 'a.left_zero']);
  expect(forms('ja')).toEqual(['a.left_other']);
});

test('other scripts: left in Latin letters, two alphabets in one word, wide characters, joiners', () => {
  const rules = (tag: string, text: string) => check(tag, { [`${tag}.json`]: { '@reviewed': 'no', 'a.copy': text }, [`glossary/${tag}.json`]: GLOSSARY }, true).filter(({ key }) => key === 'a.copy').map(({ rule }) => rule);
  expect(rules('ru', 'Kopia')).toEqual(['script', 'english']);
  expect(rules('ru', 'Кoпия')).toEqual(['script']);
  expect(rules('ru', 'Копия')).toEqual([]);
  expect(rules('ja', 'コピー')).toEqual([]);
  expect(rules('ja', 'コピーする')).toEqual(['length']);
  expect(rules('fa', 'می\u200cرود')).toEqual([]);
  expect(rules('ar', '\u202bنسخ\u202c')).toEqual(['direction', 'direction']);
});

test('what is no language file at all', () => {
  expect(check('de', { 'de.json': '{\n  "a.copy": "Kopieren"\n  "a.done": "Fertig."\n}\n' })).toMatchObject([{ rule: 'json', line: 2, severity: 'error', message: 'a comma is missing at the end of this line' }]);
  expect(check('de', { 'de.json': '["a"]' })).toMatchObject([{ rule: 'json', line: 1 }]);
  expect(check('de', { 'de.json': sortedJson(GERMAN).replace('  "a.done"', '  "a.copy": "Kopie",\n  "a.done"') }).map(({ rule, line }) => [rule, line])).toContainEqual(['duplicate', 4]);
  expect(check('de', { 'de.json': `${JSON.stringify(GERMAN)}\n` }).map(({ rule }) => rule)).toEqual(['format']);
  expect(check('pt-br', { 'pt-br.json': { '@reviewed': 'no' } }).find(({ rule }) => rule === 'tag')?.suggestion).toBe('call the file pt-BR.json');
});

test.each<[string, string, number, string]>([
  ['a comma that is missing', '{\n  "a": "x"\n  "b": "y"\n}\n', 2, 'comma is missing'],
  ['a comma too many at the end', '{\n  "a": "x",\n  "b": "y",\n}\n', 3, 'comma too many'],
  ['two commas', '{\n  "a": "x",,\n  "b": "y"\n}\n', 2, 'comma too many'],
  ['a quote inside the text', '{\n  "a": "x",\n  "b": "say "hi" now"\n}\n', 3, 'inside the text'],
  ['a text that is not closed', '{\n  "a": "x,\n  "b": "y"\n}\n', 2, 'not closed'],
  ['a tab in a text', '{\n  "a": "x\ty"\n}\n', 2, 'tab'],
  ['typographic quotes', '{\n  "a": \u201ex\u201c,\n  "b": "y"\n}\n', 2, 'double quotes'],
  ['a key without its quote', '{\n  "a": "x",\n  b": "y"\n}\n', 3, 'before the key'],
  ['a colon that is missing', '{\n  "a" "x"\n}\n', 2, 'colon'],
  ['a text that is missing', '{\n  "a": ,\n  "b": "y"\n}\n', 2, 'text is missing'],
  ['no end', '{\n  "a": "x"\n', 2, 'ends too early'],
  ['a second end', '{\n  "a": "x"\n}\n}\n', 4, 'after the closing'],
  ['a list', '["a"]', 1, 'not an object'],
  ['an empty file', '', 1, 'does not begin'],
  ['an invisible mark before all', '\ufeff{}', 1, 'BOM'],
  ['a comma in a glossary', '{\n  "terms": {\n    "a": "x"\n    "b": "y"\n  },\n  "same": []\n}', 3, 'comma is missing'],
])('no JSON: %s has its line and plain words', (_name, content, line, message) => {
  expect(jsonProblem(content)).toMatchObject({ line, message: expect.stringContaining(message) as string, suggestion: expect.stringMatching(/./) as string });
});

test('what is JSON is left alone, whatever it holds', () => {
  for (const content of ['{}', '{"a":"\\u00e9 \\" \\\\","b":{"c":[1,-2.5,true,null,"x"],"d":{}}}']) expect([content, jsonProblem(content)]).toEqual([content, null]);
});

test('a glossary, notes or English texts that cannot be read: where and why, not a stack', () => {
  for (const name of ['glossary/de.json', 'notes/en.json', 'en.json']) {
    expect(() => { localeSources(home({ [name]: '{\n  "a": "x"\n  "b": "y"\n}' })).glossary('de'); }).toThrow(new RegExp(`${name.replace('.', '[.]')}:2: a comma is missing`));
  }
});

test('the notes: none missing, none too many, every placeholder explained, English within its own limit', () => {
  const rules = (notes: object) => checkNotes(localeSources(home({ 'notes/en.json': sortedLines(Object.fromEntries(Object.entries({ ...NOTES, ...notes }).filter(([, note]) => note !== undefined))) }))).map(({ rule, key }) => [rule, key]);
  expect(rules({ 'a.copy': undefined })).toEqual([['note', 'a.copy']]);
  expect(rules({ 'a.gone': { where: 'nowhere' } })).toEqual([['note', 'a.gone']]);
  expect(rules({ 'a.who': { where: 'A heading' } })).toEqual([['note', 'a.who']]);
  expect(rules({ 'a.done': { where: 'A message', max: 5 } })).toEqual([['length', 'a.done']]);
});

test('a glossary has the words of all terms', () => {
  const rules = (glossary: object) => checkGlossary('de', localeSources(home({ 'glossary/de.json': { ...GLOSSARY, ...glossary } }))).map(({ message }) => message);
  expect(rules({ terms: {} })).toEqual(['no word for password']);
  expect(rules({ terms: { password: 'Passwort', cat: 'Katze' } })).toEqual(['English has no such term']);
  expect(rules({ same: ['a.nothing'] })).toEqual(['"same" names a key that English has not']);
  expect(rules({ register: '' })).toHaveLength(1);
});

test('--fix sorts; what is no JSON is left for a person', () => {
  const folder = home({ 'de.json': JSON.stringify(Object.fromEntries(Object.entries(GERMAN).reverse())), 'nl.json': '{' });
  expect(fixedLayout(folder, 'de')).toBe(sortedJson(GERMAN));
  expect(fixedLayout(folder, 'nl')).toBeNull();
});

test('add: every key with its hint, nothing of it counts as translated, a second time it refuses', () => {
  const folder = home();
  expect(addLocale('cs', localeSources(folder), folder)).toEqual([join(folder, 'cs.json'), join(folder, 'glossary', 'cs.json')]);
  const made = JSON.parse(readFileSync(join(folder, 'cs.json'), 'utf8')) as Record<string, string>;
  expect(made).toMatchObject({ '@reviewed': 'no', 'a.copy': '@todo Copy', 'a.left_few': '@todo {{count}} seconds left', 'a.left_one': '@todo {{count}} second left' });
  const sources = localeSources(folder);
  expect(new Set(checkLocale('cs', sources, { folder, partial: false }).map(({ rule }) => rule))).toEqual(new Set(['untranslated']));
  expect(localeStats(sources, folder).find(({ tag }) => tag === 'cs')).toMatchObject({ translated: 0, wanted: 8, reviewed: 'no' });
  expect(statsTable(localeStats(sources, folder))).toMatch(/^de\s+German\s+6 of 6\s+100 %\s+not reviewed$/m);
  expect(() => addLocale('cs', sources, folder)).toThrow(LocaleProblem);
  expect(() => addLocale('pt_br', sources, folder)).toThrow(LocaleProblem);
  expect(() => addLocale('PT-br', sources, folder)).toThrow(/pt-BR/);
  expect(() => addLocale('pt_BR', sources, folder)).toThrow(/pt-BR/);
  expect(() => addLocale('german', sources, folder)).toThrow(/no BCP 47 tag/);
  expect(() => addLocale('jp', sources, folder)).toThrow(/did you mean ja \(Japanese\)/);
  expect(() => addLocale('xx', sources, folder)).toThrow(/no language has the code "xx"$/);
  addLocale('cy', sources, folder);
  expect(Object.keys(JSON.parse(readFileSync(join(folder, 'cy.json'), 'utf8')) as object).filter((key) => key.startsWith('a.left'))).toHaveLength(6);
  addLocale('sr', sources, folder);
  // In another script it is a language of its own, not a region of it.
  addLocale('sr-Latn', localeSources(folder), folder);
  expect(JSON.parse(readFileSync(join(folder, 'sr-Latn.json'), 'utf8'))).toMatchObject({ 'a.copy': '@todo Copy' });
  addLocale('en-GB', sources, folder);
  expect(JSON.parse(readFileSync(join(folder, 'en-GB.json'), 'utf8'))).toEqual({ '@reviewed': 'no' });
});
