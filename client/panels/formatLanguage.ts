import { intlLanguage } from '../../module/texts/intlLanguage.ts';

/** What to ask Intl in: the page's language with the browser's own region (24/11/2026 in Britain, 11/24/2026 in America). Null where Intl does not know it. */
export const formatLanguage = (language: string): string | null => intlLanguage(navigator.languages.find((tag) => tag === language || tag.startsWith(`${language}-`)) ?? language);
