import type { Channel } from '../../module/channels.ts';
import type { Session, SessionStore } from '../ports/sessionStore.ts';

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

/** Rejects at the deadline even where the store does not listen to the signal. */
export async function inTime<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(timeoutMs);
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => { reject(new Error('time-out')); });
  });
  return Promise.race([work(signal), late]);
}
