import { useEffect, useRef } from 'react';
import { CHANNELS } from '../../module/channels.ts';
import type { ChangePasswordResponse } from '../../module/operations.ts';
import { useTranslator } from '../i18n/context.ts';

/** After the change: what was ended, what is still owed, what to do next. */
export function Outcome({ answer, onLogIn }: { readonly answer: ChangePasswordResponse; readonly onLogIn: () => void }) {
  const { t, list } = useTranslator();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => { heading.current?.focus(); }, []);
  return (
    <div className="outcome" role="status">
      <h3 ref={heading} tabIndex={-1}>{t('done.title')}</h3>
      <p>{t('done.ended')}</p>
      <ul>
        {CHANNELS.filter((channel) => answer.ended[channel] !== undefined).map((channel) => (
          <li key={channel}>{t('done.count', { channel: t(`channel.${channel}`), count: answer.ended[channel] ?? 0 })}</li>
        ))}
      </ul>
      {answer.pending.length > 0 && <p className="warning">{t('done.pending', { channels: list(answer.pending.map((channel) => t(`channel.${channel}`))) })}</p>}
      <p>{t('done.remind')}</p>
      <button type="button" className="primary" onClick={onLogIn}>{t('action.logInAgain')}</button>
    </div>
  );
}
