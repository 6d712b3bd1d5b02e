import { createHash } from 'node:crypto';
import type { CallOptions } from '../ports/accountApi.ts';
import type { Secret } from '../secret.ts';
import { mayBeName } from './groupOfficeOptions.ts';
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
  if (answer.loginToken !== undefined) await endHalf(client, service, who.address, answer.loginToken, call);
  await forgetLogins(client, service, who.address, call);
  return { right: true, secondFactor: answer.outcome === 'second' };
}

export async function forgetLogins(client: GroupOfficeClient, service: Credentials, address: string, call: CallOptions): Promise<void> {
  // The same work for a name that cannot be: an outsider learns nothing.
  await client.dropIn(service, 'forgetLogins', { address: mayBeName(address) ? address : 'nobody' }, call);
}

/** Half a log-in, which awaits a second factor: it has no access token yet, and would be good for ten minutes. */
export async function endHalf(client: GroupOfficeClient, service: Credentials, address: string, loginToken: string, call: CallOptions): Promise<void> {
  const id = `s-${createHash('sha256').update(loginToken).digest('hex').slice(0, 32)}`;
  await client.dropIn(service, 'end', { address, id }, call);
}
