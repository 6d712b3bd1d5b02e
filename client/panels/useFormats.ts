import { useMemo } from 'react';
import { useTranslator } from '../i18n/context.ts';
import { formatLanguage } from './formatLanguage.ts';

/** Times and numbers as the language writes them; a dash for what nobody knows. */
export function useFormats() {
  const { language } = useTranslator();
  return useMemo(() => {
    const known = formatLanguage(language);
    // Sweden's way is ISO 8601's, without words: for a language that the browser does not know.
    const when = new Intl.DateTimeFormat(known ?? 'sv', { dateStyle: known === null ? 'short' : 'medium', timeStyle: 'short' });
    const number = new Intl.NumberFormat(known ?? 'en', { useGrouping: known !== null });
    return {
      time: (at: number | null): string => (at === null || at === 0 ? '–' : when.format(at)),
      number: (value: number | null | undefined): string => (value === null || value === undefined ? '–' : number.format(value)),
    };
  }, [language]);
}
