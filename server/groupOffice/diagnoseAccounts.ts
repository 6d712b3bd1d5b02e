import { diagnoseUrl } from '../diagnosis/findings.ts';
import type { CallOptions } from '../ports/accountApi.ts';
import { fail, type Finding, ok, warn } from '../ports/diagnosis.ts';
import { readError } from './accountErrors.ts';
import type { InfoAnswer } from './dropInAnswers.ts';
import type { Credentials, GroupOfficeClient } from './groupOfficeClient.ts';

interface Asked {
  readonly url: string;
  readonly client: GroupOfficeClient;
  readonly service: Credentials;
}

/** The way to Group-Office, the drop-in there, the key and its rights. `more` looks at what one driver needs beside. */
export async function diagnoseAccounts({ url, client, service }: Asked, call: CallOptions, more: (info: InfoAnswer) => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  let info: InfoAnswer | null = null;
  const findings = await diagnoseUrl(url, call.signal, {}, async () => {
    try {
      info = await client.dropIn<InfoAnswer>(service, 'info', {}, call);
    } catch (error) {
      throw readError(error);
    }
  }, 'check url and serviceKey, and run "doctor group-office": it names what is in the way');
  const told = info as InfoAnswer | null;
  if (told === null) return findings;
  return [
    ...findings,
    told.mayManage ? ok('permission', "the service key's user may manage the module mailboxpassword") : fail('permission', "the service key's user lacks the right to manage the module mailboxpassword", 'give it in Group-Office: System settings, Modules'),
    ...await more(told),
  ];
}

/** `maildomains` has to answer, and hold something. */
export async function diagnoseMaildomains(read: <T>(method: string, params: object, call: CallOptions) => Promise<T>, call: CallOptions): Promise<readonly Finding[]> {
  try {
    const { ids } = await read<{ ids: string[] }>('MailDomain/query', { limit: 1 }, call);
    await read('MailBox/query', { limit: 1 }, call);
    return [ids.length === 0 ? warn('mailboxes', 'the module maildomains shows no domain', "make one, or give the service key's user the right to see them") : ok('mailboxes', 'the module maildomains shows domains and mailboxes')];
  } catch (error) {
    return [fail('mailboxes', `the module maildomains: ${readError(error).detail ?? readError(error).code}`, "install the module maildomains, and give the service key's user the right to use it")];
  }
}

/** What its own session says of the key's user. */
export async function diagnoseChangingUsers(client: GroupOfficeClient, service: Credentials, maySet: boolean, call: CallOptions): Promise<readonly Finding[]> {
  if (!maySet) return [ok('set', 'administrators set no passwords (setPassword is off)')];
  const session = await client.session(service, call).catch((error: unknown) => { throw readError(error); });
  const core = session?.capabilities['go:core:core'] as { mayChangeUsers?: unknown } | undefined;
  return [core?.mayChangeUsers === true
    ? ok('set', "administrators may set passwords: the key's user may change users")
    : fail('set', "the service key's user may not change users, so no administrator can set a password", 'give it the right in Group-Office: System settings, Modules, Core; or set setPassword: false')];
}
