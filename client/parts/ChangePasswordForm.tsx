import { useId } from 'react';
import type { ChangeOwnPasswordRequest, ChangePasswordResponse, CheckPasswordResponse, ContextResponse } from '../../module/operations.ts';
import { passwordRules } from '../../module/policy/passwordRules.ts';
import { changeOwnPasswordSchema } from '../../module/requests/changeOwnPassword.ts';
import type { ApiError } from '../api/apiError.ts';
import { useTranslator } from '../i18n/context.ts';
import { FormMessages } from './FormMessages.tsx';
import { Icon } from './icons.tsx';
import { PasswordField } from './PasswordField.tsx';
import { PolicyChecklist } from './PolicyChecklist.tsx';
import { StrengthMeter } from './StrengthMeter.tsx';
import { usePasswordForm } from './usePasswordForm.ts';

interface ChangePasswordFormProps {
  readonly api: { changeOwnPassword(request: ChangeOwnPasswordRequest): Promise<ChangePasswordResponse>; checkPassword(request: ChangeOwnPasswordRequest): Promise<CheckPasswordResponse> };
  readonly context: ContextResponse;
  readonly onChanged: (answer: ChangePasswordResponse) => void;
  readonly onSignedOut: () => void;
  /** The current password where the page was just given it: then it is not asked for again. The server verifies it all the same. */
  readonly knownCurrent?: string | null | undefined;
  /** It turned out to be wrong meanwhile. */
  readonly onKnownCurrentWrong?: () => void;
  /** On the button, where it is not the long sentence of the Account section. */
  readonly submitLabel?: string;
}

/** Current, new, confirm; one button. Judged here by the server's own schema before anything is sent. */
export function ChangePasswordForm({ api, context, onChanged, onSignedOut, knownCurrent = null, onKnownCurrentWrong, submitLabel }: ChangePasswordFormProps) {
  const { account, policy, writable } = context;
  const { t } = useTranslator();
  const checklistId = useId();
  const form = usePasswordForm<ChangeOwnPasswordRequest>({
    address: account.address, policy, knownCurrent, writable, confirms: true,
    toRequest: ({ currentPassword, newPassword }) => ({ currentPassword: knownCurrent ?? currentPassword, newPassword }),
    schema: ({ currentPassword }, resources) => changeOwnPasswordSchema(policy, account.address, currentPassword, resources),
    send: (request) => api.changeOwnPassword(request),
    check: (request) => api.checkPassword(request),
    onDone: onChanged, onSignedOut,
    onRefused: ({ code: name }: ApiError) => {
      if (name === 'CURRENT_PASSWORD_WRONG' && knownCurrent !== null) onKnownCurrentWrong?.();
      return false;
    },
  });
  const { values, disabled, wait, busy, field } = form;

  return (
    <form noValidate onSubmit={form.submit}>
      <p className="info">{t('section.info', { address: account.address })}</p>
      {!writable && <p className="warning" role="alert">{t('section.maintenance')}</p>}
      <input className="hidden" type="text" name="username" autoComplete="username" value={account.address} readOnly tabIndex={-1} aria-hidden="true" />
      {knownCurrent === null && <PasswordField {...field('currentPassword')} label={t('field.current')} autoComplete="current-password" />}
      <PasswordField {...field('newPassword')} label={t('field.new')} autoComplete="new-password" describedBy={form.describedBy(checklistId)} passwordRules={passwordRules(policy)}>
        <button type="button" className="icon" disabled={disabled} aria-label={t('action.generate')} title={t('action.generate')} onClick={form.generate}><Icon name="refresh" /></button>
      </PasswordField>
      {values.newPassword !== '' && <button type="button" className="plain" onClick={() => { void form.copy(); }}>{t('action.copy')}</button>}
      <StrengthMeter score={form.score} />
      <PolicyChecklist {...form.checklist(checklistId)} />
      <PasswordField {...field('confirm')} label={t('field.confirm')} autoComplete="new-password" />
      <FormMessages status={busy ? t('action.busy') : form.notice} message={form.message} reference={form.reference} wait={wait} />
      <p className="info">{t('section.consequence')}</p>
      <button type="submit" className="primary" aria-disabled={disabled || wait > 0}>{busy ? t('action.busy') : (submitLabel ?? t('action.update'))}</button>
    </form>
  );
}
