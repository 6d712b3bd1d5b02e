import type { Logger } from 'pino';
import { ModuleError } from '../../module/errors.ts';
import { normalizePassword } from '../../module/policy/normalizePassword.ts';
import { type AccountApi, type CallOptions, NotVerifiable } from '../ports/accountApi.ts';
import { Secret } from '../secret.ts';

/** As typed on the keyboard in its one form; an older system may have stored another, so the raw form counts too. */
export async function verifyTyped(typed: string, address: string, accounts: Pick<AccountApi, 'verifyPassword'>, options: () => CallOptions): Promise<Secret | null> {
  for (const form of new Set([normalizePassword(typed), typed])) {
    const secret = new Secret(form);
    if (await accounts.verifyPassword(address, secret, options())) return secret;
  }
  return null;
}

/** What is said of one mailbox: whoever is told it knows that the mailbox is there. */
const tellsOfMailbox = (error: unknown): error is ModuleError => error instanceof ModuleError && (error.code.startsWith('ACCOUNT_') || error.cause instanceof NotVerifiable);

/**
 * For somebody who is not known yet: that this mailbox cannot log in, through no fault of its owner, is a wrong password to a stranger (I7), and
 * an error in the log for the operator.
 */
export const forStrangers = (accounts: AccountApi, log: Logger, requestId: string): Pick<AccountApi, 'verifyPassword'> => ({
  verifyPassword: (address, password, options) => accounts.verifyPassword(address, password, options).catch((error: unknown) => {
    if (!tellsOfMailbox(error)) throw error;
    log.error({ requestId, address, code: error.code, detail: error.detail }, 'this mailbox cannot log in to the User Panel, whatever the password; to people it is a wrong one');
    return false;
  }),
});
