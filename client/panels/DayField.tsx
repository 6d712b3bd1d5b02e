import { useEffect, useId, useMemo, useRef, useState } from 'react';
import { useTranslator } from '../i18n/context.ts';
import { dayFormat } from './dayFormat.ts';
import { formatLanguage } from './formatLanguage.ts';
import { PanelIcon } from './panelIcons.tsx';

/** So long after the last letter something is no day, also for who stays in the field to look at the list. */
const PAUSE_MS = 1_500;

interface DayFieldProps {
  readonly label: string;
  /** `2026-11-28`, or empty; null = what is typed is no day. */
  readonly value: string | null;
  readonly onChange: (day: string | null) => void;
  /** What else is wrong with a day that is one. */
  readonly problem?: string;
}

/**
 * A day, typed and shown as the page's language writes it: a date field of the browser follows the browser's language instead. Its calendar is
 * there all the same, behind the icon and at Alt+↓.
 */
export function DayField({ label, value, onChange, problem = '' }: DayFieldProps) {
  const { language, labelled } = useTranslator();
  const format = useMemo(() => dayFormat(formatLanguage(language)), [language]);
  const id = useId();
  /** As it is being typed; null = shown as the language writes it. */
  const [typed, setTyped] = useState<string | null>(null);
  const calendar = useRef<HTMLInputElement>(null);
  const day = typed === null || typed.trim() === '' ? '' : format.read(typed);
  const says = value === null ? labelled(format.pattern, format.write(new Date().toISOString().slice(0, 10))) : problem;

  // Half a day is no mistake yet.
  const told = useRef(onChange);
  told.current = onChange;
  useEffect(() => {
    if (day !== null) return undefined;
    const timer = setTimeout(() => { told.current(null); }, PAUSE_MS);
    return () => { clearTimeout(timer); };
  }, [day, typed]);

  function take(text: string): void {
    setTyped(text);
    const read = text.trim() === '' ? '' : format.read(text);
    if (read !== null) onChange(read);
  }
  function settle(): void {
    if (day === null) onChange(null);
    else setTyped(null);
  }
  function choose(): void {
    // Some browsers have none, or none that a page may open.
    try { calendar.current?.showPicker(); } catch { /* Typing is always possible. */ }
  }

  return (
    <div className="day">
      <label htmlFor={id}>{label}</label>
      <div>
        <input id={id} type="text" dir="ltr" autoComplete="off" spellCheck={false} placeholder={format.pattern} value={typed ?? (value === null || value === '' ? '' : format.write(value))}
          aria-invalid={says !== ''} aria-describedby={`${id}-error`} onChange={(event) => { take(event.target.value); }} onBlur={settle}
          onKeyDown={(event) => {
            if (event.key === 'Enter') settle();
            if (event.key !== 'ArrowDown' || !event.altKey) return;
            event.preventDefault();
            choose();
          }} />
        <input ref={calendar} type="date" tabIndex={-1} aria-hidden="true" value={value ?? ''} onChange={(event) => { onChange(event.target.value); setTyped(null); }} />
        <button type="button" tabIndex={-1} aria-hidden="true" onMouseDown={(event) => { event.preventDefault(); }} onClick={choose}><PanelIcon name="calendar" /></button>
      </div>
      <div id={`${id}-error`} className="errors" role="status">{says !== '' && <p>{says}</p>}</div>
    </div>
  );
}
