import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ModuleError } from '../../module/errors.ts';
import type { AccountApi, CallOptions, ChangeReceipt, DomainQuery, KeptPassword } from '../ports/accountApi.ts';
import type { Secret } from '../secret.ts';
import { type Credentials, GroupOfficeClient, GroupOfficeError } from './groupOfficeClient.ts';

export interface MailRefreshOptions {
  readonly url: string;
  readonly host?: string | null;
  readonly serviceKey: string;
  /** Dovecot delays whom it just refused, and Group-Office asks it before it stores. */
  readonly timeoutMs?: number;
  /** Waits before each further try. The password is held in memory for so long and written nowhere. */
  readonly retryAfterMs?: readonly number[];
}

/**
 * Tells Group-Office a mailbox's new password, of which it keeps a copy for its own mail client. A copy that could not be renewed is no
 * failed change: it is tried again while this process lives, and after that the user's next log-in renews it.
 */
export function createMailRefresher(options: MailRefreshOptions, log: Logger) {
  const { timeoutMs = 15_000, retryAfterMs = [1_000, 5_000, 20_000, 60_000] } = options;
  const client = new GroupOfficeClient(options);
  const service: Credentials = { kind: 'bearer', token: options.serviceKey };
  const closing = new AbortController();
  /** The newest password of each address: an older one is told no more. */
  const newest = new Map<string, Secret>();
  const underWay = new Set<Promise<void>>();

  async function refresh(address: string, next: Secret): Promise<void> {
    for (const delay of [0, ...retryAfterMs]) {
      if (delay > 0) await wait(delay, undefined, { signal: closing.signal });
      if (newest.get(address) !== next) return;
      try {
        const call: CallOptions = { signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), closing.signal]) };
        const answer = await client.dropIn<{ accounts: number }>(service, 'refreshMail', { address, password: next.reveal() }, call);
        return log.info({ address, accounts: answer.accounts }, 'e-mail accounts of Group-Office renewed');
      } catch (error) {
        const reason = error instanceof GroupOfficeError ? error.type : 'unknown';
        log.warn({ address, reason }, 'the e-mail account of Group-Office was not renewed yet');
        // These do not heal by themselves; `doctor group-office` names them.
        if (['unauthorized', 'forbidden', 'serverFail'].includes(reason)) break;
      }
    }
    log.error({ address }, 'the e-mail account of Group-Office was not renewed: mail there shows a log-in error until the user has logged in again');
  }

  return {
    /** Returns at once: the answer to the person must not hang on it. */
    tell(address: string, next: Secret): void {
      newest.set(address, next);
      const job = refresh(address, next)
        .catch(() => { log.warn({ address }, 'stopped before the e-mail account of Group-Office was renewed; the next log-in does it'); })
        .finally(() => {
          underWay.delete(job);
          if (newest.get(address) === next) newest.delete(address);
        });
      underWay.add(job);
    },
    async close(): Promise<void> {
      closing.abort();
      await Promise.all(underWay);
      client.close();
    },
  };
}

/** An account API whose changes are also told to Group-Office. */
export function withMailRefresh(accounts: AccountApi, refresher: ReturnType<typeof createMailRefresher>): AccountApi {
  async function told(address: string, next: Secret, change: Promise<ChangeReceipt>): Promise<ChangeReceipt> {
    try {
      const receipt = await change;
      refresher.tell(address, next);
      return receipt;
    } catch (error) {
      // It may have changed. Group-Office asks the mail server before it stores: the wrong one is refused there.
      if (error instanceof ModuleError && error.code === 'ACCOUNTS_OUTCOME_UNKNOWN') refresher.tell(address, next);
      throw error;
    }
  }

  return {
    abilities: accounts.abilities,
    ...(accounts.requireChange !== undefined && { requireChange: async (address: string, required: boolean, call: CallOptions) => { await accounts.requireChange?.(address, required, call); } }),
    ...(accounts.pageDomains !== undefined && { pageDomains: async (query: DomainQuery, call: CallOptions) => (await accounts.pageDomains?.(query, call)) ?? { domains: [], nextCursor: null } }),
    ...(accounts.storedPassword !== undefined && accounts.restorePassword !== undefined && {
      storedPassword: async (address: string, call: CallOptions) => (await accounts.storedPassword?.(address, call)) ?? null,
      async restorePassword(address: string, kept: KeptPassword, call: CallOptions) {
        await accounts.restorePassword?.(address, kept, call);
        if (kept.typed !== null) refresher.tell(address, kept.typed);
      },
    }),
    find: (address, call) => accounts.find(address, call),
    verifyPassword: (address, password, call) => accounts.verifyPassword(address, password, call),
    changePassword: (address, current, next, call) => told(address, next, accounts.changePassword(address, current, next, call)),
    setPassword: (address, next, call) => told(address, next, accounts.setPassword(address, next, call)),
    passwordVersion: (address, call) => accounts.passwordVersion(address, call),
    listDomains: (search, call) => accounts.listDomains(search, call),
    listMailboxes: (query, call) => accounts.listMailboxes(query, call),
    check: (call) => accounts.check(call),
    close: () => accounts.close(),
  };
}
