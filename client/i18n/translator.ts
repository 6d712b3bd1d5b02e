import { createTranslator as create, type Translator } from '../../module/texts/translator.ts';

export type { MessageKey, Translator } from '../../module/texts/translator.ts';

const SENTENCE = /[.?…]$/;
const ONE_LETTER = /(^|[^\p{L}])(\p{L})-(?=\p{L})/gu;

/** Sentences wrap; "e-mail" must not: its hyphen becomes one that does not break. Labels stay as they are, to be found and copied. */
const kept = (text: string): string => (SENTENCE.test(text) ? text.replaceAll(ONE_LETTER, '$1$2\u2011') : text);

/** As the module's, for texts on a page. */
export const createTranslator = (messages: Readonly<Record<string, string>>): Translator =>
  create(Object.fromEntries(Object.entries(messages).map(([key, text]) => [key, key.startsWith('@') ? text : kept(text)])));
