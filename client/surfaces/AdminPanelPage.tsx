import { useCallback, useRef, useState } from 'react';
import type { AdminSessionResponse } from '../../module/panelOperations.ts';
import type { AdminPanelApi } from '../api/panelMethods.ts';
import { useTranslator } from '../i18n/context.ts';
import { focusOnce } from '../panels/focusOnce.ts';
import { ContinueAsHost } from '../panels/ContinueAsHost.tsx';
import { DomainChooser } from '../panels/DomainChooser.tsx';
import { EditMailbox } from '../panels/EditMailbox.tsx';
import { Failed } from '../panels/Failed.tsx';
import { History } from '../panels/History.tsx';
import { LanguageChoice } from '../panels/LanguageChoice.tsx';
import { LogInForm } from '../panels/LogInForm.tsx';
import { Maintenance } from '../panels/Maintenance.tsx';
import { Mailboxes } from '../panels/Mailboxes.tsx';
import { PanelHeader } from '../panels/PanelHeader.tsx';
import type { PanelPageProps } from '../panels/startPanel.tsx';
import { TypeAddress } from '../panels/TypeAddress.tsx';
import { useHash } from '../panels/useHash.ts';
import { usePageWritable } from '../panels/usePageWritable.ts';
import { usePanelSession } from '../panels/usePanelSession.ts';

const TABS = ['users', 'history'] as const;

/** The administrator's panel: mailboxes of a domain with their passwords, and what was done. */
export function AdminPanelPage({ api, base, setCsrfToken }: PanelPageProps<AdminPanelApi>) {
  const { t } = useTranslator();
  const [ended, setEnded] = useState(false);
  const [tab, goTo] = useHash(TABS, 'users');
  const [domain, setDomain] = useState('');
  const [editing, setEditing] = useState<string | null>(null);
  const tabs = useRef<Partial<Record<(typeof TABS)[number], HTMLButtonElement | null>>>({});
  const forget = useCallback((): void => {
    setEnded(true);
    setEditing(null);
    setDomain('');
    location.hash = '';
  }, []);
  const [writable, look] = usePageWritable(api.readPage);
  const { state, enter, leave, ask, logOut } = usePanelSession(api, setCsrfToken, writable, forget);
  const out = useCallback((): void => {
    forget();
    leave();
  }, [forget, leave]);

  if (state.at === 'asking') return <main className="login"><p role="status">{t('section.loading')}</p></main>;
  if (state.at === 'failed') return <main className="login"><h1>{t('adminPanel.title')}</h1><Failed error={null} onRetry={() => { ask(); }} /></main>;
  if (state.at === 'out') {
    return (
      <LogInForm<AdminSessionResponse> title={t('adminPanel.title')} nameLabel={t('adminPanel.name')} nameType="text" wrong={t('adminPanel.credentialsWrong')} notice={ended ? <p role="status">{t('shell.ended')}</p> : null}
        writable={writable} onTried={look} logIn={(name, password) => api.logIn({ name, password })} onLoggedIn={(session) => { setEnded(false); enter(session); }}>
        <ContinueAsHost api={api} onLoggedIn={(session) => { setEnded(false); enter(session); }} />
        <LanguageChoice load={api.getLanguages} />
      </LogInForm>
    );
  }
  const { session } = state;
  return (
    <>
      <PanelHeader title={t('adminPanel.title')} who={session.name} onLogOut={() => { forget(); void logOut(); }}>
        <LanguageChoice load={api.getLanguages} />
      </PanelHeader>
      <main>
        <div role="tablist" aria-label={t('panel.menu')} className="tabs" onKeyDown={(event) => {
          if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
          const other = tab === 'users' ? 'history' : 'users';
          goTo(other);
          tabs.current[other]?.focus();
        }}>
          {TABS.map((name) => (
            <button key={name} ref={(button) => { tabs.current[name] = button; }} type="button" role="tab" id={`tab-${name}`} aria-selected={tab === name} aria-controls="tab-panel" tabIndex={tab === name ? 0 : -1}
              onClick={() => { goTo(name); }}>{t(`adminPanel.${name}`)}</button>
          ))}
        </div>
        <div role="tabpanel" id="tab-panel" aria-labelledby={`tab-${tab}`} className="card wide-card">
          <Maintenance writable={session.writable} />
          <h2 className="unseen" ref={focusOnce} tabIndex={-1}>{t(`adminPanel.${tab}`)}</h2>
          {tab === 'users' && !session.abilities.listMailboxes && <TypeAddress onEdit={setEditing} />}
          {tab === 'users' && session.abilities.listMailboxes && (
            <>
              <DomainChooser api={api} domain={domain} free={!session.abilities.listDomains && session.domains === null} onChoose={setDomain} onSignedOut={out} />
              {domain === '' ? <p className="empty">{t('adminPanel.chooseDomain')}</p> : <Mailboxes key={domain} api={api} domain={domain} onEdit={setEditing} onSignedOut={out} />}
            </>
          )}
          {tab === 'history' && <History api={api} base={base} onSignedOut={out} />}
        </div>
      </main>
      {editing !== null && <EditMailbox key={editing} api={api} session={session} address={editing} onClose={() => { setEditing(null); }} onSignedOut={out} />}
    </>
  );
}
