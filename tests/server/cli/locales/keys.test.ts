import { readFileSync } from 'node:fs';
import { checkKeys } from '../../../checkKeys.ts';

const english = JSON.parse(readFileSync('locales/en.json', 'utf8')) as Record<string, string>;

test('used and not defined, defined and not used, not sent to the surface that asks: each is found', () => {
  const source = readFileSync('client/parts/Outcome.tsx', 'utf8');
  const overlay = {
    'client/parts/Outcome.tsx': source.replace("t('done.title')", "t('done.titel') + t('adminPanel.title')"),
    'client/parts/extra.ts': "import type { MessageKey } from '../i18n/translator.ts';\nexport const TABLE: Record<string, MessageKey> = { a: 'done.nowhere' };\n",
  };
  expect(source).toContain("t('done.title')");
  const rest = Object.fromEntries(Object.entries(english).filter(([key]) => key !== 'field.hide'));
  const report = checkKeys({ ...rest, 'section.unusedText': 'Nobody asks for this' }, overlay);
  expect(report.undefined.map(({ key, file }) => [key, file])).toEqual(expect.arrayContaining([
    ['done.titel', 'client/parts/Outcome.tsx'], ['done.nowhere', 'client/parts/extra.ts'], ['field.hide', 'client/parts/PasswordField.tsx'],
  ]));
  expect(report.unused).toEqual(expect.arrayContaining(['section.unusedText', 'done.title']));
  expect(report.unused.filter((key) => /^(channel|error|strength|violation|adminPanel\.outcome)\./.test(key))).toEqual([]);
  expect(report.unsent.map(({ key, surface }) => [key, surface])).toContainEqual(['adminPanel.title', 'section']);
  // Nothing asks for it in the overlay any more.
  expect(report.needless).toContainEqual({ surface: 'section', key: 'done.title' });
}, 300_000);
