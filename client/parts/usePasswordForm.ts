import { useMutation } from '@tanstack/react-query';
import { type SyntheticEvent, useEffect, useRef, useState } from 'react';
import type { Schema } from 'yup';
import type { ErrorParams, FieldProblem } from '../../module/errors.ts';
import type { ChangePasswordResponse, CheckPasswordResponse } from '../../module/operations.ts';
import { generatePassword } from '../../module/policy/generatePassword.ts';
import { normalizePassword } from '../../module/policy/normalizePassword.ts';
import type { PasswordPolicy } from '../../module/policy/passwordPolicy.ts';
import { rulesFor } from '../../module/policy/rulesFor.ts';
import type { PolicyResources } from '../../module/policy/rules/rule.ts';
import { validateRequest } from '../../module/requests/validateRequest.ts';
import { ApiError } from '../api/apiError.ts';
import { useTranslator } from '../i18n/context.ts';
import { sendingPasswords } from '../queries/account.ts';
import { copyText } from './copyText.ts';
import { type ServerJudged, serverVerdict, withOutcomes } from './serverVerdict.ts';
import { useCommonPasswords } from './useCommonPasswords.ts';
import { useCountdown } from './useCountdown.ts';
import { useServerCheck } from './useServerCheck.ts';
import { useStrength } from './useStrength.ts';

const FIELDS = ['currentPassword', 'newPassword', 'confirm'] as const;
export type Field = (typeof FIELDS)[number];
type Errors = Partial<Record<Field, readonly Pick<FieldProblem, 'code' | 'params'>[]>>;

const EMPTY: Record<Field, string> = { currentPassword: '', newPassword: '', confirm: '' };
/** A password that somebody asked to see is hidden again after this time, and when the tab is. */
const SHOWN_MS = 60_000;

export interface PasswordFormOptions<Request> {
  readonly address: string;
  readonly policy: PasswordPolicy;
  /** The current password where the surface knows it without asking. */
  readonly knownCurrent?: string | null;
  readonly writable: boolean;
  /** False where the form has one field only (an administrator sees what is set). */
  readonly confirms: boolean;
  readonly toRequest: (values: Readonly<Record<Field, string>>) => Request;
  readonly schema: (request: Request, resources: PolicyResources) => Schema<unknown>;
  readonly send: (request: Request) => Promise<ChangePasswordResponse>;
  /** Asks the server-only rules beforehand. */
  readonly check: (request: Request) => Promise<CheckPasswordResponse>;
  readonly onDone: (answer: ChangePasswordResponse) => void;
  readonly onSignedOut: () => void;
  /** A refusal that the surface itself shows; true = it does. */
  readonly onRefused?: ((error: ApiError) => boolean) | undefined;
}

/** What every form that sends a new password does: judge by the server's schema, generate, copy, show and hide, say what was refused. */
export function usePasswordForm<Request>(options: PasswordFormOptions<Request>) {
  const { address, policy, writable, confirms } = options;
  const { t, code } = useTranslator();
  const [values, setValues] = useState(EMPTY);
  const [shown, setShown] = useState<Partial<Record<Field, boolean>>>({});
  const [errors, setErrors] = useState<Errors>({});
  const [notice, setNotice] = useState('');
  const [message, setMessage] = useState('');
  const [reference, setReference] = useState('');
  const [wait, startWait] = useCountdown();
  const [focusOn, setFocusOn] = useState<Field | null>(null);
  const inputs = useRef<Partial<Record<Field, HTMLInputElement | null>>>({});
  const common = useCommonPasswords(policy.forbidCommon && values.newPassword !== '');
  const strength = useStrength(values.newPassword);
  const [judged, setJudged] = useState<ServerJudged | null>(null);
  const resources = { ...common, strength, serverVerdict: serverVerdict(judged) };
  const now = useRef(values);
  now.current = values;
  const serverCheck = useServerCheck<Request>(policy.serverRules.length > 0);
  const mutation = useMutation(sendingPasswords(async (request: Request) => {
    await (await serverCheck.current)?.settle();
    return options.send(request);
  }));
  const current = options.knownCurrent ?? values.currentPassword;
  const policyContext = { address, currentPassword: current === '' ? undefined : current };
  const disabled = mutation.isPending || !writable;

  // A field takes the focus only when it can be written in again: after a refusal by the server that is a render later.
  useEffect(() => {
    if (focusOn === null || disabled) return;
    // Where nothing is wrong with the field itself, the message is what has to be in view.
    inputs.current[focusOn]?.focus({ preventScroll: !errors[focusOn]?.length });
    setFocusOn(null);
  }, [focusOn, disabled, errors]);

  const anyShown = Object.values(shown).some(Boolean);
  useEffect(() => {
    if (!anyShown) return undefined;
    const hide = (): void => { setShown({}); };
    const whenHidden = (): void => { if (document.hidden) hide(); };
    const timer = setTimeout(hide, SHOWN_MS);
    document.addEventListener('visibilitychange', whenHidden);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', whenHidden);
    };
  }, [anyShown]);

  function fail(found: Errors, text = '', id = ''): void {
    setErrors(found);
    setMessage(text);
    setReference(id);
    const first = FIELDS.find((field) => (found[field]?.length ?? 0) > 0);
    if (first !== undefined) setFocusOn(first);
  }

  function problems(fields: readonly FieldProblem[]): Errors {
    const found: Partial<Record<Field, FieldProblem[]>> = {};
    for (const problem of fields) {
      const field = FIELDS.find((name) => name === problem.field);
      if (field !== undefined) (found[field] ??= []).push(problem);
    }
    return found;
  }

  /** The rules that the checklist marks are not repeated under the field: one sentence points to them. */
  const broken = new Set((errors.newPassword ?? []).length === 0 ? [] : rulesFor(policy).filter((rule) => rule.check(values.newPassword, policyContext, resources) === 'violated').map((rule) => rule.code));
  const marked = (errors.newPassword ?? []).filter((problem) => broken.has(problem.code));
  function said(field: Field): string[] {
    const own = (errors[field] ?? []).filter((problem) => field !== 'newPassword' || !marked.includes(problem)).map((problem) => code('violation', problem.code, problem.params));
    return field === 'newPassword' && marked.length > 0 ? [code('error', 'PASSWORD_REJECTED'), ...own] : own;
  }

  function change(field: Field, value: string): void {
    setValues((before) => ({ ...before, [field]: value }));
    setErrors((before) => ({ ...before, [field]: [] }));
    setMessage('');
    setNotice('');
  }

  /** Somebody has finished a field: the server is asked where nothing else stands against these passwords. */
  function lookAhead(given: Readonly<Record<Field, string>>): void {
    if (disabled || wait > 0 || policy.serverRules.length === 0) return;
    const request = options.toRequest(given);
    if ('fields' in validateRequest(options.schema(request, { ...common, strength }), request)) return;
    const { newPassword: password } = given;
    void serverCheck.current.then((check) => check?.check({
      request, rules: policy.serverRules, ask: options.check,
      still: () => JSON.stringify(options.toRequest(now.current)) === JSON.stringify(request),
      onAnswer(outcomes, refusedBy) {
        setJudged((before) => withOutcomes(before, { password, outcomes }));
        if (refusedBy.length > 0) setErrors((before) => ({ ...before, newPassword: refusedBy }));
      },
      onCurrentWrong(error) {
        setErrors((before) => ({ ...before, ...problems(error.fields) }));
        options.onRefused?.(error);
      },
    }));
  }

  function generate(): void {
    const password = generatePassword(policy, crypto, policyContext);
    setValues((before) => ({ ...before, newPassword: password, confirm: password }));
    setErrors((before) => ({ ...before, newPassword: [], confirm: [] }));
    setShown((before) => ({ ...before, newPassword: true, confirm: true }));
    setMessage('');
    setNotice(t('state.generated'));
    lookAhead({ ...values, newPassword: password, confirm: password });
  }

  async function copy(): Promise<void> {
    const copied = await copyText(values.newPassword, inputs.current.newPassword ?? null);
    setNotice(copied ? t('action.copied') : t('action.copyFailed'));
  }

  function refused(error: unknown): void {
    const failure = error instanceof ApiError ? error : new ApiError('UNCONFIRMED');
    const { code: name, params, fields }: { code: string; params: ErrorParams; fields: readonly FieldProblem[] } = failure;
    const seconds = params['retryAfterSeconds'];
    if (options.onRefused?.(failure) === true) return;
    if (name === 'AUTHENTICATION_REQUIRED') options.onSignedOut();
    else if (name === 'RATE_LIMITED' && typeof seconds === 'number') startWait(seconds);
    else if (name === 'OFFLINE') fail({}, t('state.offline'));
    else if (name === 'UNCONFIRMED' || name === 'ACCOUNTS_OUTCOME_UNKNOWN') fail({}, t('state.unconfirmed'), failure.reference);
    else {
      const found = problems(fields);
      setJudged((before) => withOutcomes(before, { password: values.newPassword, outcomes: Object.fromEntries(fields.filter(({ field }) => field === 'newPassword').map((problem) => [problem.code, 'violated' as const])) }));
      fail(found, Object.keys(found).length > 0 ? '' : code('error', name, params), failure.reference);
    }
  }

  function submit(event: SyntheticEvent): void {
    event.preventDefault();
    event.stopPropagation();
    if (disabled || wait > 0) return;
    const request = options.toRequest(values);
    const verdict = validateRequest(options.schema(request, resources), request);
    const found: Errors = 'fields' in verdict ? problems(verdict.fields) : {};
    const repeated = !confirms || normalizePassword(values.newPassword) === normalizePassword(values.confirm);
    if (!repeated) found.confirm = [{ code: 'CONFIRM_MISMATCH', params: {} }];
    if (Object.keys(found).length > 0) {
      fail(found);
      return;
    }
    setMessage('');
    // Enter in a field: it is disabled while the request is under way, and loses the focus by that.
    const typedIn = FIELDS.find((name) => inputs.current[name]?.matches(':focus')) ?? null;
    mutation.mutate(request, {
      onSuccess: (answer) => { setValues(EMPTY); setShown({}); setJudged(null); options.onDone(answer); },
      onError: (error) => { setFocusOn(typedIn); refused(error); },
      onSettled: () => { mutation.reset(); },
    });
  }

  return {
    values, notice, message, reference: message === '' ? '' : reference, wait, disabled, generate, copy, submit,
    busy: mutation.isPending,
    /** For the checklist, and for whoever has it read out: the whole of it, or once it was refused what is not met. */
    checklist: (id: string) => ({ id, policy, password: values.newPassword, context: policyContext, resources, refused: marked.length > 0 }),
    describedBy: (id: string) => (marked.length > 0 ? marked.map((problem) => `${id}-${problem.code}`).join(' ') : id),
    score: values.newPassword === '' ? undefined : strength(values.newPassword),
    clear: () => { setValues(EMPTY); setShown({}); setJudged(null); setErrors({}); setMessage(''); setNotice(''); },
    field: (name: Field) => ({
      name, value: values[name], errors: said(name), shown: shown[name] === true, disabled,
      onChange: (value: string) => { change(name, value); },
      onLeave: () => { lookAhead(now.current); },
      onShow: (show: boolean) => { setShown((before) => ({ ...before, [name]: show })); },
      inputRef: (input: HTMLInputElement | null) => { inputs.current[name] = input; },
    }),
  };
}
