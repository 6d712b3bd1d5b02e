import type { AccountApi, CallOptions } from '../ports/accountApi.ts';
import type { MailboxTurns } from '../ports/mailboxTurns.ts';

/** What tells that the password is still the same: the back end's version, else the mark of the last change that this module made. */
export async function passwordVersionOf(address: string, { accounts, turns }: { readonly accounts: AccountApi; readonly turns: MailboxTurns }, options: CallOptions): Promise<string> {
  return (await accounts.passwordVersion(address, options)) ?? turns.mark(address);
}
