import type { Logger } from 'pino';
import type { AccountApi, CallOptions, ChangeReceipt, DomainQuery } from '../ports/accountApi.ts';
import type { Secret } from '../secret.ts';
import { type Credentials, GroupOfficeClient, GroupOfficeError } from './groupOfficeClient.ts';

export interface MailRefreshOptions {
  readonly url: string;
  readonly host?: string | null;
  readonly serviceKey: string;
  /** Dovecot delays whom it just refused, and Group-Office asks it before it stores. */
  readonly timeoutMs?: number;
}

/**
 * An account API whose changes are also told to Group-Office, which keeps a copy of each mailbox password for its own mail
 * client. A copy that could not be renewed is no failed change: the user's next log-in renews it.
 */
export function withMailRefresh(accounts: AccountApi, options: MailRefreshOptions, log: Logger): AccountApi {
  const client = new GroupOfficeClient(options);
  const service: Credentials = { kind: 'bearer', token: options.serviceKey };
  const underWay = new Set<Promise<void>>();

  async function refresh(address: string, next: Secret): Promise<void> {
    try {
      const call: CallOptions = { signal: AbortSignal.timeout(options.timeoutMs ?? 15_000) };
      const answer = await client.dropIn<{ accounts: number }>(service, 'refreshMail', { address, password: next.reveal() }, call);
      log.info({ address, accounts: answer.accounts }, 'e-mail accounts of Group-Office renewed');
    } catch (error) {
      log.warn({ address, reason: error instanceof GroupOfficeError ? error.type : 'unknown' }, 'the e-mail account of Group-Office was not renewed; the next log-in does it');
    }
  }

  /** Not waited for: the answer to the person must not hang on it. */
  function told(address: string, next: Secret, receipt: ChangeReceipt): ChangeReceipt {
    const job = refresh(address, next).finally(() => underWay.delete(job));
    underWay.add(job);
    return receipt;
  }

  return {
    abilities: accounts.abilities,
    ...(accounts.requireChange !== undefined && { requireChange: async (address: string, required: boolean, call: CallOptions) => { await accounts.requireChange?.(address, required, call); } }),
    ...(accounts.pageDomains !== undefined && { pageDomains: async (query: DomainQuery, call: CallOptions) => (await accounts.pageDomains?.(query, call)) ?? { domains: [], nextCursor: null } }),
    find: (address, call) => accounts.find(address, call),
    verifyPassword: (address, password, call) => accounts.verifyPassword(address, password, call),
    changePassword: async (address, current, next, call) => told(address, next, await accounts.changePassword(address, current, next, call)),
    setPassword: async (address, next, call) => told(address, next, await accounts.setPassword(address, next, call)),
    passwordVersion: (address, call) => accounts.passwordVersion(address, call),
    listDomains: (search, call) => accounts.listDomains(search, call),
    listMailboxes: (query, call) => accounts.listMailboxes(query, call),
    check: (call) => accounts.check(call),
    async close() {
      await Promise.all(underWay);
      client.close();
      await accounts.close();
    },
  };
}
