import { render, screen } from '@testing-library/react';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TranslatorContext } from '../../client/i18n/context.ts';
import { createTranslator } from '../../client/i18n/translator.ts';
import { Ended } from '../../client/parts/Ended.tsx';

const english = JSON.parse(readFileSync(join(__dirname, '..', '..', 'locales', 'en.json'), 'utf8')) as Record<string, string>;
const show = (props: Parameters<typeof Ended>[0]) => render(<TranslatorContext.Provider value={createTranslator(english)}><Ended {...props} /></TranslatorContext.Provider>);

test('only what was ended is listed', () => {
  show({ ended: { web: 2, imap: 0, pop3: 0 }, pending: [] });
  expect(screen.getAllByRole('listitem').map(({ textContent }) => textContent)).toEqual(['Webmail: 2 sessions']);
});

test('where no number is known, that all is ended is said', () => {
  show({ ended: { web: 0, imap: 0 }, pending: [] });
  expect(screen.getByText('All sessions have been ended.')).toBeDefined();
});

test('a channel that did not answer is never called ended (I3)', () => {
  show({ ended: { web: 0 }, pending: ['imap'] });
  expect(screen.queryByText('All sessions have been ended.')).toBeNull();
  expect(screen.getByText(/^Not logged out yet:/)).toBeDefined();
});
