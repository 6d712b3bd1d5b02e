import { readdirSync } from 'node:fs';
import { dayFormat } from '../../client/panels/dayFormat.ts';
import { intlLanguage } from '../../module/texts/intlLanguage.ts';

const shipped = readdirSync('locales').filter((name) => name.endsWith('.json')).map((name) => name.replace('.json', ''));
const languages = [...shipped, 'en-US', 'ar-EG', 'ar-SA'];

test.each(languages)('%s: a day is read back as it was written, and as ISO 8601', (tag) => {
  const format = dayFormat(intlLanguage(tag));
  for (const day of ['1970-01-01', '2024-02-29', '2026-03-12', '2026-11-28', '2026-12-31']) {
    expect([day, format.read(format.write(day))]).toEqual([day, day]);
    expect(format.read(day)).toBe(day);
  }
  for (const text of ['', 'x', '1/2', '99/99/9999', '2026-02-30', '1/2/3/4']) expect([text, format.read(text)]).toEqual([text, null]);
});

test.each([['en-US', 'month/day/year', '11/28/2026'], ['en-GB', 'day/month/year', '28/11/2026'], ['de', 'Tag.Monat.Jahr', '28.11.2026'], ['sv', 'år-månad-dag', '2026-11-28'], [null, 'YYYY-MM-DD', '2026-11-28']])('%s: %s, as %s', (tag, pattern, written) => {
  const format = dayFormat(tag);
  expect(format.pattern).toBe(pattern);
  expect(format.write('2026-11-28')).toBe(written);
});

test('digits and calendar of the language, digits of any keyboard, no zeros needed', () => {
  const persian = dayFormat('fa');
  expect(persian.write('2026-11-28')).toBe('۱۴۰۵/۰۹/۰۷');
  expect(persian.read('1405/9/7')).toBe('2026-11-28');
  expect(dayFormat('th').read('28/11/2569')).toBe('2026-11-28');
  expect(dayFormat('en-GB').read('1.2.2026')).toBe('2026-02-01');
  expect(dayFormat('en-US').read('1.2.2026')).toBe('2026-01-02');
  expect(dayFormat('en-GB').read('30/2/2026')).toBeNull();
});
