import { checkLocale } from '../../../../server/cli/locales/checkLocale.ts';
import { checkGlossary, checkNotes } from '../../../../server/cli/locales/checkSources.ts';
import { localeSources } from '../../../../server/cli/locales/localeSources.ts';

const sources = localeSources();
/** The languages of Group-Office, and three more. */
const WANTED = ('ar bg bn ca cs da de el en en-AU en-GB en-PH es et fi fr he hr hu id it ja ko lt mn nb nl pl '
  + 'pt-BR pt-PT ro ru sl sv th tr zh-CN zh-TW uk fa hi').split(' ');

test('every language of Group-Office is there', () => {
  expect(WANTED.filter((tag) => !sources.tags.includes(tag))).toEqual([]);
});

test('every text has a note, every note a text', () => {
  expect(checkNotes(sources)).toEqual([]);
});

describe.each([...sources.tags])('%s', (tag) => {
  test('complete, right, and with a glossary', () => {
    const found = [...checkLocale(tag, sources, { folder: sources.home, partial: false }), ...checkGlossary(tag, sources)];
    expect(found.filter(({ severity, rule }) => severity === 'error' || rule === 'glossary').map(({ line, key, rule, message }) => `${String(line)} ${String(key)} [${rule}] ${message}`)).toEqual([]);
  });
});
