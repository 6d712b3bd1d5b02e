import { ModuleError } from '../module/errors.ts';
import { domainsOfSeveral } from './domainsOfSeveral.ts';
import type { AccountApi } from './ports/accountApi.ts';
import type { Secret } from './secret.ts';

export interface AccountRoute {
  /** Lower case; `*` takes what no other route names. */
  readonly domains: readonly string[];
  readonly api: AccountApi;
}

const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1).toLowerCase();

/** One account API in front of several: the mailbox's domain decides. A domain that no route names is nobody's. */
export function accountsByDomain(routes: readonly AccountRoute[]): AccountApi {
  const [first] = routes;
  if (first === undefined) throw new ModuleError('ACCOUNTS_MISCONFIGURED');
  if (routes.length === 1 && first.domains.includes('*')) return first.api;
  const byDomain = new Map(routes.flatMap(({ domains, api }) => domains.map((domain): [string, AccountApi] => [domain, api])));
  const named = (domain: string): AccountApi | undefined => byDomain.get(domain.toLowerCase()) ?? byDomain.get('*');
  const route = (address: string): AccountApi | undefined => (address.includes('@') ? named(domainOf(address)) : undefined);
  const apis = routes.map(({ api }) => api);
  const sources = routes.map(({ domains, api }) => ({ api, named: domains.filter((domain) => domain !== '*'), takesRest: domains.includes('*') }));
  const isOwn = (api: AccountApi, domain: string): boolean => named(domain) === api;
  const limits = apis.flatMap(({ abilities }) => (abilities.maxPasswordBytes === null ? [] : [abilities.maxPasswordBytes]));
  /** The same work as for a mailbox (I7). */
  const nobody = async (password: Secret, call: Parameters<AccountApi['find']>[1]): Promise<false> => {
    await first.api.verifyPassword('nobody@invalid', password, call);
    return false;
  };

  return {
    // What one of them cannot do it refuses itself, with a code.
    abilities: {
      verifyPassword: apis.some(({ abilities }) => abilities.verifyPassword),
      changePassword: apis.some(({ abilities }) => abilities.changePassword),
      setPassword: apis.some(({ abilities }) => abilities.setPassword),
      listDomains: apis.some(({ abilities }) => abilities.listDomains),
      listMailboxes: apis.some(({ abilities }) => abilities.listMailboxes),
      requireChange: apis.some(({ abilities }) => abilities.requireChange === true),
      provesByVersion: apis.some(({ abilities }) => abilities.provesByVersion === true),
      maxPasswordBytes: limits.length === 0 ? null : Math.min(...limits),
    },
    async find(address, call) { return (await route(address)?.find(address, call)) ?? null; },
    async verifyPassword(address, password, call) { return route(address)?.verifyPassword(address, password, call) ?? nobody(password, call); },
    async changePassword(address, current, next, call) {
      const api = route(address);
      if (api !== undefined) return api.changePassword(address, current, next, call);
      await nobody(current, call);
      throw new ModuleError('CURRENT_PASSWORD_WRONG');
    },
    async setPassword(address, next, call) {
      const api = route(address);
      if (api === undefined) throw new ModuleError('ACCOUNT_NOT_FOUND');
      if (call.requireChange === true && api.abilities.requireChange !== true) throw new ModuleError('OPERATION_NOT_SUPPORTED');
      return api.setPassword(address, next, call);
    },
    async requireChange(address, required, call) {
      const api = route(address);
      if (api === undefined) throw new ModuleError('ACCOUNT_NOT_FOUND');
      if (api.requireChange === undefined) throw new ModuleError('OPERATION_NOT_SUPPORTED');
      await api.requireChange(address, required, call);
    },
    async passwordVersion(address, call) { return (await route(address)?.passwordVersion(address, call)) ?? null; },
    async storedPassword(address, call) { return (await route(address)?.storedPassword?.(address, call)) ?? null; },
    async restorePassword(address, kept, call) {
      const api = route(address);
      if (api?.restorePassword === undefined) throw new ModuleError('OPERATION_NOT_SUPPORTED');
      await api.restorePassword(address, kept, call);
    },
    async listDomains(search, call) {
      const lists = await Promise.all(sources.map(async ({ named: wanted, api }) => {
        // A driver that cannot list still has the domains that the configuration names.
        const told = api.abilities.listDomains ? await api.listDomains(search, call) : wanted.filter((domain) => domain.includes(search.toLowerCase()));
        return told.filter((domain) => isOwn(api, domain));
      }));
      return [...new Set(lists.flat())].sort();
    },
    pageDomains: (query, call) => domainsOfSeveral(sources, query, call, isOwn),
    async listMailboxes(query, call) {
      return (await named(query.domain)?.listMailboxes(query, call)) ?? { mailboxes: [], nextCursor: null };
    },
    async check(call) { await Promise.all(apis.map((api) => api.check(call))); },
    async close() { await Promise.all(apis.map((api) => api.close())); },
  };
}
