import { useEffect, useState } from 'react';
import { timeAgo } from '../../module/texts/relativeTime.ts';
import { useTranslator } from '../i18n/context.ts';
import { useFormats } from './useFormats.ts';

const EVERY_MS = 30_000;

/** How long ago something was, kept true while it is looked at; the exact time for who points at it. */
export function Ago({ at }: { readonly at: number | null }) {
  const { language } = useTranslator();
  const { time } = useFormats();
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => { setNow(Date.now()); }, EVERY_MS);
    return () => { clearInterval(timer); };
  }, []);
  const exact = time(at);
  if (at === null || at === 0) return exact;
  return <time dateTime={new Date(at).toISOString()} title={exact}>{timeAgo(language, at, now) ?? exact}</time>;
}
