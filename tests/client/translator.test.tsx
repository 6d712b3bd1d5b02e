import { createTranslator } from '../../client/i18n/translator.ts';

test('a sentence does not end a line at "e-"; longer parts may, and labels stay as they were typed', () => {
  const { t } = createTranslator({
    '@language': 'de', 'error.CREDENTIALS_WRONG': 'Die E-Mail-Adresse oder das Passwort ist falsch.', 'shell.address': 'E-Mail-Adresse', 'panel.offline': 'Un mot est-il là ? Puis-je ?', 'userPanel.mailInfo': 'Το e-mail σας.',
  });
  expect(t('error.CREDENTIALS_WRONG')).toBe('Die E\u2011Mail-Adresse oder das Passwort ist falsch.');
  expect(t('shell.address')).toBe('E-Mail-Adresse');
  expect(t('panel.offline')).toBe('Un mot est-il là ? Puis-je ?');
  expect(t('userPanel.mailInfo')).toBe('Το e\u2011mail σας.');
});
