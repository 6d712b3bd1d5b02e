import { useMemo } from 'react';
import { useTranslator } from '../i18n/context.ts';

/** Times and numbers as the language writes them; a dash for what nobody knows. */
export function useFormats() {
  const { language } = useTranslator();
  return useMemo(() => {
    const when = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
    const number = new Intl.NumberFormat(language);
    return {
      time: (at: number | null): string => (at === null || at === 0 ? '–' : when.format(at)),
      number: (value: number | null | undefined): string => (value === null || value === undefined ? '–' : number.format(value)),
    };
  }, [language]);
}
