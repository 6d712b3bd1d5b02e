import { complain } from './finding.ts';
import type { TextRule } from './textRule.ts';

const WHOLE = /\{\{\w+\}\}/g;
const names = (text: string): readonly string[] => [...new Set(text.match(WHOLE) ?? [])].sort();
const NUMBER = /count|min|max/;
const LOOKED_AT = 1000;

/** The numbers of a plural form, from 0; `other` is taken for many. */
function numbersOf(tag: string, category: Intl.LDMLPluralRule): readonly number[] {
  const rules = new Intl.PluralRules(tag);
  return Array.from({ length: LOOKED_AT }, (_, number) => number).filter((number) => rules.select(number) === category);
}

/**
 * The same `{{placeholders}}` as in English, whole, each at least once. The number may stand in every plural form, also where
 * English leaves it out; it may be left out where the form is for one number alone, and must not where it is for 1, 21 and 31.
 */
export const placeholderRule: TextRule = ({ tag, text, english, many, category }) => {
  const numbers = category === null || category === 'other' ? [] : numbersOf(tag, category);
  const several = numbers.some((number) => number > 1) && numbers.length > 1;
  const wanted = several ? names(many) : names(english);
  const there = names(text);
  const missing = wanted.filter((name) => !there.includes(name));
  const known = names(`${english} ${many}`);
  const unknown = there.filter((name) => !known.includes(name));
  const broken = text.replaceAll(WHOLE, '').match(/[{}]+[^{}]*[{}]*/)?.[0];
  return [
    ...missing.filter((name) => !(missing.length === 1 && numbers.length === 1 && NUMBER.test(name)))
      .map((name) => complain('placeholder', `${name} is missing`, several && NUMBER.test(name)
        ? `this form is also for ${numbers.slice(0, 3).join(', ')}: put ${name} where the number belongs`
        : `put ${name} where your language wants it; it is replaced when the text is shown`)),
    ...unknown.map((name) => complain('placeholder', `English has no ${name}`, known.length === 0 ? 'leave it out' : `write it as in English, untranslated: ${known.join(' ')}`)),
    ...(broken === undefined ? [] : [complain('placeholder', `"${broken}" is no whole placeholder`, `two braces on both sides, no spaces: ${known.join(' ') || '{{name}}'}`)]),
  ];
};
