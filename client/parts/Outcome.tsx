import { useEffect, useRef } from 'react';
import type { ChangePasswordResponse } from '../../module/operations.ts';
import { useTranslator } from '../i18n/context.ts';
import { Ended } from './Ended.tsx';

/** After the change: what was ended, what is still owed, what to do next. */
export function Outcome({ answer, onLogIn }: { readonly answer: ChangePasswordResponse; readonly onLogIn: () => void }) {
  const { t } = useTranslator();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => { heading.current?.focus(); }, []);
  return (
    <div className="outcome" role="status">
      <h3 ref={heading} tabIndex={-1}>{t('done.title')}</h3>
      <Ended {...answer} />
      <p>{t('done.remind')}</p>
      <button type="button" className="primary" onClick={onLogIn}>{t('action.logInAgain')}</button>
    </div>
  );
}
