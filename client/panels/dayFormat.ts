const DAY_MS = 86_400_000;
/** Days from 1970 to 2200: nobody looks for what is later. */
const LAST = 84_006;
const MARKS = /[\u200e\u200f\u061c]/g;

type Part = 'year' | 'month' | 'day';
const isPart = (type: string): type is Part => type === 'year' || type === 'month' || type === 'day';

export interface DayFormat {
  /** What comes in which order, in the language's own words: `day/month/year`. */
  readonly pattern: string;
  /** `2026-11-28` as the language writes it. */
  write(day: string): string;
  /** What somebody typed as `2026-11-28`; null where it is no day. ISO 8601 is understood in every language. */
  read(text: string): string | null;
}

/** Days as a language writes them, in its own order, digits and calendar. `language`: one that Intl knows; null = ISO 8601. */
export function dayFormat(language: string | null): DayFormat {
  const tag = language ?? 'sv';
  const format = new Intl.DateTimeFormat(tag, { year: 'numeric', month: '2-digit', day: '2-digit', timeZone: 'UTC' });
  const names = new Intl.DisplayNames(tag, { type: 'dateTimeField' });
  const own = [...new Intl.NumberFormat(tag, { useGrouping: false, numberingSystem: format.resolvedOptions().numberingSystem }).format(9_876_543_210)].reverse();
  const ascii = (text: string): string => [...text].map((sign) => (own.includes(sign) ? String(own.indexOf(sign)) : sign)).join('');
  const parts = format.formatToParts(0);
  const order = parts.map(({ type }) => type).filter(isPart);
  const iso = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

  /** Below, at or above the day that was typed. */
  function compare(day: number, typed: Readonly<Record<Part, number>>): number {
    const here = Object.fromEntries(format.formatToParts(day * DAY_MS).map(({ type, value }) => [type, Number(ascii(value))]));
    for (const part of ['year', 'month', 'day'] as const) {
      const difference = (here[part] ?? NaN) - typed[part];
      if (difference !== 0) return difference;
    }
    return 0;
  }

  return {
    pattern: language === null ? 'YYYY-MM-DD' : parts.map(({ type, value }) => (isPart(type) ? names.of(type) : type === 'literal' ? value : '')).join('').replace(MARKS, '').trim(),
    write: (day) => format.format(Date.parse(day)).replace(MARKS, '').trim(),
    read(text) {
      const typed = ascii(text).trim();
      const at = /^\d{4}-\d\d-\d\d$/.test(typed) ? Date.parse(typed) / DAY_MS : NaN;
      if (at >= 0 && at <= LAST && iso(at) === typed) return typed;
      const numbers = typed.match(/\d+/g) ?? [];
      if (numbers.length !== 3) return null;
      const wanted = Object.fromEntries(order.map((part, n) => [part, Number(numbers[n])])) as Record<Part, number>;
      // Days in order are years, months and days in order, whatever the calendar: no arithmetic of any calendar is needed.
      let [low, high] = [0, LAST];
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        if (compare(middle, wanted) < 0) low = middle + 1;
        else high = middle;
      }
      return compare(low, wanted) === 0 ? iso(low) : null;
    },
  };
}
