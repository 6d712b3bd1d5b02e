import { normalizePassword } from '../../module/policy/normalizePassword.ts';
import type { AccountApi, CallOptions } from '../ports/accountApi.ts';
import { Secret } from '../secret.ts';

/** As typed on the keyboard in its one form; an older system may have stored another, so the raw form counts too. */
export async function verifyTyped(typed: string, address: string, accounts: AccountApi, options: () => CallOptions): Promise<Secret | null> {
  for (const form of new Set([normalizePassword(typed), typed])) {
    const secret = new Secret(form);
    if (await accounts.verifyPassword(address, secret, options())) return secret;
  }
  return null;
}
