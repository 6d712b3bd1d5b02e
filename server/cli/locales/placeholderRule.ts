import { complain } from './finding.ts';
import type { TextRule } from './textRule.ts';

const WHOLE = /\{\{\w+\}\}/g;
const names = (text: string): readonly string[] => [...new Set(text.match(WHOLE) ?? [])].sort();
const LOOKED_AT = 1000;

/** True where only one number has this form, as 1 in English: then "one session" may stand without its number. */
function singleNumber(tag: string, category: Intl.LDMLPluralRule | null): boolean {
  if (category === null || category === 'other') return false;
  const rules = new Intl.PluralRules(tag);
  return Array.from({ length: LOOKED_AT }, (_, number) => number).filter((number) => rules.select(number) === category).length === 1;
}

/** The same `{{placeholders}}` as in English, whole, each at least once. */
export const placeholderRule: TextRule = ({ tag, text, english, category }) => {
  const wanted = names(english);
  const there = names(text);
  const missing = wanted.filter((name) => !there.includes(name));
  const unknown = there.filter((name) => !wanted.includes(name));
  const broken = text.replaceAll(WHOLE, '').match(/[{}]+[^{}]*[{}]*/)?.[0];
  return [
    ...missing.filter(() => !(missing.length === 1 && singleNumber(tag, category) && /count|min|max/.test(missing[0] ?? '')))
      .map((name) => complain('placeholder', `${name} is missing`, `put ${name} where your language wants it; it is replaced when the text is shown`)),
    ...unknown.map((name) => complain('placeholder', `English has no ${name}`, wanted.length === 0 ? 'leave it out' : `write it as in English, untranslated: ${wanted.join(' ')}`)),
    ...(broken === undefined ? [] : [complain('placeholder', `"${broken}" is no whole placeholder`, `two braces on both sides, no spaces: ${wanted.join(' ') || '{{name}}'}`)]),
  ];
};
