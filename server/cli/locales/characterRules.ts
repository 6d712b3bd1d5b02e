import { directionOf } from '../../../module/texts/translator.ts';
import { complain, warn } from './finding.ts';
import type { TextRule } from './textRule.ts';

const shown = (text: string): string => `U+${(text.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
const JOINERS = /^(ar|as|bn|fa|gu|hi|kn|ku|ml|mr|ne|or|pa|ps|si|ta|te|ug|ur)\b/;
const BREAKS = /^(km|lo|my|th)\b/;

/** No HTML, no entities, no Markdown: texts are shown as they stand. */
export const markupRule: TextRule = ({ text }) => {
  const found = /<\/?[a-z][^>]*>|&(?:[a-z]+|#\d+);|\*\*|`|\]\(/i.exec(text)?.[0];
  return found === undefined ? [] : [complain('markup', `"${found}" would be shown as it stands`, 'write plain text, and the character itself instead of its code')];
};

export const spaceRule: TextRule = ({ tag, text }) => [
  ...(text === text.trim() ? [] : [complain('space', 'a space at the beginning or the end', `write ${JSON.stringify(text.trim())}`)]),
  ...(/[ \u00a0\u202f]{2}/.test(text.trim()) ? [complain('space', 'two spaces in a row', `write ${JSON.stringify(text.trim().replaceAll(/[ \u00a0\u202f]{2,}/g, ' '))}`)] : []),
  ...(/ [.,;:!?%](?!\w)/.test(text.replaceAll(/, \. \/ ! @ # \$ % \^ & \*/g, '')) ? [complain('space', 'a space before a punctuation mark, where a line may break', tag.startsWith('fr') ? 'use a no-break space (U+00A0)' : 'leave the space out')] : []),
];

/** Nothing that cannot be seen, except what a script needs. */
export const invisibleRule: TextRule = ({ tag, text }) => {
  const rightToLeft = directionOf(tag) === 'rtl';
  const allowed = (character: string): boolean =>
    (/[\u200c\u200d]/.test(character) && JOINERS.test(tag)) || (character === '\u200b' && BREAKS.test(tag)) || (/[\u200e\u200f\u061c\u2066-\u2069]/.test(character) && rightToLeft);
  const found = (text.match(/[\p{Cc}\p{Cf}\u2028\u2029\ufffd]/gu) ?? []).filter((character) => !allowed(character));
  const open = (text.match(/[\u2066-\u2068]/g) ?? []).length - (text.match(/\u2069/g) ?? []).length;
  return [
    ...[...new Set(found)].map((character) => (/[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/.test(character)
      ? complain('direction', `${shown(character)} sets a direction that ${rightToLeft ? 'must not be forced' : 'this language does not need'}`, 'delete it: the page sets the direction')
      : complain('control', `${shown(character)} cannot be seen`, 'delete it and type the text around it again'))),
    ...(open === 0 ? [] : [complain('direction', 'an isolate is not closed, or closed twice', 'each U+2066, U+2067, U+2068 needs one U+2069')]),
    ...(text === text.normalize('NFC') ? [] : [complain('unicode', 'letters and their accents are apart (not NFC)', `write ${JSON.stringify(text.normalize('NFC'))}`)]),
  ];
};

const ENDS: Readonly<Record<string, RegExp>> = { '.': /[.。।۔]$/, '?': /[?？؟;;]$/, '…': /…$/, ':': /[:：]$/ };
const NO_FULL_STOP = /^(th|lo)\b/;

/** Ends as the English text does: a label without a full stop, a sentence with one. */
export const endingRule: TextRule = ({ tag, text, english }) => {
  const wanted = ENDS[english.at(-1) ?? ''];
  if (NO_FULL_STOP.test(tag) && english.endsWith('.')) return [];
  if (wanted !== undefined) return wanted.test(text) ? [] : [warn('ending', `English ends with "${english.at(-1) ?? ''}", this does not`, 'end it as your language ends such a text')];
  return /[.。।۔:：…]$/.test(text) ? [warn('ending', `English ends without "${text.at(-1) ?? ''}"`, 'it is a label, not a sentence: leave it out')] : [];
};

export const ellipsisRule: TextRule = ({ text }) => (text.includes('...') ? [complain('ellipsis', 'three full stops', 'write … (one character)')] : []);
