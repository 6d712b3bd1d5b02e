import { useInfiniteQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import type { AdminPanelApi } from '../api/panelMethods.ts';
import { useTranslator } from '../i18n/context.ts';
import { useDebounced } from './useDebounced.ts';
import { useSignedOut } from './useSignedOut.ts';

interface DomainChooserProps {
  readonly api: AdminPanelApi;
  readonly domain: string;
  readonly onChoose: (domain: string) => void;
  readonly onSignedOut: () => void;
}

/** Drop-down with type-ahead (WAI-ARIA combobox with a listbox); the server searches, so ten thousand domains cost what fifty do. */
export function DomainChooser({ api, domain, onChoose, onSignedOut }: DomainChooserProps) {
  const { t } = useTranslator();
  const id = useId();
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState<string | null>(null);
  const [active, setActive] = useState(0);
  const listbox = useRef<HTMLUListElement>(null);
  const search = useDebounced((typed ?? '').trim().toLowerCase());
  const query = useInfiniteQuery({
    queryKey: ['domains', search], initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => api.listDomains(search, pageParam, signal),
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  useSignedOut(query.error, onSignedOut);
  const domains = query.data?.pages.flatMap((page) => page.domains) ?? [];
  const only = domains.length === 1 && search === '' && domain === '' ? domains[0] : undefined;
  useEffect(() => { if (only !== undefined) onChoose(only); }, [only, onChoose]);
  useEffect(() => { setActive(0); }, [search]);
  useEffect(() => { listbox.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' }); }, [active, open]);

  const more = (): void => { if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage(); };
  function choose(chosen: string | undefined): void {
    if (chosen === undefined) return;
    onChoose(chosen);
    setTyped(null);
    setOpen(false);
  }
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
    } else if (event.key === 'Enter' && open) {
      event.preventDefault();
      // What is typed may be ahead of the list that is shown.
      if (search === (typed ?? '').trim().toLowerCase() && !query.isFetching) choose(domains[active]);
    } else if (event.key === 'Escape') {
      setOpen(false);
      setTyped(null);
    }
  }

  return (
    <div className="chooser">
      <label htmlFor={id}>{t('adminPanel.selectDomain')}</label>
      <input id={id} role="combobox" type="text" autoComplete="off" spellCheck={false} dir="ltr" value={typed ?? domain} placeholder={t('adminPanel.typeDomain')}
        aria-expanded={open} aria-controls={`${id}-list`} aria-autocomplete="list" aria-activedescendant={open && domains.length > 0 ? `${id}-${String(active)}` : undefined}
        onChange={(event) => { setTyped(event.target.value); setOpen(true); }} onKeyDown={keyDown} onClick={() => { setOpen(true); }} onFocus={(event) => { event.target.select(); }}
        onBlur={() => { setOpen(false); setTyped(null); }} />
      <span className="chevron" aria-hidden="true">▾</span>
      <ul ref={listbox} id={`${id}-list`} role="listbox" aria-label={t('adminPanel.selectDomain')} hidden={!open}
        onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => { if (scrollTop + clientHeight > scrollHeight - 120) more(); }}
        onMouseDown={(event) => { event.preventDefault(); }}>
        {domains.map((name, at) => (
          // The keyboard reaches options through the input (aria-activedescendant).
          <li key={name} id={`${id}-${String(at)}`} role="option" aria-selected={at === active} onClick={() => { choose(name); }}><bdi>{name}</bdi></li>
        ))}
      </ul>
      <p className="status" role="status">{open && query.isFetching ? t('section.loading') : open && query.isSuccess && domains.length === 0 ? t('adminPanel.noDomain') : query.isError ? t('panel.noAnswer') : ''}</p>
    </div>
  );
}
