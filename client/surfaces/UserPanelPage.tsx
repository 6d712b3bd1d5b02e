import { useCallback, useEffect, useState } from 'react';
import type { ChangePasswordResponse } from '../../module/operations.ts';
import type { UserSessionResponse } from '../../module/panelOperations.ts';
import type { UserPanelApi } from '../api/panelMethods.ts';
import { useTranslator } from '../i18n/context.ts';
import { ChangePasswordForm } from '../parts/ChangePasswordForm.tsx';
import { Ended } from '../parts/Ended.tsx';
import { Devices } from '../panels/Devices.tsx';
import { Failed } from '../panels/Failed.tsx';
import { LanguageChoice } from '../panels/LanguageChoice.tsx';
import { LogInForm } from '../panels/LogInForm.tsx';
import { MailProgramSettings } from '../panels/MailProgramSettings.tsx';
import { PanelHeader } from '../panels/PanelHeader.tsx';
import { PanelIcon } from '../panels/panelIcons.tsx';
import { focusOnce } from '../panels/focusOnce.ts';
import type { PanelPageProps } from '../panels/startPanel.tsx';
import { useHash } from '../panels/useHash.ts';
import { usePageWritable } from '../panels/usePageWritable.ts';
import { usePanelSession } from '../panels/usePanelSession.ts';

const PAGES = [{ name: 'password', icon: 'key' }, { name: 'devices', icon: 'devices' }, { name: 'mail', icon: 'mail' }] as const;
const NAMES = PAGES.map(({ name }) => name);

type Left = { readonly changed: ChangePasswordResponse } | 'ended' | null;

/** The owner's panel: change the password, see the devices, read what a mail program needs. */
export function UserPanelPage({ api, setCsrfToken }: PanelPageProps<UserPanelApi>) {
  const { t } = useTranslator();
  const [left, setLeft] = useState<Left>(null);
  const [page, goTo] = useHash(NAMES, 'password');
  // The password of the log-in, in memory alone and for a few minutes, so that it need not be typed twice.
  const [known, setKnown] = useState<string | null>(null);
  const forget = useCallback((reason: Left): void => {
    setKnown(null);
    setLeft(reason);
    location.hash = '';
  }, []);
  const [writable, look] = usePageWritable(api.readPage);
  const { state, enter, leave, ask, logOut } = usePanelSession(api, setCsrfToken, writable, () => { forget('ended'); });
  const seconds = state.at === 'in' ? state.session.reauthenticateAfterSeconds : 0;
  useEffect(() => {
    if (known === null) return undefined;
    const timer = setTimeout(() => { setKnown(null); }, seconds * 1000);
    return () => { clearTimeout(timer); };
  }, [known, seconds]);
  const out = useCallback((reason: Left): void => {
    forget(reason);
    leave();
  }, [forget, leave]);

  if (state.at === 'asking') return <main className="login"><p role="status">{t('section.loading')}</p></main>;
  if (state.at === 'failed') return <main className="login"><h1>{t('userPanel.title')}</h1><Failed error={null} onRetry={() => { ask(); }} /></main>;
  if (state.at === 'out') {
    const notice = left === null ? null : left === 'ended' ? <p role="status">{t('shell.ended')}</p> : (
      <div role="status" className="notice good">
        <p><strong>{t('shell.changed')}</strong></p>
        <Ended {...left.changed} />
        <p>{t('done.remind')}</p>
      </div>
    );
    return (
      <LogInForm<UserSessionResponse> title={t('userPanel.title')} nameLabel={t('shell.address')} nameType="email" notice={notice}
        writable={writable} onTried={look} logIn={(address, password) => api.logIn({ address, password })}
        onLoggedIn={(session, password) => { setLeft(null); setKnown(session.reauthenticateAfterSeconds > 0 ? password : null); enter(session); }}>
        <LanguageChoice load={api.getLanguages} />
      </LogInForm>
    );
  }
  const { session } = state;
  const pages = session.changeRequired ? PAGES.slice(0, 1) : PAGES;
  const shown = session.changeRequired ? 'password' : page;
  return (
    <>
      <PanelHeader title={t('userPanel.title')} who={session.account.address} onLogOut={() => { forget('ended'); void logOut(); }}>
        <LanguageChoice load={api.getLanguages} />
      </PanelHeader>
      <div className="columns">
        <nav aria-label={t('panel.menu')} className="menu">
          {pages.map(({ name, icon }) => (
            <button key={name} type="button" aria-current={shown === name ? 'page' : undefined} onClick={() => { goTo(name); }}><PanelIcon name={icon} size={28} />{t(`userPanel.${name}`)}</button>
          ))}
        </nav>
        <main className="card">
          <h2 ref={focusOnce} tabIndex={-1}>{t(`userPanel.${shown}`)}</h2>
          {session.changeRequired && <p role="status" className="notice"><strong>{t('userPanel.changeRequired')}</strong></p>}
          {shown === 'password' && (
            <ChangePasswordForm api={api} context={session} knownCurrent={known} onKnownCurrentWrong={() => { setKnown(null); }} submitLabel={t('userPanel.change')}
              onChanged={(changed) => { out({ changed }); }} onSignedOut={() => { out('ended'); }} />
          )}
          {shown === 'devices' && <Devices api={api} onSignedOut={() => { out('ended'); }} />}
          {shown === 'mail' && <MailProgramSettings settings={session.mailSettings} address={session.account.address} />}
        </main>
      </div>
    </>
  );
}
