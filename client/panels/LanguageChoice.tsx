import { useEffect, useState } from 'react';
import { useTranslator } from '../i18n/context.ts';
import { chooseLanguage } from './startPanel.tsx';

/** The languages of the manifest, each by its own name. */
export function LanguageChoice({ load }: { readonly load: () => Promise<{ readonly locales: readonly string[] }> }) {
  const { t, language } = useTranslator();
  const [tags, setTags] = useState<readonly string[]>([]);
  useEffect(() => {
    let left = false;
    load().then(({ locales }) => { if (!left) setTags(locales); }, () => undefined);
    return () => { left = true; };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once
  }, []);
  if (tags.length < 2) return null;
  return (
    <label className="language">{t('shell.language')}{' '}
      <select value={language} onChange={(event) => { chooseLanguage(event.target.value); }}>
        {tags.map((tag) => <option key={tag} value={tag} lang={tag}>{new Intl.DisplayNames(tag, { type: 'language' }).of(tag) ?? tag}</option>)}
      </select>
    </label>
  );
}
