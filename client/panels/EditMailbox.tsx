import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import type { ChangePasswordResponse } from '../../module/operations.ts';
import type { AdminSessionResponse, MailboxResponse } from '../../module/panelOperations.ts';
import { passwordRules } from '../../module/policy/passwordRules.ts';
import { setPasswordSchema } from '../../module/requests/panelRequests.ts';
import type { AdminPanelApi } from '../api/panelMethods.ts';
import { useTranslator } from '../i18n/context.ts';
import { Ended } from '../parts/Ended.tsx';
import { FormMessages } from '../parts/FormMessages.tsx';
import { PasswordField } from '../parts/PasswordField.tsx';
import { PolicyChecklist } from '../parts/PolicyChecklist.tsx';
import { StrengthMeter } from '../parts/StrengthMeter.tsx';
import { usePasswordForm } from '../parts/usePasswordForm.ts';
import { Failed } from './Failed.tsx';
import { PanelIcon } from './panelIcons.tsx';
import { useFormats } from './useFormats.ts';
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
  const keep = useRef<HTMLButtonElement>(null);
  const unsaved = useRef(false);
  const [asking, setAsking] = useState(false);
  const mailbox = useQuery({ queryKey: ['mailbox', address], queryFn: ({ signal }) => api.getMailbox(address, signal), staleTime: Infinity });
  useSignedOut(mailbox.error, onSignedOut);
  // While the dialog is still in the page: closing it then gives the focus back to the pencil.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    const leaving = (event: BeforeUnloadEvent): void => { if (unsaved.current) event.preventDefault(); };
    addEventListener('beforeunload', leaving);
    return () => {
      removeEventListener('beforeunload', leaving);
      element?.close();
    };
  }, []);
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
        <h2 id={`${id}-title`}>{t('adminPanel.editTitle')} <bdi>{address}</bdi></h2>
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

interface SetPasswordProps {
  readonly api: AdminPanelApi;
  readonly session: AdminSessionResponse;
  readonly mailbox: MailboxResponse;
  readonly onSignedOut: () => void;
  readonly onClose: () => void;
  readonly onReload: () => Promise<unknown>;
  readonly onUnsaved: (unsaved: boolean) => void;
}

function SetPassword({ api, session, mailbox, onSignedOut, onClose, onReload, onUnsaved }: SetPasswordProps) {
  const { t, labelled, code } = useTranslator();
  const { time } = useFormats();
  const client = useQueryClient();
  const checklistId = useId();
  const [done, setDone] = useState<ChangePasswordResponse | null>(null);
  const [meanwhile, setMeanwhile] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  // Nobody here knows the current password: that rule has nothing to say.
  const policy = { ...session.policy, forbidCurrent: false };
  const { address, passwordVersion, changeRequired } = mailbox;
  const [ask, setAsk] = useState(changeRequired === true);
  const refresh = (): void => {
    void client.invalidateQueries({ queryKey: ['mailboxes'] });
    void client.invalidateQueries({ queryKey: ['counts'] });
    void client.invalidateQueries({ queryKey: ['history'] });
  };
  const form = usePasswordForm({
    address, policy, writable: session.writable && session.abilities.setPassword, confirms: false,
    toRequest: ({ newPassword }) => ({ address, newPassword, passwordVersion, ...(changeRequired !== null && { requireChange: ask }) }),
    schema: (_request, resources) => setPasswordSchema(policy, address, resources),
    send: (request) => api.setPassword(request),
    check: ({ newPassword }) => api.checkPassword({ address, newPassword }),
    onDone: (answer) => { setDone(answer); refresh(); },
    onSignedOut,
    onRefused: ({ code: name }) => {
      if (name !== 'ACCOUNT_CHANGED_MEANWHILE') return false;
      setMeanwhile(true);
      return true;
    },
  });
  // The mark alone: the password stays, and nobody is logged out.
  const mark = useMutation({ mutationFn: (required: boolean) => api.requireChange(address, required), onSuccess: () => { void onReload(); refresh(); }, networkMode: 'always' });
  useSignedOut(mark.error, onSignedOut);
  const onlyMark = form.values.newPassword === '' && changeRequired !== null && ask !== changeRequired;
  const end = useMutation({ mutationFn: () => api.endSessions(address), onSuccess: refresh, networkMode: 'always' });
  useSignedOut(end.error, onSignedOut);
  const ended = useRef<HTMLDivElement>(null);
  useEffect(() => { if (end.isSuccess) ended.current?.scrollIntoView({ block: 'nearest' }); }, [end.isSuccess]);
  const dirty = form.values.newPassword !== '';
  useEffect(() => { onUnsaved(dirty); }, [dirty, onUnsaved]);
  useEffect(() => { if (done !== null) heading.current?.focus(); }, [done]);

  if (done !== null) {
    return (
      <div className="outcome" role="status">
        <h3 ref={heading} tabIndex={-1}>{t('adminPanel.updated')}</h3>
        <Ended {...done} />
        <div className="buttons"><button type="button" className="primary" onClick={onClose}>{t('shell.close')}</button></div>
      </div>
    );
  }
  const { disabled, wait, busy } = form;
  return (
    <>
      <p className="info">{mailbox.enabled ? t('adminPanel.yes') : t('adminPanel.disabled')} · {labelled(t('adminPanel.lastChange'), time(mailbox.passwordChangedAt))}</p>
      {!session.writable && <p className="warning" role="alert">{t('section.maintenance')}</p>}
      {!session.abilities.setPassword && <p className="warning" role="alert">{code('error', 'OPERATION_NOT_SUPPORTED')}</p>}
      <form noValidate onSubmit={(event) => {
        if (!onlyMark || !session.writable) {
          form.submit(event);
          return;
        }
        event.preventDefault();
        if (!mark.isPending) mark.mutate(ask);
      }}>
        <PasswordField {...form.field('newPassword')} label={t('field.new')} autoComplete="new-password" describedBy={form.describedBy(checklistId)} passwordRules={passwordRules(policy)} />
        <div className="buttons">
          <button type="button" className="plain" disabled={disabled} onClick={form.generate}>{t('adminPanel.new')}</button>
          <button type="button" className="plain" disabled={disabled || !dirty} onClick={() => { void form.copy(); }}>{t('action.copy')}</button>
          <p className="says" role="status">{form.notice}</p>
        </div>
        <StrengthMeter score={form.score} />
        <PolicyChecklist {...form.checklist(checklistId)} />
        {changeRequired !== null && (
          <label className="check">
            <input type="checkbox" checked={ask} disabled={disabled || mark.isPending} onChange={(event) => { setAsk(event.target.checked); mark.reset(); }} />
            <span>{t('adminPanel.askNew')}<span className="soft">{t('adminPanel.askNewInfo')}</span></span>
          </label>
        )}
        {mark.isSuccess && <p role="status" className="notice good">{t(mark.variables ? 'adminPanel.askNewOn' : 'adminPanel.askNewOff')}</p>}
        {mark.isError && <Failed error={mark.error} onRetry={() => { mark.mutate(ask); }} />}
        <FormMessages status={busy ? t('action.busy') : ''} message={form.message} reference={form.reference} wait={wait} />
        {meanwhile && (
          <div role="alert" className="notice bad">
            <p><strong>{t('adminPanel.meanwhile')}</strong></p>
            <button type="button" className="plain" onClick={() => { void onReload().finally(() => { setMeanwhile(false); }); }}>{t('adminPanel.meanwhileGoOn')}</button>
          </div>
        )}
        {!onlyMark && <p className="info">{t('adminPanel.consequence')}</p>}
        <div className="buttons"><button type="submit" className="primary" aria-disabled={disabled || wait > 0 || meanwhile || mark.isPending}>{busy || mark.isPending ? t('action.busy') : t('adminPanel.update')}</button></div>
      </form>
      <section className="alone">
        <h3>{t('adminPanel.stolen')}</h3>
        <p className="info">{t('adminPanel.stolenInfo')}</p>
        <button type="button" className="plain" aria-disabled={end.isPending} onClick={() => { if (!end.isPending) end.mutate(); }}>{t('adminPanel.logOutEverywhere')}</button>
        <div ref={ended} role="status">{end.isPending ? t('panel.loggingOut') : end.data !== undefined && <Ended {...end.data} />}</div>
        {end.isError && <Failed error={end.error} onRetry={() => { end.mutate(); }} />}
      </section>
    </>
  );
}
