import type { CallOptions } from '../ports/accountApi.ts';
import type { Secret } from '../secret.ts';
import { createHash } from 'node:crypto';
import type { Credentials, GroupOfficeClient } from './groupOfficeClient.ts';

export interface VerifiedLogin {
  readonly right: boolean;
  /** True where the password is right and Group-Office asks for a second factor before it lets anybody in. */
  readonly secondFactor: boolean;
}

/**
 * Whether Group-Office lets somebody in with this password, asked by a real log-in whose session is dropped at once.
 *
 * Group-Office keeps a successful log-in for 60 seconds under the password itself and would go on to say yes to the old
 * one after a change: what it keeps for this user is forgotten before and after.
 */
export async function verifyByLogin(
  client: GroupOfficeClient,
  service: Credentials,
  who: { readonly address: string; readonly username: string },
  password: Secret,
  call: CallOptions,
): Promise<VerifiedLogin> {
  await forgetLogins(client, service, who.address, call);
  const answer = await client.login(who.username, password.reveal(), call);
  if (answer.outcome === 'wrong' || answer.outcome === 'disabled') return { right: false, secondFactor: false };
  if (answer.accessToken !== undefined) await client.drop(answer.accessToken, call);
  if (answer.loginToken !== undefined) {
    // Half a log-in: it has no access token yet, and would be good for ten minutes.
    const id = `s-${createHash('sha256').update(answer.loginToken).digest('hex').slice(0, 32)}`;
    await client.dropIn(service, 'end', { address: who.address, id }, call);
  }
  await forgetLogins(client, service, who.address, call);
  return { right: true, secondFactor: answer.outcome === 'second' };
}

export async function forgetLogins(client: GroupOfficeClient, service: Credentials, address: string, call: CallOptions): Promise<void> {
  await client.dropIn(service, 'forgetLogins', { address }, call);
}
