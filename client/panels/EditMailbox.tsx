import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import type { AdminSessionResponse } from '../../module/panelOperations.ts';
import type { AdminPanelApi } from '../api/panelMethods.ts';
import { useTranslator } from '../i18n/context.ts';
import { Address } from './Address.tsx';
import { Failed } from './Failed.tsx';
import { PanelIcon } from './panelIcons.tsx';
import { SetPassword } from './SetPassword.tsx';
import { useSignedOut } from './useSignedOut.ts';

interface EditMailboxProps {
  readonly api: AdminPanelApi;
  readonly session: AdminSessionResponse;
  readonly address: string;
  readonly onClose: () => void;
  readonly onSignedOut: () => void;
}

/** The dialog behind the pencil. It closes only when nothing would be lost, or after asking. */
export function EditMailbox({ api, session, address, onClose, onSignedOut }: EditMailboxProps) {
  const { t } = useTranslator();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  const keep = useRef<HTMLButtonElement>(null);
  const unsaved = useRef(false);
  const [asking, setAsking] = useState(false);
  const mailbox = useQuery({ queryKey: ['mailbox', address], queryFn: ({ signal }) => api.getMailbox(address, signal), staleTime: Infinity });
  useSignedOut(mailbox.error, onSignedOut);
  // While the dialog is still in the page: closing it then gives the focus back to the pencil.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    title.current?.focus();
    const leaving = (event: BeforeUnloadEvent): void => { if (unsaved.current) event.preventDefault(); };
    addEventListener('beforeunload', leaving);
    return () => {
      removeEventListener('beforeunload', leaving);
      element?.close();
    };
  }, []);
  // Where one goes on: at the password as soon as it is there, unless somebody went elsewhere meanwhile; at the title where nothing can be set.
  useEffect(() => {
    const at = document.activeElement;
    if (mailbox.isSuccess && (at === title.current || dialog.current?.contains(at) !== true)) dialog.current?.querySelector<HTMLInputElement>('input:enabled')?.focus();
  }, [mailbox.isSuccess]);
  useEffect(() => {
    if (!asking) return undefined;
    const before = document.activeElement;
    keep.current?.focus();
    return () => { if (before instanceof HTMLElement) before.focus(); };
  }, [asking]);

  function close(): void {
    if (unsaved.current) setAsking(true);
    else onClose();
  }
  function keyDown(event: KeyboardEvent): void {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    if (asking) setAsking(false);
    else close();
  }

  return (
    <dialog ref={dialog} aria-labelledby={`${id}-title`} onKeyDown={keyDown} onCancel={(event) => { event.preventDefault(); close(); }}>
      <div className="title">
        <h2 ref={title} id={`${id}-title`} tabIndex={-1}>{t('adminPanel.editTitle')} <Address of={address} /></h2>
        <button type="button" className="pencil" aria-label={t('shell.close')} title={t('shell.close')} onClick={close}><PanelIcon name="close" /></button>
      </div>
      {mailbox.isError && <Failed error={mailbox.error} onRetry={() => { void mailbox.refetch(); }} />}
      {mailbox.data === undefined && !mailbox.isError && <p role="status">{t('section.loading')}</p>}
      {mailbox.data !== undefined && (
        <SetPassword api={api} session={session} mailbox={mailbox.data} onSignedOut={onSignedOut} onClose={close} onReload={() => mailbox.refetch()}
          onUnsaved={(now) => { unsaved.current = now; }} />
      )}
      {asking && (
        <div role="alertdialog" className="ask" aria-labelledby={`${id}-ask`}>
          <p id={`${id}-ask`}><strong>{t('adminPanel.unsaved')}</strong></p>
          <div className="buttons">
            <button ref={keep} type="button" className="primary" onClick={() => { setAsking(false); }}>{t('adminPanel.keepEditing')}</button>
            <button type="button" className="plain" onClick={onClose}>{t('adminPanel.discard')}</button>
          </div>
        </div>
      )}
    </dialog>
  );
}
