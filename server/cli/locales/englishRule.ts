import { complain, warn } from './finding.ts';
import { isLatin } from './languageRules.ts';
import type { TextRule } from './textRule.ts';

/** Names of programs, protocols and keys, and letters of the alphabet named as such: the same in every language. */
const NAMES = /\b(?:Apple Mail|Outlook|ActiveSync|STARTTLS|SSL|TLS|IMAP|POP|SMTP|CSV|IP|UTF-8|Ctrl|Strg|Mac|Caps Lock|Enter)\b|⌘?\bC\b|\b[AZaz]\b/g;
const LATIN_WORDS = /(?<![\p{L}\p{M}'’])[a-z]+(?![\p{L}\p{M}])/giu;
/** Shorter ones are too often a word of the language, too. */
const SHORTEST = 3;

const wordsOf = (text: string): readonly string[] => text.replaceAll(/\{\{\w+\}\}/g, ' ').replaceAll(NAMES, ' ').match(LATIN_WORDS) ?? [];

export const englishWords = (english: Readonly<Record<string, string>>): ReadonlySet<string> =>
  new Set(Object.values(english).flatMap(wordsOf).map((word) => word.toLowerCase()));

/**
 * No word left in English inside a translated text: one of this text in English, or in another alphabet any Latin word. A word of
 * the other English texts is a warning only, so that a new one there does not make every language wrong that has such a word.
 * What is rightly spelled the same ("Server", Dutch "was") is named in the glossary's `sameWords`.
 */
export const englishRule: TextRule = ({ tag, key, text, english, note, glossary, words, category }) => {
  const base = category === null ? key : key.slice(0, -category.length - 1);
  if (note?.same === true || text.toLowerCase() === english.toLowerCase() || glossary.same.includes(key) || glossary.same.includes(base)) return [];
  const allowed = new Set(glossary.sameWords.map((word) => word.toLowerCase()));
  const left = wordsOf(text).filter((word) => !allowed.has(word.toLowerCase()) && (isLatin(tag) ? word.length >= SHORTEST && words.has(word.toLowerCase()) : word.length > 1));
  const own = new Set(wordsOf(english).map((word) => word.toLowerCase()));
  return [...new Set(left)].map((word) => (isLatin(tag) && !own.has(word.toLowerCase()) ? warn : complain)('english', `"${word}" is English`, `translate it; if it is a word of your language, too, add "${word.toLowerCase()}" to "sameWords" in the language's glossary`));
};
