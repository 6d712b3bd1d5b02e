import { domainOrder } from '../domainsOfSeveral.ts';
import type { AccountApi, CallOptions, DomainPage, DomainQuery } from '../ports/accountApi.ts';

/** Cuts a page out of names that are all there. The cursor is the last name of the page before. */
export function cutDomains(names: Iterable<string>, { search, cursor, limit }: DomainQuery): DomainPage {
  const compare = domainOrder(search);
  const all = [...new Set(names)].filter((name) => name.includes(search)).sort(compare);
  const rest = cursor === null ? all : all.filter((name) => compare(name, cursor) > 0);
  const domains = rest.slice(0, limit);
  return { domains, nextCursor: rest.length > limit ? (domains.at(-1) ?? null) : null };
}

/** A page of domains: from the back end where it can, else cut out of all of them. */
export async function pageOfDomains(accounts: AccountApi, query: DomainQuery, options: CallOptions): Promise<DomainPage> {
  return accounts.pageDomains === undefined ? cutDomains(await accounts.listDomains(query.search, options), query) : accounts.pageDomains(query, options);
}
