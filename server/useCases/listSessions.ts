import type { Channel } from '../../module/channels.ts';
import type { Session, SessionStore } from '../ports/sessionStore.ts';
import { beforeDeadline } from '../deadline.ts';

export interface ListedSession extends Session {
  readonly store: string;
}

/** Where a mailbox is logged in, over all stores. A store that does not answer is named, and hides none of the others. */
export async function listSessions(address: string, stores: readonly SessionStore[], timeoutMs: number): Promise<{ readonly sessions: readonly ListedSession[]; readonly unavailable: readonly Channel[] }> {
  const unavailable = new Set<Channel>();
  const lists = await Promise.all(stores.map(async (store) => {
    try {
      return (await inTime(timeoutMs, (signal) => store.list(address, { signal }))).map((session) => ({ ...session, store: store.name }));
    } catch {
      for (const channel of store.channels) unavailable.add(channel);
      return [];
    }
  }));
  return { sessions: lists.flat(), unavailable: [...unavailable] };
}

/** The store's answer, or an error after `timeoutMs`, even where the store does not listen to the signal. */
export const inTime = <T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const signal = AbortSignal.timeout(timeoutMs);
  return beforeDeadline(signal, () => new Error('time-out'), () => work(signal));
};
