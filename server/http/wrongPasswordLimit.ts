import { ModuleError } from '../../module/errors.ts';
import type { RateLimit } from '../ports/rateLimiter.ts';
import type { Wiring } from '../wiring.ts';
import { clientNetwork } from './clientNetwork.ts';

interface Counted { readonly kind: 'mailbox' | 'address'; readonly key: string; readonly limit: RateLimit }

const WRONG: ReadonlySet<string> = new Set(['CURRENT_PASSWORD_WRONG', 'CREDENTIALS_WRONG']);

/**
 * Names that some back end takes for one and the same are counted as one: MariaDB's collations overlook case, accents and blanks at the end,
 * directories case and blanks. Folded too far, two mailboxes share a count; not far enough, each spelling would be ten more guesses.
 */
const foldedName = (name: string): string => name.normalize('NFKD').replaceAll(/[\p{M}\p{C}\s]/gu, '').toUpperCase().toLowerCase().replace(/\.+$/, '');

export type WrongPasswordLimit = ReturnType<typeof wrongPasswordLimit>;

/**
 * Counts wrong passwords by mailbox and by client (`clientNetwork`). A try takes its points **before** the password is looked at, so that however many
 * are tried at once, no more are looked at than the limit allows; a right password, or an answer that says nothing about it, gives them back.
 */
export function wrongPasswordLimit({ config, limiter, metrics }: Pick<Wiring, 'config' | 'limiter' | 'metrics'>) {
  const { wrongPasswordsPerMailbox, wrongPasswordsPerAddress } = config.rateLimit;
  /** Tries of this process that hold a point and are not judged yet, by key; and how many wait for one of them. */
  const underWay = new Map<string, Set<Promise<unknown>>>();
  const waiting = new Map<string, number>();

  /** A point that somebody else holds may come back in a moment: many right log-ins at once are not wrong ones. */
  async function take({ kind, key, limit }: Counted): Promise<void> {
    for (;;) {
      const answer = await limiter.take(key, limit);
      if (answer.taken) return;
      const [others, queue] = [underWay.get(key), waiting.get(key) ?? 0];
      if (others === undefined || queue >= limit.points) {
        metrics.rateLimited(kind);
        throw new ModuleError('RATE_LIMITED', { params: { retryAfterSeconds: Math.max(1, Math.ceil(answer.retryAfterMs / 1000)) } });
      }
      waiting.set(key, queue + 1);
      await Promise.race(others);
      const left = (waiting.get(key) ?? 1) - 1;
      if (left === 0) waiting.delete(key);
      else waiting.set(key, left);
    }
  }

  async function judge<T>(counted: readonly Counted[], work: () => Promise<T>): Promise<T> {
    // Where the count cannot be given back, what came of the work is told all the same.
    const back = async (give: (one: Counted) => Promise<void>): Promise<void> => { await Promise.allSettled(counted.map(give)); };
    try {
      const result = await work();
      await back(({ kind, key }) => (kind === 'mailbox' ? limiter.forget(key) : limiter.giveBack(key)));
      return result;
    } catch (error) {
      const wrong = error instanceof ModuleError && WRONG.has(error.code);
      if (!wrong) await back(({ key }) => limiter.giveBack(key));
      throw error;
    }
  }

  /**
   * Runs `work`, which looks at a password and throws `CURRENT_PASSWORD_WRONG` or `CREDENTIALS_WRONG` where it is wrong. `name` is the
   * mailbox, or the administrator. Throws `RATE_LIMITED` with `retryAfterSeconds` before anything is looked at.
   */
  return async function counted<T>(name: string, ip: string, work: () => Promise<T>, kind: 'mailbox' | 'administrator' = 'mailbox'): Promise<T> {
    const mailbox: Counted = { kind: 'mailbox', key: `${kind} ${foldedName(name)}`, limit: wrongPasswordsPerMailbox };
    const address: Counted = { kind: 'address', key: `address ${clientNetwork(ip)}`, limit: wrongPasswordsPerAddress };
    await take(mailbox);
    await take(address).catch(async (error: unknown) => {
      await limiter.giveBack(mailbox.key);
      throw error;
    });
    const judged = judge([mailbox, address], work);
    const settled = judged.then(() => undefined, () => undefined);
    for (const { key } of [mailbox, address]) underWay.set(key, (underWay.get(key) ?? new Set()).add(settled));
    try {
      return await judged;
    } finally {
      for (const { key } of [mailbox, address]) {
        const others = underWay.get(key);
        others?.delete(settled);
        if (others?.size === 0) underWay.delete(key);
      }
    }
  };
}
