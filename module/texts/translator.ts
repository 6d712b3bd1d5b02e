import { intlLanguage } from './intlLanguage.ts';
import { shortKey } from './shortKey.ts';

type Messages = typeof import('../../locales/en.json');

/** A key of `locales/en.json`; the plural forms of one text are one key. */
export type MessageKey = { [K in keyof Messages]: K extends `@${string}` ? never : K extends `${infer Base}_${'one' | 'other'}` ? Base : K }[keyof Messages];

export type MessageParams = Readonly<Record<string, string | number>>;

export interface Translator {
  /** BCP 47, of the texts that were really loaded. */
  readonly language: string;
  readonly direction: 'ltr' | 'rtl';
  /** `{{name}}` is replaced; the number among the parameters chooses the plural form (CLDR, by Intl.PluralRules; `count` where there are several). */
  readonly t: (key: MessageKey, params?: MessageParams) => string;
  /** For texts named by a code of the server. */
  readonly code: (kind: 'error' | 'violation', code: string, params?: MessageParams) => string;
  /** "Label: value", with the punctuation of the language. */
  readonly labelled: (label: string, value: string) => string;
  readonly list: (items: readonly string[]) => string;
}

/** Scripts that run from right to left (ISO 15924); Kurdish and Panjabi, for example, are written in either direction. */
const RIGHT_TO_LEFT: readonly string[] = ['Adlm', 'Arab', 'Hebr', 'Nkoo', 'Rohg', 'Syrc', 'Thaa'];

export function directionOf(language: string): 'ltr' | 'rtl' {
  try {
    return RIGHT_TO_LEFT.includes(new Intl.Locale(language).maximize().script ?? '') ? 'rtl' : 'ltr';
  } catch {
    return 'ltr';
  }
}

/** Reads texts of `locales/` in one language. `messages` carries that language's tag under `@language`; its keys may be short. */
export function createTranslator(messages: Readonly<Record<string, string>>): Translator {
  const language = messages['@language'] ?? 'en';
  const plural = new Intl.PluralRules(language);
  const known = intlLanguage(language);
  const numbers = new Intl.NumberFormat(known ?? 'en', { useGrouping: known !== null });
  // As they stand in the files, or as browsers are sent them.
  const message = (key: string): string | undefined => messages[key] ?? messages[shortKey(key)];
  function text(key: string, params: MessageParams = {}): string | undefined {
    const count = params['count'] ?? Object.values(params).find((value) => typeof value === 'number');
    const form = typeof count === 'number' ? (message(`${key}_${plural.select(count)}`) ?? message(`${key}_other`)) : undefined;
    return (form ?? message(key))?.replaceAll(/\{\{(\w+)\}\}/g, (_whole, name: string) => {
      const value = params[name] ?? '';
      return typeof value === 'number' ? numbers.format(value) : value;
    });
  }
  const t: Translator['t'] = (key, params) => text(key, params) ?? key;
  return {
    language,
    direction: directionOf(language),
    t,
    labelled: (label, value) => t('text.labelled', { label, value }),
    code: (kind, code, params) => text(`${kind}.${code}`, params) ?? text('error.fallback') ?? code,
    list: (items) => (known === null ? items.join(', ') : new Intl.ListFormat(known).format(items)),
  };
}
