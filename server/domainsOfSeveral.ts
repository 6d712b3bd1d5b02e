import { ModuleError } from '../module/errors.ts';
import type { AccountApi, CallOptions, DomainPage, DomainQuery } from './ports/accountApi.ts';

/** One account API among several, with the domains that are its own. */
export interface DomainSource {
  readonly api: AccountApi;
  /** Named in the configuration, lower case. */
  readonly named: readonly string[];
  /** Whether it also has what no other names: one of them at most. */
  readonly takesRest: boolean;
}

/** Names that begin with what is searched for come first, each part in alphabetical order: the order in which account APIs page. */
export const domainOrder = (search: string) => (left: string, right: string): number =>
  Number(right.startsWith(search)) - Number(left.startsWith(search)) || (left < right ? -1 : Number(left > right));

/** The names of a source that cannot page, or that has only a few. */
async function allOf({ api, named, takesRest }: DomainSource, { search }: DomainQuery, call: CallOptions, isOwn: (api: AccountApi, domain: string) => boolean): Promise<readonly string[]> {
  const wanted = named.filter((domain) => domain.includes(search));
  // A driver that cannot list still has the domains that the configuration names.
  if (!api.abilities.listDomains) return wanted;
  if (api.pageDomains === undefined || takesRest) return (await api.listDomains(search, call)).filter((domain) => isOwn(api, domain));
  // Asked for by name: it may have thousands of others. The name itself comes before all that begin with it.
  const told = await Promise.all(wanted.map(async (domain) => (await api.pageDomains?.({ search: domain, cursor: null, limit: 1 }, call))?.domains[0] === domain));
  return wanted.filter((_, index) => told[index]);
}

/** Pages of the one that has many that may pass without a name of its own, in one call. */
const EMPTY_PAGES = 3;

/** Where the list goes on. */
interface Position {
  /** The last name that the configuration knew; null = none yet. */
  readonly named: string | null;
  /** Of the one that has the rest: its own cursor, and the last name taken from that page; null = it has no more. */
  readonly rest: readonly [cursor: string | null, after: string | null] | null;
}

const seal = ({ named, rest }: Position): string => Buffer.from(JSON.stringify([named, rest])).toString('base64url');

/** A cursor comes from outside: what is not of this form is refused. */
function open(cursor: string): Position {
  const isText = (value: unknown): value is string | null => value === null || (typeof value === 'string' && value.length <= 1024);
  try {
    const told: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const [named, rest] = (Array.isArray(told) && told.length === 2 ? told : [0]) as [unknown, unknown];
    const [ofRest, after] = (Array.isArray(rest) && rest.length === 2 ? rest : [0]) as [unknown, unknown];
    if (isText(named) && rest === null) return { named, rest };
    if (isText(named) && isText(ofRest) && isText(after)) return { named, rest: [ofRest, after] };
  } catch {
    // Refused below.
  }
  throw new ModuleError('REQUEST_INVALID', { detail: 'the cursor is none of this list' });
}

/**
 * A page of the domains of several account APIs, merged in order. Of the one that has the rest only its own pages are asked for. A page may
 * be short, or empty, and still have a next one.
 */
export async function domainsOfSeveral(sources: readonly DomainSource[], query: DomainQuery, call: CallOptions, isOwn: (api: AccountApi, domain: string) => boolean): Promise<DomainPage> {
  const { search, limit } = query;
  const compare = domainOrder(search);
  const paged = sources.find(({ api, takesRest }) => takesRest && api.pageDomains !== undefined);
  const position = query.cursor === null ? { named: null, rest: paged === undefined ? null : [null, null] as const } : open(query.cursor);
  const lists = await Promise.all(sources.filter((source) => source !== paged).map((source) => allOf(source, query, call, isOwn)));
  const named = [...new Set(lists.flat())].sort(compare).filter((domain) => position.named === null || compare(domain, position.named) > 0);
  const domains: string[] = [];
  let at: Position = position;
  const takeNamed = (): void => {
    const [next = ''] = named.splice(0, 1);
    domains.push(next);
    at = { ...at, named: next };
  };

  for (let pages = 0; pages < EMPTY_PAGES && domains.length === 0 && at.rest !== null; pages += 1) {
    const [cursor, after] = at.rest;
    const page = await paged?.api.pageDomains?.({ search, cursor, limit }, call) ?? { domains: [], nextCursor: null };
    const seen = after === null ? -1 : page.domains.indexOf(after);
    const left = page.domains.filter((domain, index) => index > seen && (seen >= 0 || after === null || compare(domain, after) > 0) && isOwn(paged?.api as AccountApi, domain));
    while (domains.length < limit && left.length > 0) {
      const [head = ''] = left;
      if (named[0] !== undefined && compare(named[0], head) < 0) takeNamed();
      else {
        domains.push(head);
        left.shift();
        at = { ...at, rest: [cursor, head] };
      }
    }
    if (left.length > 0) break;
    at = { ...at, rest: page.nextCursor === null ? null : [page.nextCursor, null] };
    // Its next name is not known yet: what begins so comes before it in any case, once a page had none that does.
    while (at.rest !== null && domains.length < limit && named[0]?.startsWith(search) === true && page.domains.length < limit) takeNamed();
  }
  while (at.rest === null && domains.length < limit && named.length > 0) takeNamed();
  return { domains, nextCursor: at.rest === null && named.length === 0 ? null : seal(at) };
}
