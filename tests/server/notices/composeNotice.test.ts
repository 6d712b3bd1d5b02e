import { CHANNELS } from '../../../module/channels.ts';
import { composeNotice } from '../../../server/notices/composeNotice.ts';
import { loadTemplates } from '../../../server/notices/loadTemplates.ts';
import { NOTICE_EVENTS, type NoticeFacts } from '../../../server/ports/notices.ts';
import { createTextLibrary } from '../../../server/texts/textLibrary.ts';

const library = createTextLibrary();
const facts: NoticeFacts = {
  event: 'change', address: 'alice@example.test', recovery: null, language: 'en', by: 'owner', name: null, ip: '2001:db8::1', onServer: false, client: 'Firefox, Windows',
  ended: { web: 2, imap: 1, activesync: 0 }, pending: ['pop3'],
};
const compose = (own: Partial<NoticeFacts> = {}, happenedAt = Date.UTC(2026, 2, 29, 1, 30)) => composeNotice(
  { id: '6d1f0c2e-0000-4000-8000-000000000001', recipient: own.recovery ?? 'alice@example.test', facts: { ...facts, ...own }, happenedAt },
  { from: { name: 'Example', address: 'no-reply@mail.example.test' }, support: '+31 20 123 4567', timeZone: 'Europe/Amsterdam', templateFor: loadTemplates(null), textsOf: (language) => library.texts(language) },
);

describe.each(library.languages().map(({ tag, direction }) => [tag, direction] as const))('%s (%s)', (language, direction) => {
  test.each(NOTICE_EVENTS)('%s: whole sentences in its direction, nothing left open', (event) => {
    for (const own of [{}, { recovery: 'other@elsewhere.test' }, { ended: null, pending: [] }, { by: 'administrator' as const, name: 'ada' }, { by: 'operator' as const, onServer: true, ip: null }]) {
      const mail = compose({ event, language, ...own });
      expect(mail.html).toContain(`<html lang="${language}" dir="${direction}">`);
      expect(mail.html).toContain(`<div class="card" lang="${language}" dir="${direction}">`);
      expect(mail.language).toBe(language);
      for (const text of [mail.subject, mail.text, mail.html]) {
        expect(text).not.toMatch(/\{\{|\}\}(?!\s*<)|\bundefined\b|\bnull\b|\b(notice|channel)\.[a-z]|\bdone\.(count|pending|remind)/);
        expect(text).toContain('alice@example.test');
      }
      // An address keeps its own direction in a sentence that runs the other way.
      if (direction === 'rtl') expect(mail.text).toContain('\u2068alice@example.test\u2069');
      else expect(mail.text).not.toMatch(/[\u2066-\u2069]/);
      expect(mail.subject).not.toMatch(/\p{Cc}|[\u2066-\u2069]| {2}|^\s|\s$/u);
    }
  });
});

test('the same notice is the same mail', () => {
  expect(compose()).toEqual(compose());
  expect(compose().messageId).toBe('<6d1f0c2e-0000-4000-8000-000000000001@mail.example.test>');
});

test('summer time begins in that night: the zone is said', () => {
  expect(compose({}, Date.UTC(2026, 2, 29, 0, 59)).text).toMatch(/1:59:00\sAM GMT\+1/);
  expect(compose({}, Date.UTC(2026, 2, 29, 1, 0)).text).toMatch(/3:00:00\sAM GMT\+2/);
});

test('every channel has its line, those with nobody have none', () => {
  const ended = Object.fromEntries(CHANNELS.map((channel, at) => [channel, at]));
  expect(compose({ ended }).text.match(/^• .*$/gm)).toHaveLength(CHANNELS.length - 1);
  expect(compose({ ended: {} }).text).toContain('Nobody was logged in');
  expect(compose({ ended: null }).text).toContain('Every device is being logged out');
});

test('names that want to be more than names', () => {
  const mail = compose({ by: 'administrator', name: 'ada\r\nBcc: x@y.test\u202e<b>{{address}}', client: '<script>alert(1)</script>' });
  expect(mail.text).toContain('By: ada Bcc: x@y.test <b>{{address}}, an administrator');
  expect(mail.html).toContain('ada Bcc: x@y.test &lt;b&gt;{{address}}');
  expect(mail.html).not.toMatch(/<script|<b>/);
});
