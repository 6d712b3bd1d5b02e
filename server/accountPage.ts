import { foldedAddress } from './addressForm.ts';
import type { Account, MailboxPage, MailboxQuery } from './ports/accountApi.ts';

/** The page behind the cursor of all that fit, in any order, by address; for a back end that tells them all at once. Of two by one name the first counts. */
export function accountPage(fitting: Iterable<Account>, { cursor, limit }: Pick<MailboxQuery, 'cursor' | 'limit'>): MailboxPage {
  const after = cursor === null ? '' : Buffer.from(cursor, 'base64url').toString('utf8');
  const rest = new Map<string, Account>();
  for (const account of fitting) {
    const name = foldedAddress(account.address);
    if (name > after && !rest.has(name)) rest.set(name, account);
  }
  const page = [...rest].sort(([left], [right]) => (left < right ? -1 : 1)).slice(0, limit);
  const last = page.at(-1)?.[0];
  return { mailboxes: page.map(([, account]) => account), nextCursor: rest.size > page.length && last !== undefined ? Buffer.from(last).toString('base64url') : null };
}
