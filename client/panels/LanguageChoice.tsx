import { useContext, useEffect, useState } from 'react';
import type { LanguageOption } from '../api/panelMethods.ts';
import { useTranslator } from '../i18n/context.ts';
import { ChooseLanguageContext } from './chooseLanguage.ts';

/** What languages there are, each by its own name. */
export function LanguageChoice({ load }: { readonly load: () => Promise<readonly LanguageOption[]> }) {
  const { t, language } = useTranslator();
  const choose = useContext(ChooseLanguageContext);
  const [languages, setLanguages] = useState<readonly LanguageOption[]>([]);
  /** What was chosen, while its texts are on their way. */
  const [wanted, setWanted] = useState<string | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let left = false;
    load().then((all) => { if (!left) setLanguages(all); }, () => undefined);
    return () => { left = true; };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once
  }, []);
  useEffect(() => { setWanted(null); }, [language]);
  if (languages.length < 2) return null;
  const take = (tag: string): void => {
    setWanted(tag);
    setFailed(false);
    choose(tag).catch(() => {
      setWanted(null);
      setFailed(true);
    });
  };
  return (
    <label className="language"><span>{t('shell.language')}{' '}</span>
      <select value={wanted ?? language} onChange={(event) => { take(event.target.value); }}>
        {!languages.some(({ tag }) => tag === language) && <option value={language}>{language}</option>}
        {languages.map(({ tag, name }) => <option key={tag} value={tag} lang={tag}>{name}</option>)}
      </select>
      <span role="alert">{failed && <>{' '}{t('panel.noAnswer')}</>}</span>
    </label>
  );
}
