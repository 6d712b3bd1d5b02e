import { useEffect, useState } from 'react';
import type { LanguageOption } from '../api/panelMethods.ts';
import { useTranslator } from '../i18n/context.ts';
import { chooseLanguage } from './startPanel.tsx';

/** What languages there are, each by its own name. */
export function LanguageChoice({ load }: { readonly load: () => Promise<readonly LanguageOption[]> }) {
  const { t, language } = useTranslator();
  const [languages, setLanguages] = useState<readonly LanguageOption[]>([]);
  useEffect(() => {
    let left = false;
    load().then((all) => { if (!left) setLanguages(all); }, () => undefined);
    return () => { left = true; };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once
  }, []);
  if (languages.length < 2) return null;
  return (
    <label className="language">{t('shell.language')}{' '}
      <select value={language} onChange={(event) => { chooseLanguage(event.target.value); }}>
        {!languages.some(({ tag }) => tag === language) && <option value={language}>{language}</option>}
        {languages.map(({ tag, name }) => <option key={tag} value={tag} lang={tag}>{name}</option>)}
      </select>
    </label>
  );
}
