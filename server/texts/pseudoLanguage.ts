/** Accented and 40 % longer; and from right to left. They are made, not translated, and offered to nobody: ask for them by name. */
export const PSEUDO_LANGUAGES = ['en-XA', 'ar-XB'] as const;

const PLAIN = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const ACCENTED = 'áƀçđéƒǧĥíĵķĺɱñóþɋřšťúṽŵẋýžÁƁÇĐÉƑǦĤÍĴĶĹṀÑÓÞɊŘŠŤÚṼŴẊÝŽ';
const FILLER = 'ǿɲḗ ŧẇǿ ŧħřḗḗ ƒǿŭř ƒīṽḗ şīẋ şḗṽḗƞ ';
const RIGHT_TO_LEFT_OVERRIDE = '\u202e';
const POP = '\u202c';

const accent = (text: string): string => [...text].map((letter) => [...ACCENTED][PLAIN.indexOf(letter)] ?? letter).join('');
const outsidePlaceholders = (text: string, change: (part: string) => string): string => text.split(/(\{\{\w+\}\})/).map((part) => (part.startsWith('{{') ? part : change(part))).join('');

/** `Copy` -> `⟦Çóþý ǿɲ⟧`: what stays plain is not from a language file, what lacks a bracket is cut off or glued from parts. */
function longer(text: string): string {
  const more = Math.ceil(text.length * 0.4);
  return `⟦${outsidePlaceholders(text, accent)} ${FILLER.repeat(Math.ceil(more / FILLER.length)).slice(0, Math.max(1, more - 3)).trimEnd()}⟧`;
}

const mirrored = (text: string): string => outsidePlaceholders(text, (part) => (/\p{Letter}/u.test(part) ? `${RIGHT_TO_LEFT_OVERRIDE}${accent(part)}${POP}` : part));

/** The English texts in a pseudo language. */
export function pseudoTexts(tag: (typeof PSEUDO_LANGUAGES)[number], english: Readonly<Record<string, string>>): Record<string, string> {
  const change = tag === 'en-XA' ? longer : mirrored;
  return Object.fromEntries(Object.entries(english).map(([key, text]) => [key, key === 'text.labelled' ? text : change(text)]));
}
