import { useId, useMemo, useRef, useState } from 'react';
import { useTranslator } from '../i18n/context.ts';
import { dayFormat } from './dayFormat.ts';
import { formatLanguage } from './formatLanguage.ts';
import { PanelIcon } from './panelIcons.tsx';

interface DayFieldProps {
  readonly label: string;
  /** `2026-11-28`, or empty. */
  readonly value: string;
  readonly onChange: (day: string) => void;
}

/**
 * A day, typed and shown as the page's language writes it: a date field of the browser follows the browser's language instead. Its calendar is
 * there all the same, behind the icon and at Alt+↓.
 */
export function DayField({ label, value, onChange }: DayFieldProps) {
  const { language, labelled } = useTranslator();
  const format = useMemo(() => dayFormat(formatLanguage(language)), [language]);
  const id = useId();
  /** As it is being typed; null = shown as the language writes it. */
  const [typed, setTyped] = useState<string | null>(null);
  const [bad, setBad] = useState(false);
  const calendar = useRef<HTMLInputElement>(null);

  function take(text: string): void {
    setTyped(text);
    setBad(false);
    onChange(format.read(text) ?? '');
  }
  function settle(): void {
    const wrong = typed !== null && typed.trim() !== '' && format.read(typed) === null;
    setBad(wrong);
    if (!wrong) setTyped(null);
  }
  function choose(): void {
    // Some browsers have none, or none that a page may open.
    try { calendar.current?.showPicker(); } catch { /* Typing is always possible. */ }
  }

  return (
    <div className="day">
      <label htmlFor={id}>{label}</label>
      <div>
        <input id={id} type="text" dir="ltr" autoComplete="off" spellCheck={false} placeholder={format.pattern} value={typed ?? (value === '' ? '' : format.write(value))}
          aria-invalid={bad} aria-describedby={`${id}-error`} onChange={(event) => { take(event.target.value); }} onBlur={settle}
          onKeyDown={(event) => {
            if (event.key === 'Enter') settle();
            if (event.key !== 'ArrowDown' || !event.altKey) return;
            event.preventDefault();
            choose();
          }} />
        <input ref={calendar} type="date" tabIndex={-1} aria-hidden="true" value={value} onChange={(event) => { onChange(event.target.value); setTyped(null); setBad(false); }} />
        <button type="button" tabIndex={-1} aria-hidden="true" onMouseDown={(event) => { event.preventDefault(); }} onClick={choose}><PanelIcon name="calendar" /></button>
      </div>
      <div id={`${id}-error`} className="errors" role="status">{bad && <p>{labelled(format.pattern, format.write(new Date().toISOString().slice(0, 10)))}</p>}</div>
    </div>
  );
}
