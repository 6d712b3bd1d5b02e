import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { Device, EndedResponse } from '../../module/panelOperations.ts';
import type { UserPanelApi } from '../api/panelMethods.ts';
import { useTranslator } from '../i18n/context.ts';
import { Ended } from '../parts/Ended.tsx';
import { Ago } from './Ago.tsx';
import { clientName } from './clientName.ts';
import { Failed } from './Failed.tsx';
import { useFormats } from './useFormats.ts';
import { useSignedOut } from './useSignedOut.ts';

type Wanted = { readonly device: Device } | { readonly which: 'others' | 'all' };

/** Where the mailbox is logged in, and the ways to end it. */
export function Devices({ api, onSignedOut }: { readonly api: UserPanelApi; readonly onSignedOut: () => void }) {
  const { t, labelled, list } = useTranslator();
  const { time } = useFormats();
  const client = useQueryClient();
  const [answer, setAnswer] = useState<EndedResponse | null>(null);
  const says = useRef<HTMLDivElement>(null);
  // The button that was pressed may be gone by now.
  useEffect(() => { if (answer !== null) says.current?.focus(); }, [answer]);
  const devices = useQuery({ queryKey: ['devices'], queryFn: ({ signal }) => api.listDevices(signal) });
  const end = useMutation({
    mutationFn: (wanted: Wanted) => ('which' in wanted ? api.endDevices(wanted.which) : api.endDevice({ store: wanted.device.store, id: wanted.device.id })),
    onSuccess: async (ended, wanted) => {
      if ('which' in wanted ? wanted.which === 'all' : wanted.device.current) {
        onSignedOut();
        return;
      }
      setAnswer(ended);
      await client.invalidateQueries({ queryKey: ['devices'] });
    },
    networkMode: 'always',
  });
  useSignedOut(devices.error ?? end.error, onSignedOut);
  function act(wanted: Wanted): void {
    if (end.isPending) return;
    // What was said of the one before is not to be read as the answer to this one.
    setAnswer(null);
    end.mutate(wanted);
  }
  if (devices.isError) return <Failed error={devices.error} onRetry={() => { void devices.refetch(); }} />;
  if (devices.data === undefined) return <p role="status">{t('section.loading')}</p>;
  const { devices: rows, unavailable } = devices.data;
  return (
    <>
      <p className="info">{t('userPanel.devicesInfo')}</p>
      {unavailable.length > 0 && <p className="warning" role="alert">{t('userPanel.unavailable', { channels: list(unavailable.map((channel) => t(`channel.${channel}`))) })}</p>}
      <ul className="devices">
        {rows.map((device) => {
          const name = clientName(device.client);
          return (
            <li key={`${device.store} ${device.id}`} data-current={device.current || undefined}>
              <div>
                <strong>{t(`channel.${device.channel}`)}</strong>{device.current && <span className="mark">{t('shell.thisOne')}</span>}
                <div title={device.client ?? ''}><bdi>{name}</bdi></div>
                <dl>
                  <div><dt>{t('userPanel.from')}</dt><dd><bdi>{device.remoteAddress ?? '–'}</bdi></dd></div>
                  <div><dt>{t('userPanel.since')}</dt><dd>{time(device.issuedAt)}</dd></div>
                  <div><dt>{t('userPanel.lastSeen')}</dt><dd><Ago at={device.lastSeenAt} /></dd></div>
                </dl>
              </div>
              <button type="button" className="plain" aria-disabled={end.isPending} aria-label={labelled(t('userPanel.end'), labelled(t(`channel.${device.channel}`), name))} onClick={() => { act({ device }); }}>{t('userPanel.end')}</button>
            </li>
          );
        })}
      </ul>
      <div ref={says} tabIndex={-1} role="status">{end.isPending ? t('panel.loggingOut') : answer !== null && <Ended {...answer} />}</div>
      {end.isError && <Failed error={end.error} onRetry={() => { end.reset(); void devices.refetch(); }} />}
      <div className="buttons">
        <button type="button" className="plain" aria-disabled={end.isPending} onClick={() => { act({ which: 'others' }); }}>{t('userPanel.endOthers')}</button>
        <button type="button" className="plain" aria-disabled={end.isPending} onClick={() => { act({ which: 'all' }); }}>{t('userPanel.endAll')}</button>
      </div>
    </>
  );
}
