import { useEffect, useRef } from 'react';
import { timeUntil } from '../../module/texts/relativeTime.ts';
import { useTranslator } from '../i18n/context.ts';

interface FormMessagesProps {
  readonly status: string;
  readonly message: string;
  /** What a helper finds the failure by; empty where there is nothing to find. */
  readonly reference?: string;
  /** Seconds until the next try is allowed; 0 = now. */
  readonly wait: number;
}

/** What a form has to say: its state, and what went wrong. */
export function FormMessages({ status, message, reference = '', wait }: FormMessagesProps) {
  const { t, code, language } = useTranslator();
  const when = timeUntil(language, wait);
  const waits = wait > 0;
  const alert = useRef<HTMLDivElement>(null);
  // Whoever pressed Enter in a field on a small screen does not have this place in view.
  useEffect(() => { if (message !== '' || waits) alert.current?.scrollIntoView({ block: 'nearest' }); }, [message, waits]);
  return (
    <>
      <p className="status" role="status">{status}</p>
      <div role="alert" ref={alert}>
        {message !== '' && <p className="warning">{message}</p>}
        {reference !== '' && <p className="info">{t('state.reference', { id: reference })}</p>}
        {waits && <p className="warning">{when === null ? code('error', 'RATE_LIMITED') : t('state.rateLimited', { when })}</p>}
      </div>
    </>
  );
}
