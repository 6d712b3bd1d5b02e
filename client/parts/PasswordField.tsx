import { type KeyboardEvent, type ReactNode, type Ref, useId, useState } from 'react';
import { useTranslator } from '../i18n/context.ts';
import { Icon } from './icons.tsx';

export interface PasswordFieldProps {
  readonly label: string;
  readonly name: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly autoComplete: 'current-password' | 'new-password';
  readonly errors: readonly string[];
  readonly shown: boolean;
  readonly onShow: (shown: boolean) => void;
  readonly onLeave?: () => void;
  readonly disabled: boolean;
  readonly inputRef: Ref<HTMLInputElement>;
  readonly describedBy?: string | undefined;
  readonly passwordRules?: string;
  /** Buttons inside the end of the field. */
  readonly children?: ReactNode;
}

/** A password input with a floating label, show/hide, a Caps Lock warning and its errors. Pasting is welcome. */
export function PasswordField(props: PasswordFieldProps) {
  const { label, name, value, onChange, autoComplete, errors, shown, onShow, disabled, inputRef, describedBy, passwordRules, onLeave, children } = props;
  const { t, labelled } = useTranslator();
  const id = useId();
  const [capsLock, setCapsLock] = useState(false);
  const look = (event: KeyboardEvent) => { setCapsLock(event.getModifierState('CapsLock')); };
  const rules = passwordRules === undefined ? {} : { passwordrules: passwordRules };
  return (
    <div className="field" data-invalid={errors.length > 0 || undefined}>
      <div className="box">
        <input
          ref={inputRef} id={id} name={name} type={shown ? 'text' : 'password'} value={value} placeholder=" " autoComplete={autoComplete}
          autoCapitalize="none" autoCorrect="off" spellCheck={false} dir="ltr" disabled={disabled} aria-invalid={errors.length > 0}
          aria-describedby={`${id}-errors ${describedBy ?? ''}`.trim()} onChange={(event) => { onChange(event.target.value); }}
          onKeyDown={look} onKeyUp={look} onBlur={() => { setCapsLock(false); onLeave?.(); }} {...rules}
        />
        <label htmlFor={id}>{label}</label>
        <button type="button" className="icon" disabled={disabled} aria-pressed={shown} title={labelled(shown ? t('field.hide') : t('field.show'), label)} onClick={() => { onShow(!shown); }}>
          <Icon name={shown ? 'hide' : 'show'} />
        </button>
        {children}
      </div>
      {capsLock && <p className="hint" role="status">{t('field.capsLock')}</p>}
      <div id={`${id}-errors`} className="errors" aria-live="polite">{errors.map((error) => <p key={error}>{error}</p>)}</div>
    </div>
  );
}
