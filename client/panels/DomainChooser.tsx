import { useInfiniteQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import type { AdminPanelApi } from '../api/panelMethods.ts';
import { useTranslator } from '../i18n/context.ts';
import { useDebounced } from './useDebounced.ts';
import { useSignedOut } from './useSignedOut.ts';

/** Options that are more than the list shows at a time. */
const FILLS = 12;

interface DomainChooserProps {
  readonly api: AdminPanelApi;
  readonly domain: string;
  /** The domains cannot be listed: the whole name is typed. */
  readonly free: boolean;
  readonly onChoose: (domain: string) => void;
  readonly onSignedOut: () => void;
}

/** Drop-down with type-ahead (WAI-ARIA combobox with a listbox); the server searches, so ten thousand domains cost what fifty do. */
export function DomainChooser({ api, domain, free, onChoose, onSignedOut }: DomainChooserProps) {
  const { t } = useTranslator();
  const id = useId();
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState<string | null>(null);
  const [active, setActive] = useState(0);
  /** Enter was pressed before the list had caught up with what is typed. */
  const [wanted, setWanted] = useState(false);
  const listbox = useRef<HTMLUListElement>(null);
  const search = useDebounced((typed ?? '').trim().toLowerCase());
  const query = useInfiniteQuery({
    queryKey: ['domains', search], initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => api.listDomains(search, pageParam, signal),
    getNextPageParam: ({ nextCursor }) => nextCursor, enabled: !free,
  });
  useSignedOut(query.error, onSignedOut);
  const domains = query.data?.pages.flatMap((page) => page.domains) ?? [];
  const only = domains.length === 1 && search === '' && domain === '' ? domains[0] : undefined;
  useEffect(() => { if (only !== undefined) onChoose(only); }, [only, onChoose]);
  useEffect(() => { setActive(0); }, [search]);
  useEffect(() => { listbox.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' }); }, [active, open]);

  // Names that begin with what is typed come first, and quickly; where they do not fill the list, those that hold it elsewhere follow.
  const short = open && query.hasNextPage && !query.isFetching && domains.length < FILLS;
  const { fetchNextPage } = query;
  useEffect(() => { if (short) void fetchNextPage(); }, [short, fetchNextPage]);

  const more = (): void => { if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage(); };
  const whole = (text: string | null): string | undefined => (text?.trim().includes('.') === true ? text.trim().toLowerCase() : undefined);
  function choose(chosen: string | undefined): void {
    if (chosen === undefined) return;
    onChoose(chosen);
    setTyped(null);
    setOpen(false);
  }
  const listed = search === (typed ?? '').trim().toLowerCase() && query.isSuccess;
  const caughtUp = wanted && listed;
  useEffect(() => {
    if (!caughtUp) return;
    setWanted(false);
    choose(domains[0]);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once, when the list has caught up
  }, [caughtUp]);
  function keyDown(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      if (!open) {
        setOpen(true);
        return;
      }
      const next = Math.max(0, Math.min(domains.length - 1, active + step));
      if (next >= domains.length - 5) more();
      setActive(next);
    } else if (event.key === 'Enter' && free) {
      event.preventDefault();
      choose(whole(typed));
    } else if (event.key === 'Enter' && open) {
      event.preventDefault();
      if (listed) choose(domains[active]);
      else setWanted(true);
    } else if (event.key === 'Escape') {
      setOpen(false);
      setTyped(null);
    }
  }

  return (
    <div className="chooser">
      <label htmlFor={id}>{t('adminPanel.selectDomain')}</label>
      <input id={id} role="combobox" type="text" autoComplete="off" spellCheck={false} dir="ltr" value={typed ?? domain} placeholder={free ? 'example.com' : t('adminPanel.typeDomain')}
        aria-expanded={open && !free} aria-controls={`${id}-list`} aria-autocomplete="list" aria-activedescendant={open && domains.length > 0 ? `${id}-${String(active)}` : undefined}
        onChange={(event) => { setTyped(event.target.value); setOpen(true); setWanted(false); }} onKeyDown={keyDown} onClick={() => { setOpen(true); }} onFocus={(event) => { event.target.select(); }}
        onBlur={() => { if (free) choose(whole(typed)); setOpen(false); setTyped(null); setWanted(false); }} />
      {!free && <span className="chevron" aria-hidden="true">▾</span>}
      <ul ref={listbox} id={`${id}-list`} role="listbox" aria-label={t('adminPanel.typeDomain')} hidden={!open || free}
        onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => { if (scrollTop + clientHeight > scrollHeight - 120) more(); }}
        onMouseDown={(event) => { event.preventDefault(); }}>
        {domains.map((name, at) => (
          // The keyboard reaches options through the input (aria-activedescendant).
          <li key={name} id={`${id}-${String(at)}`} role="option" aria-selected={at === active} onClick={() => { choose(name); }}><bdi>{name}</bdi></li>
        ))}
      </ul>
      <p className="status" role="status">{free ? t('adminPanel.typeWholeDomain') : open && query.isFetching ? t('section.loading') : open && query.isSuccess && domains.length === 0 ? t('adminPanel.noDomain') : query.isError ? t('panel.noAnswer') : ''}</p>
    </div>
  );
}
