import { complain } from './finding.ts';
import { textWidth } from './textWidth.ts';
import type { TextRule } from './textRule.ts';

/** ISO 15924 -> what Unicode calls the scripts of such a text. */
const SCRIPTS: Readonly<Record<string, string>> = { Jpan: 'Hiragana,Katakana,Han', Kore: 'Hangul,Han', Hans: 'Han', Hant: 'Han' };

function ownLetters(tag: string): { readonly name: string; readonly letters: RegExp } | null {
  const script = new Intl.Locale(tag).maximize().script;
  if (script === undefined) return null;
  try {
    const classes = (SCRIPTS[script] ?? script).split(',').map((name) => String.raw`\p{Script=${name}}`).join('');
    return { name: new Intl.DisplayNames('en', { type: 'script' }).of(script) ?? script, letters: new RegExp(`[${classes}]`, 'u') };
  } catch {
    return null;
  }
}

/** Whether the language is written in Latin letters; also where its script is not known. */
export const isLatin = (tag: string): boolean => ['Latin', undefined].includes(ownLetters(tag)?.name);

const words = (text: string): string => text.replaceAll(/\{\{\w+\}\}/g, '');

/** Not left in English, unless the notes or the language's glossary say that it is the same word. */
export const sameRule: TextRule = ({ key, text, english, note, glossary, category }) => {
  if (note?.same === true || !/\p{Letter}/u.test(words(english)) || text.toLowerCase() !== english.toLowerCase()) return [];
  const base = category === null ? key : key.slice(0, -category.length - 1);
  if (glossary.same.includes(key) || glossary.same.includes(base)) return [];
  return [complain('same', 'the same as in English', `translate it; if your language really uses this word, add "${base}" to "same" in the language's glossary`)];
};

/** In the letters of the language; no word that mixes two alphabets (a Latin "a" among Cyrillic letters looks right and is not). */
export const scriptRule: TextRule = ({ tag, text, note }) => {
  const own = ownLetters(tag);
  const plain = words(text);
  if (own === null || !/\p{Letter}/u.test(plain) || note?.same === true) return [];
  if (!own.letters.test(plain)) return [complain('script', `no ${own.name} letter in it`, 'translate it')];
  const mixed = /(?:[a-z](?=[а-яёіїєґәөү])|[а-яёіїєґәөү](?=[a-z]))/i.exec(plain) ?? /(?:[a-z](?=[α-ωά-ώ])|[α-ωά-ώ](?=[a-z]))/i.exec(plain);
  return mixed === null ? [] : [complain('script', `letters of two alphabets in one word, near "${plain.slice(Math.max(0, mixed.index - 5), mixed.index + 6)}"`, 'type the word again with your keyboard')];
};

/** Fits where it is shown (`max` in the notes). */
export const lengthRule: TextRule = ({ text, note }) => {
  const width = textWidth(text);
  return note?.max === undefined || width <= note.max ? [] : [complain('length', `${String(width)} columns, ${String(note.max)} fit`, 'say it shorter; what is on a button matters more than every detail')];
};

/** Words that the glossary says not to use. */
export const glossaryRule: TextRule = ({ text, glossary }) => Object.entries(glossary.avoid)
  .filter(([word]) => new RegExp(String.raw`(?<![\p{L}\p{M}-])${word.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}(?![\p{L}\p{M}-])`, 'iu').test(text))
  .map(([word, use]) => complain('glossary', `"${word}" is not the word of the glossary`, `use "${use}"`));
