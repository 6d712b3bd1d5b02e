import { type Channel, type ChannelCounts, CHANNELS } from '../../module/channels.ts';
import { useTranslator } from '../i18n/context.ts';

/** Which sessions were ended, and which still are not. */
export function Ended({ ended, pending }: { readonly ended: ChannelCounts; readonly pending: readonly Channel[] }) {
  const { t, list } = useTranslator();
  const asked = CHANNELS.some((channel) => ended[channel] !== undefined);
  // No rows of zeros. A zero is not "nobody was there" either: a host may have ended its sessions by itself with the change.
  const some = CHANNELS.filter((channel) => (ended[channel] ?? 0) > 0);
  return (
    <>
      {asked && some.length === 0 && pending.length === 0 && <p>{t('done.everywhere')}</p>}
      {some.length > 0 && <p>{t('done.ended')}</p>}
      {some.length > 0 && <ul>{some.map((channel) => <li key={channel}>{t('done.count', { channel: t(`channel.${channel}`), count: ended[channel] ?? 0 })}</li>)}</ul>}
      {pending.length > 0 && <p className="warning">{t('done.pending', { channels: list(pending.map((channel) => t(`channel.${channel}`))) })}</p>}
    </>
  );
}
