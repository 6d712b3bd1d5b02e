/** Who speaks for a language that a browser's Intl lacks (Chromium and Chrome carry no data for Nynorsk and Mongolian, for example). */
const KIN: Readonly<Record<string, string>> = { nn: 'nb' };

/**
 * The language to ask Intl in: itself, else its kin. Null where it knows neither: then Intl would answer in the language of
 * the machine, and what it formats has to be written without words.
 */
export function intlLanguage(tag: string): string | null {
  const kin = KIN[tag.split('-')[0] ?? ''];
  return Intl.DateTimeFormat.supportedLocalesOf(kin === undefined ? [tag] : [tag, kin])[0] ?? null;
}
