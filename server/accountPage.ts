import { foldedAddress } from './addressForm.ts';
import type { Account, MailboxPage, MailboxQuery } from './ports/accountApi.ts';

/** What a list holds of a mailbox: at least its address, as the back end spells it. */
interface Listed {
  readonly address: string;
}

const textOf = (cursor: string | null): string => (cursor === null ? '' : Buffer.from(cursor, 'base64url').toString('utf8'));

/** All that fit, given in any order, by address; of two by one name the first counts. */
export function byAddress<T extends Listed>(fitting: Iterable<T>, { cursor }: Pick<MailboxQuery, 'cursor'> = { cursor: null }): readonly T[] {
  const after = textOf(cursor);
  const named = new Map<string, T>();
  for (const one of fitting) {
    const name = foldedAddress(one.address);
    if (name > after && !named.has(name)) named.set(name, one);
  }
  return [...named].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, one]) => one);
}

/** The page behind the cursor of a list that is in the order of {@link byAddress}. */
export function pageOf<T extends Listed>(sorted: readonly T[], { cursor, limit }: Pick<MailboxQuery, 'cursor' | 'limit'>): { readonly page: readonly T[]; readonly nextCursor: string | null } {
  const after = textOf(cursor);
  // Halving: of 20,000 names all but 15 are left alone.
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (foldedAddress(sorted[middle]?.address ?? '') > after) to = middle;
    else from = middle + 1;
  }
  const page = sorted.slice(from, from + limit);
  const last = page.at(-1);
  return { page, nextCursor: from + page.length < sorted.length && last !== undefined ? Buffer.from(foldedAddress(last.address)).toString('base64url') : null };
}

/** The page behind the cursor of all that fit, in any order, by address; for a back end that tells them all at once. */
export function accountPage(fitting: Iterable<Account>, query: Pick<MailboxQuery, 'cursor' | 'limit'>): MailboxPage {
  const { page, nextCursor } = pageOf(byAddress(fitting, query), query);
  return { mailboxes: page, nextCursor };
}
