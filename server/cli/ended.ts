import type { Channel, ChannelCounts } from '../../module/channels.ts';
import { exitWith } from './exitCodes.ts';

/** What a log-out ended and still owes, in one or two sentences. */
export function endedText({ ended, pending }: { readonly ended: ChannelCounts; readonly pending: readonly Channel[] }): string {
  const counts = Object.entries(ended).filter(([, count]) => count > 0).map(([channel, count]) => `${channel} ${String(count)}`);
  const done = counts.length === 0 ? 'Nobody was logged in.' : `Ended: ${counts.join(', ')}.`;
  return pending.length === 0 ? done : `${done} STILL OWED: ${pending.join(', ')}; the running service retries it (mailbox-password outbox list).`;
}

export const exitForPending = (pending: readonly Channel[]): void => { if (pending.length > 0) exitWith('PENDING'); };
