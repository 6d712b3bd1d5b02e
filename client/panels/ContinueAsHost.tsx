import { useMutation, useQuery } from '@tanstack/react-query';
import type { AdminSessionResponse } from '../../module/panelOperations.ts';
import type { AdminPanelApi } from '../api/panelMethods.ts';
import { useTranslator } from '../i18n/context.ts';
import { Failed } from './Failed.tsx';

/** For who is logged in to the webmail as one of its administrators: no second password. Shows nothing to everybody else. */
export function ContinueAsHost({ api, onLoggedIn }: { readonly api: AdminPanelApi; readonly onLoggedIn: (session: AdminSessionResponse) => void }) {
  const { t } = useTranslator();
  const host = useQuery({ queryKey: ['host-administrator'], queryFn: ({ signal }) => api.getHostAdministrator(signal) });
  const enter = useMutation({ mutationFn: () => api.logInByHost(), onSuccess: onLoggedIn, networkMode: 'always' });
  const name = host.data?.name ?? null;
  if (name === null) return null;
  return (
    <section className="alone">
      <p className="info">{t('adminPanel.continueInfo')}</p>
      <button type="button" className="plain" disabled={enter.isPending} onClick={() => { enter.mutate(); }}>{enter.isPending ? t('panel.loggingIn') : t('adminPanel.continueAs', { name })}</button>
      {enter.isError && <Failed error={enter.error} onRetry={() => { enter.reset(); void host.refetch(); }} />}
    </section>
  );
}
