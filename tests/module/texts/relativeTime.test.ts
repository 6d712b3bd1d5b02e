import { intlLanguage } from '../../../module/texts/intlLanguage.ts';
import { timeAgo, timeUntil } from '../../../module/texts/relativeTime.ts';
import { createTranslator } from '../../../module/texts/translator.ts';

const NOON = new Date(2026, 10, 24, 12, 0).getTime();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ago = (past: number, language = 'en') => timeAgo(language, NOON - past, NOON);

/** A browser that was built without the data of a language. */
function without(...tags: string[]): void {
  const real = Intl.DateTimeFormat.supportedLocalesOf.bind(Intl.DateTimeFormat);
  jest.spyOn(Intl.DateTimeFormat, 'supportedLocalesOf').mockImplementation((asked) => real(asked).filter((tag) => !tags.includes(tag)));
}
afterEach(() => { jest.restoreAllMocks(); });

test('how long ago, in the words of the language', () => {
  expect([0, 59_000, MINUTE, 5 * MINUTE + 59_000, HOUR, 11 * HOUR].map((past) => ago(past))).toEqual(['now', 'now', '1 minute ago', '5 minutes ago', '1 hour ago', '11 hours ago']);
  expect(ago(5 * MINUTE, 'de')).toBe('vor 5 Minuten');
  expect(ago(5 * MINUTE, 'pl')).toBe('5 minut temu');
  expect(ago(5 * MINUTE, 'ja')).toBe('5 分前');
  expect(ago(5 * MINUTE, 'fa')).toContain('۵');
});

test('a clock that is ahead does not make it the future', () => {
  expect(ago(-3 * HOUR)).toBe('now');
});

test('days are those of the calendar: what was 40 hours ago may be the day before yesterday', () => {
  expect(ago(25 * HOUR)).toBe('yesterday');
  expect(ago(40 * HOUR)).toBe('2 days ago');
  expect(ago(30 * 24 * HOUR)).toBe('30 days ago');
  expect(ago(31 * 24 * HOUR)).toBeNull();
});

test('how long to wait is never too short', () => {
  expect([1, 42, 90, 91, 542, 5400, 5401].map((seconds) => timeUntil('en', seconds))).toEqual(['in 1 second', 'in 42 seconds', 'in 90 seconds', 'in 2 minutes', 'in 10 minutes', 'in 90 minutes', 'in 2 hours']);
  expect(timeUntil('fi', 542)).toBe('10 minuutin päästä');
});

test('a language that the browser does not know is never answered in another one', () => {
  without('mn', 'nn');
  expect([intlLanguage('mn'), intlLanguage('nn'), intlLanguage('de')]).toEqual([null, 'nb', 'de']);
  expect([ago(MINUTE, 'mn'), timeUntil('mn', 5)]).toEqual([null, null]);
  expect(ago(5 * MINUTE, 'nn')).toBe('for 5 minutter siden');
  const { list, t } = createTranslator({ '@language': 'mn', 'done.count_other': '{{channel}}: {{count}}' });
  expect(list(['a', 'b', 'c'])).toBe('a, b, c');
  expect(t('done.count', { channel: 'IMAP', count: 12_345 })).toBe('IMAP: 12345');
});
