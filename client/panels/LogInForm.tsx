import { useMutation } from '@tanstack/react-query';
import { type ReactNode, type SyntheticEvent, useEffect, useId, useRef, useState } from 'react';
import { ApiError } from '../api/apiError.ts';
import { useTranslator } from '../i18n/context.ts';
import { FormMessages } from '../parts/FormMessages.tsx';
import { Maintenance } from './Maintenance.tsx';
import { PasswordField } from '../parts/PasswordField.tsx';
import { useCountdown } from '../parts/useCountdown.ts';
import { sendingPasswords } from '../queries/account.ts';

interface LogInFormProps<Session> {
  readonly title: string;
  /** What the first field is called. */
  readonly nameLabel: string;
  readonly nameType: 'email' | 'text';
  /** What is said where the log-in is wrong, in the place of the words about an e-mail address. */
  readonly wrong?: string;
  readonly notice: ReactNode;
  /** False in maintenance. */
  readonly writable: boolean;
  /** Somebody tried to log in. */
  readonly onTried: () => void;
  readonly logIn: (name: string, password: string) => Promise<Session>;
  readonly onLoggedIn: (session: Session, password: string) => void;
  readonly children?: ReactNode;
}

/** The log-in form of both panels. The password is handed on in memory and kept nowhere. */
export function LogInForm<Session>({ title, nameLabel, nameType, wrong, notice, writable, onTried, logIn, onLoggedIn, children }: LogInFormProps<Session>) {
  const { t, code } = useTranslator();
  const id = useId();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [shown, setShown] = useState(false);
  const [message, setMessage] = useState('');
  const [reference, setReference] = useState('');
  const [missing, setMissing] = useState<'name' | 'password' | null>(null);
  const [wait, startWait] = useCountdown();
  const nameInput = useRef<HTMLInputElement>(null);
  const passwordInput = useRef<HTMLInputElement>(null);
  const says = useRef<HTMLDivElement>(null);
  // What there is to say is read first; else one can type at once.
  useEffect(() => { (says.current?.hasChildNodes() === true ? says : nameInput).current?.focus(); }, []);
  const mutation = useMutation(sendingPasswords((request: { name: string; password: string }) => logIn(request.name, request.password)));

  function submit(event: SyntheticEvent): void {
    event.preventDefault();
    if (mutation.isPending || wait > 0) return;
    const absent = name.trim() === '' ? 'name' : password === '' ? 'password' : null;
    setMissing(absent);
    setMessage('');
    setReference('');
    if (absent !== null) {
      (absent === 'name' ? nameInput : passwordInput).current?.focus();
      return;
    }
    mutation.mutate({ name: name.trim(), password }, {
      onSuccess: (session) => { onLoggedIn(session, password); },
      onError: (error) => {
        const failure = error instanceof ApiError ? error : new ApiError('UNCONFIRMED');
        const seconds = failure.params['retryAfterSeconds'];
        if (failure.code === 'RATE_LIMITED' && typeof seconds === 'number') startWait(seconds);
        else if (failure.code === 'OFFLINE') setMessage(t('panel.offline'));
        else if (failure.code === 'UNCONFIRMED') setMessage(t('panel.noAnswer'));
        else if (failure.code === 'CREDENTIALS_WRONG' && wrong !== undefined) setMessage(wrong);
        else setMessage(code('error', failure.code, failure.params));
        setReference(failure.reference);
        setPassword('');
        passwordInput.current?.focus();
      },
      onSettled: () => { mutation.reset(); onTried(); },
    });
  }

  const nameErrors = missing === 'name' ? t('violation.REQUIRED') : '';
  return (
    <main className="login">
      <h1>{title}</h1>
      <Maintenance writable={writable} />
      <div ref={says} tabIndex={-1}>{notice}</div>
      <form noValidate onSubmit={submit}>
        <div className="field" data-invalid={missing === 'name' || undefined}>
          <div className="box">
            <input ref={nameInput} id={id} name="username" type={nameType} value={name} placeholder=" " autoComplete="username" autoCapitalize="none" spellCheck={false} dir="ltr"
              aria-invalid={missing === 'name'} aria-describedby={`${id}-errors`} onChange={(event) => { setName(event.target.value); setMissing(null); }} />
            <label htmlFor={id}>{nameLabel}</label>
          </div>
          <div id={`${id}-errors`} className="errors">{nameErrors !== '' && <p>{nameErrors}</p>}</div>
        </div>
        <PasswordField label={t('field.new')} name="password" value={password} autoComplete="current-password" errors={missing === 'password' ? [t('violation.REQUIRED')] : []}
          shown={shown} onShow={setShown} disabled={false} inputRef={passwordInput} onChange={(value) => { setPassword(value); setMissing(null); setMessage(''); }} />
        <FormMessages status={mutation.isPending ? t('panel.loggingIn') : ''} message={message} reference={message === '' ? '' : reference} wait={wait} />
        <button type="submit" className="primary" aria-disabled={mutation.isPending || wait > 0}>{t('shell.logIn')}</button>
      </form>
      {children}
    </main>
  );
}
