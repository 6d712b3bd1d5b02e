import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { MailboxesResponse } from '../../module/panelOperations.ts';
import { ApiError } from '../api/apiError.ts';
import type { AdminPanelApi } from '../api/panelMethods.ts';
import { useTranslator } from '../i18n/context.ts';
import { Address } from './Address.tsx';
import { Ago } from './Ago.tsx';
import { Failed } from './Failed.tsx';
import { LoadMore } from './LoadMore.tsx';
import { PanelIcon } from './panelIcons.tsx';
import { TypeAddress } from './TypeAddress.tsx';
import { useDebounced } from './useDebounced.ts';
import { useFormats } from './useFormats.ts';
import { useSignedOut } from './useSignedOut.ts';

interface MailboxesProps {
  readonly api: AdminPanelApi;
  readonly domain: string;
  readonly onEdit: (address: string) => void;
  readonly onSignedOut: () => void;
}

/** The mailboxes of one domain: a page at a time, with a search, and how often each is logged in as far as that can be told. */
export function Mailboxes({ api, domain, onEdit, onSignedOut }: MailboxesProps) {
  const { t } = useTranslator();
  const [typed, setTyped] = useState('');
  const search = useDebounced(typed.trim());
  const query = useInfiniteQuery({
    queryKey: ['mailboxes', domain, search], initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => api.listMailboxes(domain, search, pageParam, signal),
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  useSignedOut(query.error, onSignedOut);
  // A page of a search may be empty and still have a next one.
  const pages = (query.data?.pages ?? []).filter(({ mailboxes }) => mailboxes.length > 0);
  // Several account APIs, of which this domain's cannot list.
  const cannotList = query.error instanceof ApiError && query.error.code === 'OPERATION_NOT_SUPPORTED';
  const none = query.isSuccess && pages.length === 0 && !query.hasNextPage;
  return (
    <>
      {!cannotList && <label className="search">{t('adminPanel.searchMailbox')}<input type="search" value={typed} autoComplete="off" spellCheck={false} dir="ltr" onChange={(event) => { setTyped(event.target.value); }} /></label>}
      {cannotList && <TypeAddress onEdit={onEdit} />}
      {query.isError && !cannotList && <Failed error={query.error} onRetry={() => { void query.refetch(); }} />}
      {query.isError ? null : none ? <p role="status" className="empty">{t('adminPanel.noMailbox')}</p> : (
        <table className="list">
          <caption className="unseen">{domain}</caption>
          <thead><tr>
            <th scope="col">{t('adminPanel.mailbox')}</th><th scope="col" className="wide">{t('adminPanel.enabled')}</th><th scope="col" className="wide">{t('adminPanel.lastChange')}</th>
            <th scope="col" className="wide">{t('adminPanel.sessions')}</th><th scope="col"><span className="unseen">{t('adminPanel.edit')}</span></th>
          </tr></thead>
          <tbody>{pages.map((page) => <Rows key={page.mailboxes[0]?.address ?? ''} api={api} page={page} onEdit={onEdit} />)}</tbody>
        </table>
      )}
      <LoadMore more={query.hasNextPage} loading={query.isFetching} onMore={() => { void query.fetchNextPage(); }} />
    </>
  );
}

/** One page of rows; its sessions are counted once it stands there, so that the list need not wait for them. */
function Rows({ api, page, onEdit }: { readonly api: AdminPanelApi; readonly page: MailboxesResponse; readonly onEdit: (address: string) => void }) {
  const { t, labelled } = useTranslator();
  const { time, number } = useFormats();
  const addresses = page.mailboxes.map(({ address }) => address);
  const counted = useQuery({ queryKey: ['counts', ...addresses], queryFn: ({ signal }) => api.countSessions(addresses, signal), enabled: addresses.length > 0 });
  return page.mailboxes.map(({ address, displayName, enabled, passwordChangedAt }) => {
    const live = number(counted.data?.counts[address]);
    return (
      <tr key={address}>
        <th scope="row">
          <Address of={address} />{displayName !== null && displayName !== address && <span className="soft"> <bdi>{displayName}</bdi></span>}
          <span className="narrow soft">{enabled ? t('adminPanel.yes') : t('adminPanel.disabled')} · {labelled(t('adminPanel.lastChange'), time(passwordChangedAt))} · {labelled(t('adminPanel.sessions'), live)}</span>
        </th>
        <td className="wide tight">{enabled ? t('adminPanel.yes') : <strong>{t('adminPanel.disabled')}</strong>}</td>
        <td className="wide"><Ago at={passwordChangedAt} /></td>
        <td className="wide tight">{counted.isFetching && counted.data === undefined ? '…' : live}</td>
        <td><button type="button" className="pencil" aria-label={labelled(t('adminPanel.edit'), address)} title={t('adminPanel.edit')} onClick={() => { onEdit(address); }}><PanelIcon name="edit" /></button></td>
      </tr>
    );
  });
}
