import { intlLanguage } from './intlLanguage.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** What is longer ago is easier to grasp as a date. */
const LONGEST_DAYS = 30;

const midnight = (at: number): number => new Date(at).setHours(0, 0, 0, 0);

/**
 * "now", "5 minutes ago", "yesterday" (by the calendar of this machine, not by 24 hours); null for what is longer ago than 30
 * days and where Intl does not know the language. Times are milliseconds; a time ahead (another clock) is "now".
 */
export function timeAgo(language: string, at: number, now: number): string | null {
  const known = intlLanguage(language);
  if (known === null) return null;
  const past = Math.max(0, now - at);
  const days = Math.round((midnight(now) - midnight(at)) / DAY);
  const words = new Intl.RelativeTimeFormat(known, { numeric: 'auto' });
  if (past < MINUTE) return words.format(0, 'second');
  if (past < HOUR) return words.format(-Math.floor(past / MINUTE), 'minute');
  if (past < DAY) return words.format(-Math.floor(past / HOUR), 'hour');
  return days > LONGEST_DAYS ? null : words.format(-days, 'day');
}

/** "in 42 seconds", "in 9 minutes", rounded up, so that nobody comes too early; null where Intl does not know the language. */
export function timeUntil(language: string, seconds: number): string | null {
  const known = intlLanguage(language);
  if (known === null) return null;
  const words = new Intl.RelativeTimeFormat(known);
  if (seconds <= 90) return words.format(Math.ceil(seconds), 'second');
  return seconds <= 5400 ? words.format(Math.ceil(seconds / 60), 'minute') : words.format(Math.ceil(seconds / 3600), 'hour');
}
