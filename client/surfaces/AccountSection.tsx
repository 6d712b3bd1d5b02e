import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import type { ChangePasswordResponse } from '../../module/operations.ts';
import { ApiError } from '../api/apiError.ts';
import type { Api } from '../api/methods.ts';
import type { HostBridge } from '../host/hostBridge.ts';
import { TranslatorContext } from '../i18n/context.ts';
import { createTranslator } from '../i18n/translator.ts';
import { ChangePasswordForm } from '../parts/ChangePasswordForm.tsx';
import { ErrorBoundary } from '../parts/ErrorBoundary.tsx';
import { Outcome } from '../parts/Outcome.tsx';
import { useOnReturn } from '../parts/useOnReturn.ts';
import { contextQuery, messagesQuery } from '../queries/account.ts';

/** Shown before or without any locale, in English and marked as such; all other text comes from `locales/`. */
const WITHOUT_TEXTS = { loading: 'Loading…', failed: 'This section could not be loaded. Nothing was changed.', retry: 'Try again' };

/** The Password section of *My account > Account*. */
export function AccountSection({ api, bridge }: { readonly api: Api; readonly bridge: HostBridge }) {
  const client = useQueryClient();
  const messages = useQuery(messagesQuery(api));
  const context = useQuery(contextQuery(api));
  const [answer, setAnswer] = useState<ChangePasswordResponse | null>(null);
  const [sentInVain, setSentInVain] = useState(false);
  const translator = useMemo(() => createTranslator(messages.data ?? {}), [messages.data]);
  const has = messages.data !== undefined;
  // A change ends the session before it is answered: from then on "logged out" is no news.
  const changing = (): boolean => answer !== null || client.isMutating() > 0;
  const signedOut = !changing() && !sentInVain && context.error instanceof ApiError && context.error.code === 'AUTHENTICATION_REQUIRED';
  useEffect(() => { if (signedOut) bridge.onSignedOut('ended'); }, [signedOut, bridge]);
  const notServed = context.error instanceof ApiError && context.error.code === 'ACCOUNT_NOT_CHANGEABLE';
  useEffect(() => { if (notServed) bridge.onNotServed?.(); }, [notServed, bridge]);
  const { t } = translator;
  // Maintenance may have begun or ended while the page lay open.
  useOnReturn(() => { if (!changing() && context.data !== undefined) void context.refetch(); });

  function content() {
    if (answer !== null) return <Outcome answer={answer} onLogIn={() => { bridge.onSignedOut('changed'); }} />;
    // A log-in page by itself would look as if the change had been made.
    if (sentInVain) {
      return (
        <div role="alert">
          <p className="warning">{t('error.AUTHENTICATION_REQUIRED')}</p>
          <button type="button" className="primary" onClick={() => { bridge.onSignedOut('ended'); }}>{t('action.logInAgain')}</button>
        </div>
      );
    }
    // Asking again would not help: no button, and no word of a failure.
    if (notServed && has) return <p role="status">{t('error.ACCOUNT_NOT_CHANGEABLE')}</p>;
    if ((context.isError && context.data === undefined) || messages.isError) {
      return (
        <div role="alert">
          <p className="warning">{has ? t('section.loadFailed') : WITHOUT_TEXTS.failed}</p>
          <button type="button" className="plain" onClick={() => { void context.refetch(); void messages.refetch(); }}>{has ? t('section.retry') : WITHOUT_TEXTS.retry}</button>
        </div>
      );
    }
    if (context.data === undefined || !has) return <p role="status">{has ? t('section.loading') : WITHOUT_TEXTS.loading}</p>;
    return <ChangePasswordForm api={api} context={context.data} onChanged={(changed) => { setAnswer(changed); bridge.onChanged?.(changed); }} onSignedOut={() => { setSentInVain(true); }} />;
  }

  return (
    <TranslatorContext value={translator}>
      <div className="root" lang={translator.language} dir={translator.direction} data-theme={bridge.theme ?? 'auto'}><ErrorBoundary onReload={() => client.resetQueries()}>{content()}</ErrorBoundary></div>
    </TranslatorContext>
  );
}
