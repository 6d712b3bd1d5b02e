import { useInfiniteQuery } from '@tanstack/react-query';
import { type MouseEvent, useState } from 'react';
import { CHANNELS } from '../../module/channels.ts';
import { type HistoryQuery, OUTCOMES } from '../../module/panelOperations.ts';
import type { AdminPanelApi } from '../api/panelMethods.ts';
import { useTranslator } from '../i18n/context.ts';
import type { MessageKey } from '../i18n/translator.ts';
import { Address } from './Address.tsx';
import { DayField } from './DayField.tsx';
import { Failed } from './Failed.tsx';
import { LoadMore } from './LoadMore.tsx';
import { useDebounced } from './useDebounced.ts';
import { useFormats } from './useFormats.ts';
import { useSignedOut } from './useSignedOut.ts';

const ACTIONS: Readonly<Record<string, MessageKey>> = {
  change: 'adminPanel.action.change', set: 'adminPanel.action.set', require: 'adminPanel.action.require', unrequire: 'adminPanel.action.unrequire', revoke: 'adminPanel.action.revoke', signIn: 'adminPanel.action.signIn', access: 'adminPanel.action.access',
};

/** The day of a date field as the milliseconds at which it begins here; `plus` days later. */
function dayStart(day: string | null, plus = 0): string | undefined {
  if (day === null || day === '') return undefined;
  const at = new Date(`${day}T00:00:00`);
  at.setDate(at.getDate() + plus);
  return Number.isNaN(at.getTime()) || at.getTime() < 0 ? undefined : String(at.getTime());
}

interface Filter {
  readonly mailbox: string;
  readonly administrator: string;
  readonly outcome: string;
  /** A day, or empty; null = what is typed is none. */
  readonly from: string | null;
  readonly to: string | null;
}

const turned = ({ from, to }: Filter): boolean => from !== null && to !== null && from !== '' && to !== '' && from > to;
const wrong = (filter: Filter): boolean => filter.from === null || filter.to === null || turned(filter);

/** Only what is filled in. */
const query = (filter: Filter): HistoryQuery => Object.fromEntries(Object.entries({
  mailbox: filter.mailbox.trim(), administrator: filter.administrator.trim(), outcome: filter.outcome, from: dayStart(filter.from), to: dayStart(filter.to, 1),
}).filter(([, value]) => value !== undefined && value !== ''));

interface HistoryProps {
  readonly api: AdminPanelApi;
  readonly base: string;
  readonly onSignedOut: () => void;
}

/** The audit log: who, whom, when, from where, with what outcome, and what was ended. It can be read and saved, never changed. */
export function History({ api, base, onSignedOut }: HistoryProps) {
  const { t, code, labelled, list } = useTranslator();
  const { time, number } = useFormats();
  const [filter, setFilter] = useState<Filter>({ mailbox: '', administrator: '', outcome: '', from: '', to: '' });
  const settled = useDebounced(filter);
  const wanted = query(settled);
  // A list that does not heed what is typed would be taken for the answer: then there is none.
  const listed = !wrong(filter) && !wrong(settled);
  const events = useInfiniteQuery({
    queryKey: ['history', wanted], initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => api.listHistory(wanted, pageParam, signal),
    getNextPageParam: ({ nextCursor }) => nextCursor, enabled: listed,
  });
  useSignedOut(events.error, onSignedOut);
  const rows = events.data?.pages.flatMap((page) => page.events) ?? [];
  const [from, to] = [t('adminPanel.fromDay'), t('adminPanel.toDay')];
  function save(event: MouseEvent<HTMLAnchorElement>): void {
    event.preventDefault();
    if (!listed) event.currentTarget.closest('form')?.querySelector<HTMLInputElement>('[aria-invalid=true]')?.focus();
    // A session that has ended must not replace the page by an error: ask first.
    else api.getSession().then(() => { location.assign(base + api.historyFile(wanted)); }, () => { void events.refetch(); });
  }
  const set = (name: 'mailbox' | 'administrator' | 'outcome') => (event: { target: { value: string } }) => { setFilter((before) => ({ ...before, [name]: event.target.value })); };
  const outcome = (name: string) => (name === 'done' || name === 'pending' ? t(`adminPanel.outcome.${name}`) : <>{t('adminPanel.outcome.refused')} <small title={name}>{code('error', name)}</small></>);
  const ended = (counts: (typeof rows)[number]['ended']): string =>
    list(CHANNELS.filter((channel) => (counts[channel] ?? 0) > 0).map((channel) => labelled(t(`channel.${channel}`), number(counts[channel]))));

  return (
    <>
      <form className="filters" onSubmit={(event) => { event.preventDefault(); }}>
        <label>{t('adminPanel.mailbox')}<input type="search" dir="ltr" autoComplete="off" spellCheck={false} value={filter.mailbox} onChange={set('mailbox')} /></label>
        <label>{t('adminPanel.administrator')}<input type="search" dir="ltr" autoComplete="off" spellCheck={false} value={filter.administrator} onChange={set('administrator')} /></label>
        <label>{t('adminPanel.outcome')}
          <select value={filter.outcome} onChange={set('outcome')}>
            <option value="">{t('adminPanel.outcome.all')}</option>
            {OUTCOMES.map((name) => <option key={name} value={name}>{t(`adminPanel.outcome.${name}`)}</option>)}
          </select>
        </label>
        <DayField label={from} value={filter.from} onChange={(day) => { setFilter((before) => ({ ...before, from: day })); }} />
        <DayField label={to} value={filter.to} problem={turned(filter) ? `${from} ≤ ${to}` : ''} onChange={(day) => { setFilter((before) => ({ ...before, to: day })); }} />
        <a className="plain" href={base + api.historyFile(wanted)} aria-disabled={wrong(filter)} onClick={save}>{t('adminPanel.export')}</a>
      </form>
      <div role="alert">{wrong(filter) && <p className="warning">{code('error', 'REQUEST_INVALID')}</p>}</div>
      {listed && events.isError && <Failed error={events.error} onRetry={() => { void events.refetch(); }} />}
      {!listed ? null : events.isSuccess && rows.length === 0 ? <p role="status" className="empty">{t('adminPanel.noHistory')}</p> : (
        <table className="list history">
          <caption className="unseen">{t('adminPanel.history')}</caption>
          <thead><tr>
            <th scope="col" className="wide">{t('adminPanel.when')}</th><th scope="col">{t('adminPanel.what')}</th><th scope="col" className="wide">{t('adminPanel.mailbox')}</th><th scope="col" className="wide">{t('adminPanel.who')}</th>
            <th scope="col" className="wide">{t('adminPanel.where')}</th><th scope="col">{t('adminPanel.outcome')}</th><th scope="col" className="wide">{t('adminPanel.ended')}</th>
          </tr></thead>
          <tbody>
            {rows.map((event) => (
              <tr key={`${String(event.at)} ${event.requestId}`}>
                <td className="wide">{time(event.at)}</td>
                <td>
                  {t(ACTIONS[event.action] ?? 'adminPanel.action.access')}
                  <span className="narrow"><Address of={event.address} /></span>
                  <span className="narrow soft">{time(event.at)}{event.actor === event.address ? null : <> · <Address of={event.actor} /></>} · <bdi>{event.remoteAddress}</bdi> {ended(event.ended)}</span>
                </td>
                <td className="wide whom"><Address of={event.address} /></td>
                <td className="wide whom"><Address of={event.actor} /></td>
                <td className="wide"><bdi>{event.remoteAddress}</bdi></td>
                <td>{outcome(event.outcome)}</td>
                <td className="wide">{ended(event.ended)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <LoadMore more={listed && events.hasNextPage} loading={events.isFetching} onMore={() => { void events.fetchNextPage(); }} />
    </>
  );
}
