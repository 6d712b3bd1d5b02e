import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useId, useRef, useState } from 'react';
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
import { EndSessions } from './EndSessions.tsx';
import { Failed } from './Failed.tsx';
import { useFormats } from './useFormats.ts';
import { useSignedOut } from './useSignedOut.ts';

interface SetPasswordProps {
  readonly api: AdminPanelApi;
  readonly session: AdminSessionResponse;
  readonly mailbox: MailboxResponse;
  readonly onSignedOut: () => void;
  readonly onClose: () => void;
  readonly onReload: () => Promise<unknown>;
  readonly onUnsaved: (unsaved: boolean) => void;
}

/** A new password for a mailbox, the mark that asks its owner for another one, and the log-out alone. */
export function SetPassword({ api, session, mailbox, onSignedOut, onClose, onReload, onUnsaved }: SetPasswordProps) {
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
      <EndSessions api={api} address={address} onEnded={refresh} onSignedOut={onSignedOut} />
    </>
  );
}
