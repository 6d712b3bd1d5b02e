import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import type { AdminPanelApi } from '../api/panelMethods.ts';
import { useTranslator } from '../i18n/context.ts';
import { Ended } from '../parts/Ended.tsx';
import { Failed } from './Failed.tsx';
import { useSignedOut } from './useSignedOut.ts';

interface EndSessionsProps {
  readonly api: AdminPanelApi;
  readonly address: string;
  readonly onEnded: () => void;
  readonly onSignedOut: () => void;
}

/** Logs a mailbox out from everywhere and leaves its password: for a stolen phone. */
export function EndSessions({ api, address, onEnded, onSignedOut }: EndSessionsProps) {
  const { t } = useTranslator();
  const end = useMutation({ mutationFn: () => api.endSessions(address), onSuccess: onEnded, networkMode: 'always' });
  useSignedOut(end.error, onSignedOut);
  const ended = useRef<HTMLDivElement>(null);
  useEffect(() => { if (end.isSuccess) ended.current?.scrollIntoView({ block: 'nearest' }); }, [end.isSuccess]);
  return (
    <section className="alone">
      <h3>{t('adminPanel.stolen')}</h3>
      <p className="info">{t('adminPanel.stolenInfo')}</p>
      <button type="button" className="plain" aria-disabled={end.isPending} onClick={() => { if (!end.isPending) end.mutate(); }}>{t('adminPanel.logOutEverywhere')}</button>
      <div ref={ended} role="status">{end.isPending ? t('panel.loggingOut') : end.data !== undefined && <Ended {...end.data} />}</div>
      {end.isError && <Failed error={end.error} onRetry={() => { end.mutate(); }} />}
    </section>
  );
}
