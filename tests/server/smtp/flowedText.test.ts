import { composeNotice } from '../../../server/notices/composeNotice.ts';
import { loadTemplates } from '../../../server/notices/loadTemplates.ts';
import { NOTICE_EVENTS } from '../../../server/ports/notices.ts';
import { flowedText } from '../../../server/smtp/flowedText.ts';
import { createTextLibrary } from '../../../server/texts/textLibrary.ts';
import { unfolded } from '../../fixtures/mailText.ts';

const library = createTextLibrary();
const ADDRESS = 'a.very-long_name+tag@mail.department-of-something.example.test';
const SUPPORT = 'https://help.example.test/mail/passwords?topic=changed-by-somebody-else&from=notice#a-long-anchor, +31 20 123 4567';

/** As wide as a terminal shows it. */
const width = (line: string): number => [...line.replaceAll(/[\p{Mn}\p{Me}\p{Cf}]/gu, '')].reduce((sum, character) => sum + (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60]/u.test(character) ? 2 : 1), 0);

describe.each(library.languages().map(({ tag }) => tag))('%s', (language) => {
  const texts = NOTICE_EVENTS.map((event) => composeNotice(
    { id: 'x', recipient: ADDRESS, happenedAt: 0, facts: { event, address: ADDRESS, recovery: 'other@elsewhere.test', language, by: 'administrator', name: 'ada', ip: '2001:db8:1111:2222:3333:4444:5555:6666', onServer: false, client: null, ended: null, pending: ['imap', 'pop3', 'web'] } },
    { from: { name: 'x', address: 'x@example.test' }, support: SUPPORT, timeZone: 'Europe/Amsterdam', templateFor: loadTemplates(null), textsOf: (tag) => library.texts(tag) },
  ).text);

  test('lines of 72 columns, which a reader of RFC 3676 puts together again as they were; addresses and links are whole', () => {
    for (const text of texts) {
      const flowed = flowedText(text, language);
      const lines = flowed.text.split('\n');
      for (const line of lines) if (width(line) > 72) expect(line.trim()).toMatch(/^\S+$/);
      expect(lines.length).toBeGreaterThan(text.split('\n').length);
      expect(unfolded(flowed.text, flowed.parameters)).toBe(text);
      for (const whole of [ADDRESS, 'other@elsewhere.test', ...SUPPORT.split(', ')]) expect(lines.some((line) => line.includes(whole))).toBe(true);
    }
  });
});

test.each(['ja', 'zh-CN', 'th'])('%s: sentences without blanks are parted between words, and no line begins with what ends one', (language) => {
  const sentence = { ja: 'パスワードが変更されました。心当たりがない場合は、すぐに「プロバイダー」へご連絡ください。', 'zh-CN': '邮箱的密码已被更改。如果这不是您本人的操作，请立即联系您的“服务商”。', th: 'รหัสผ่านของกล่องจดหมายถูกเปลี่ยนแล้วหากไม่ใช่คุณโปรดติดต่อผู้ให้บริการทันที' }[language] ?? '';
  const whole = { ja: 'ユーザー@メール.例え', 'zh-CN': '用户@例子.测试', th: 'ผู้ใช้@ตัวอย่าง.ไทย' }[language] ?? '';
  // Every place of the sentences comes to be at the end of a line once.
  for (let at = 1; at < 71; at += 1) {
    const text = `${'x'.repeat(at)} ${sentence.repeat(2)} ${whole} ${sentence.repeat(2)}`;
    const { text: flowed, parameters } = flowedText(text, language);
    const lines = flowed.split('\n');
    expect(parameters).toBe('format=flowed; delsp=yes');
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) {
      expect(width(line)).toBeLessThanOrEqual(72);
      expect(line).not.toMatch(/^[。、，」”\p{M}]|[「“] ?$/u);
    }
    expect(lines.some((line) => line.includes(whole))).toBe(true);
    const words = new Set([...new Intl.Segmenter(language, { granularity: 'word' }).segment(text)].map(({ index }) => index));
    let end = 0;
    for (const line of lines.slice(0, -1)) expect(words.has(end += line.length - 1)).toBe(true);
    expect(unfolded(flowed, parameters)).toBe(text);
  }
});

test('a telephone number is not parted', () => {
  for (let at = 0; at < 72; at += 1) expect(flowedText(`${'x'.repeat(at)} call +31 20 123 4567 at any time of the day`, 'en').text).toContain('+31 20 123 4567');
});

test('a text that fits is left alone, but for what would mean something else in a mail', () => {
  expect(flowedText('One\r\n\r\nTwo   \n> three\nFrom four\n five\n', 'en')).toEqual({ text: 'One\n\nTwo\n > three\n From four\n  five\n', parameters: 'format=flowed' });
  expect(unfolded(' > three\n From four\n  five', 'format=flowed')).toBe('> three\nFrom four\n five');
});
