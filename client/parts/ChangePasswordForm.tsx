import { useMutation } from '@tanstack/react-query';
import { type SyntheticEvent, useId, useRef, useState } from 'react';
import type { ChangePasswordResponse, ContextResponse } from '../../module/operations.ts';
import { generatePassword } from '../../module/policy/generatePassword.ts';
import { normalizePassword } from '../../module/policy/normalizePassword.ts';
import { passwordRules } from '../../module/policy/passwordRules.ts';
import { changeOwnPasswordSchema } from '../../module/requests/changeOwnPassword.ts';
import { validateRequest } from '../../module/requests/validateRequest.ts';
import { ApiError } from '../api/apiError.ts';
import type { Api } from '../api/methods.ts';
import { useTranslator } from '../i18n/context.ts';
import { changeMutation } from '../queries/account.ts';
import { copyText } from './copyText.ts';
import { Icon } from './icons.tsx';
import { PasswordField } from './PasswordField.tsx';
import { PolicyChecklist } from './PolicyChecklist.tsx';
import { StrengthMeter } from './StrengthMeter.tsx';
import { useCommonPasswords } from './useCommonPasswords.ts';
import { useStrength } from './useStrength.ts';
import { useCountdown } from './useCountdown.ts';

const FIELDS = ['currentPassword', 'newPassword', 'confirm'] as const;
type Field = (typeof FIELDS)[number];
type Errors = Partial<Record<Field, readonly string[]>>;

interface ChangePasswordFormProps {
  readonly api: Api;
  readonly context: ContextResponse;
  readonly onChanged: (answer: ChangePasswordResponse) => void;
  readonly onSignedOut: () => void;
}

const EMPTY: Record<Field, string> = { currentPassword: '', newPassword: '', confirm: '' };

/** Current, new, confirm; one button. Judged here by the server's own schema before anything is sent. */
export function ChangePasswordForm({ api, context, onChanged, onSignedOut }: ChangePasswordFormProps) {
  const { account, policy, writable } = context;
  const { t, code } = useTranslator();
  const checklistId = useId();
  const [values, setValues] = useState(EMPTY);
  const [shown, setShown] = useState<Partial<Record<Field, boolean>>>({});
  const [errors, setErrors] = useState<Errors>({});
  const [notice, setNotice] = useState('');
  const [message, setMessage] = useState('');
  const [wait, startWait] = useCountdown();
  const inputs = useRef<Partial<Record<Field, HTMLInputElement | null>>>({});
  const common = useCommonPasswords(policy.forbidCommon && values.newPassword !== '');
  const strength = useStrength(values.newPassword);
  const resources = { ...common, strength };
  const mutation = useMutation(changeMutation(api));
  const policyContext = { address: account.address, currentPassword: values.currentPassword === '' ? undefined : values.currentPassword };
  const disabled = mutation.isPending || !writable;

  function fail(found: Errors, text = ''): void {
    setErrors(found);
    setMessage(text);
    const first = FIELDS.find((field) => (found[field]?.length ?? 0) > 0);
    if (first !== undefined) setTimeout(() => inputs.current[first]?.focus());
  }

  function problems(fields: readonly { field: string; code: string; params?: Readonly<Record<string, string | number>> }[]): Errors {
    const found: Partial<Record<Field, string[]>> = {};
    for (const problem of fields) {
      const field = FIELDS.find((name) => name === problem.field);
      if (field !== undefined) (found[field] ??= []).push(code('violation', problem.code, problem.params));
    }
    return found;
  }

  function change(field: Field, value: string): void {
    setValues((before) => ({ ...before, [field]: value }));
    setErrors((before) => ({ ...before, [field]: [] }));
    setMessage('');
    setNotice('');
  }

  function generate(): void {
    const password = generatePassword(policy, crypto, policyContext);
    setValues((before) => ({ ...before, newPassword: password, confirm: password }));
    setErrors((before) => ({ ...before, newPassword: [], confirm: [] }));
    setShown((before) => ({ ...before, newPassword: true, confirm: true }));
    setNotice(t('state.generated'));
  }

  async function copy(): Promise<void> {
    const copied = await copyText(values.newPassword, inputs.current.newPassword ?? null);
    setNotice(copied ? t('action.copied') : t('action.copyFailed'));
  }

  function refused(error: unknown): void {
    const { code: name, params, fields } = error instanceof ApiError ? error : new ApiError('UNCONFIRMED');
    const seconds = params['retryAfterSeconds'];
    if (name === 'AUTHENTICATION_REQUIRED') onSignedOut();
    else if (name === 'RATE_LIMITED' && typeof seconds === 'number') startWait(seconds);
    else if (name === 'OFFLINE') fail({}, t('state.offline'));
    else if (name === 'UNCONFIRMED' || name === 'ACCOUNTS_OUTCOME_UNKNOWN') fail({}, t('state.unconfirmed'));
    else {
      const found = problems(fields);
      fail(found, Object.keys(found).length > 0 ? '' : code('error', name, params));
    }
  }

  function submit(event: SyntheticEvent): void {
    event.preventDefault();
    event.stopPropagation();
    if (disabled || wait > 0) return;
    const request = { currentPassword: values.currentPassword, newPassword: values.newPassword };
    const verdict = validateRequest(changeOwnPasswordSchema(policy, account.address, values.currentPassword, resources), request);
    const found: Errors = 'fields' in verdict ? problems(verdict.fields) : {};
    const same = normalizePassword(values.newPassword) === normalizePassword(values.confirm);
    if (!same) found.confirm = [t('violation.CONFIRM_MISMATCH')];
    if (Object.keys(found).length > 0) {
      fail(found);
      return;
    }
    setMessage('');
    mutation.mutate(request, {
      onSuccess: (answer) => { setValues(EMPTY); onChanged(answer); },
      onError: refused,
      onSettled: () => { mutation.reset(); },
    });
  }

  const field = (name: Field) => ({
    name, value: values[name], errors: errors[name] ?? [], shown: shown[name] === true, disabled,
    onChange: (value: string) => { change(name, value); },
    onShow: (show: boolean) => { setShown((before) => ({ ...before, [name]: show })); },
    inputRef: (input: HTMLInputElement | null) => { inputs.current[name] = input; },
  });

  return (
    <form noValidate onSubmit={submit} onKeyDown={(event) => { if (event.key === 'Enter') event.stopPropagation(); }}>
      <p className="info">{t('section.info', { address: account.address })}</p>
      {!writable && <p className="warning" role="alert">{code('error', 'READ_ONLY')}</p>}
      <input className="hidden" type="text" name="username" autoComplete="username" value={account.address} readOnly tabIndex={-1} aria-hidden="true" />
      <PasswordField {...field('currentPassword')} label={t('field.current')} autoComplete="current-password" />
      <PasswordField {...field('newPassword')} label={t('field.new')} autoComplete="new-password" describedBy={checklistId} passwordRules={passwordRules(policy)}>
        <button type="button" className="icon" disabled={disabled} aria-label={t('action.generate')} title={t('action.generate')} onClick={generate}><Icon name="refresh" /></button>
      </PasswordField>
      {values.newPassword !== '' && <button type="button" className="plain" onClick={() => { void copy(); }}>{t('action.copy')}</button>}
      <StrengthMeter score={values.newPassword === '' ? undefined : strength(values.newPassword)} />
      <PolicyChecklist id={checklistId} policy={policy} password={values.newPassword} context={policyContext} resources={resources} />
      <PasswordField {...field('confirm')} label={t('field.confirm')} autoComplete="new-password" />
      <p className="status" role="status">{mutation.isPending ? t('action.busy') : notice}</p>
      <div role="alert">
        {message !== '' && <p className="warning">{message}</p>}
        {wait > 0 && <p className="warning">{t('state.rateLimitedSeconds', { count: wait })}</p>}
      </div>
      <p className="info">{t('section.consequence')}</p>
      <button type="submit" className="primary" aria-disabled={disabled || wait > 0}>{mutation.isPending ? t('action.busy') : t('action.update')}</button>
    </form>
  );
}
