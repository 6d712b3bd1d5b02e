import { array, object, string } from 'yup';
import { ModuleError } from '../../../module/errors.ts';
import { urlEndpoints } from '../../diagnosis/tlsEndpoints.ts';
import { type Credentials, GroupOfficeClient, GroupOfficeError, headerSafe } from '../../groupOffice/groupOfficeClient.ts';
import type { InfoAnswer } from '../../groupOffice/dropInAnswers.ts';
import { host as hostOption, url } from '../../groupOffice/groupOfficeOptions.ts';
import type { CallOptions } from '../../ports/accountApi.ts';
import type { Actor, HostAdministrator, HostIdentity, IdentityRequest } from '../../ports/hostIdentity.ts';
import { defineHostDriver } from '../defineDriver.ts';

/** Names of Group-Office's authenticators as directories of the port. */
const DIRECTORIES: Readonly<Record<string, string>> = { password: 'local' };
const SECOND_FACTORS = new Set(['otpauthenticator', 'googleauthenticator']);

/** Group-Office's own log-in session, asked over JMAP with the forwarded cookie. */
export default defineHostDriver({
  name: 'groupOffice',
  summary: 'Group-Office: the session of its webmail, with the drop-in installed.',
  options: object({
    url,
    host: hostOption,
    localDomains: array(string().lowercase().required())
      .meta({ description: "Domains whose addresses are kept in Group-Office itself: only there a local user's e-mail field names a mailbox", example: ['example.com'] }),
    administratorDomains: array(string().lowercase().required())
      .default([])
      .meta({ description: "Lets Group-Office's system administrators into the Admin Panel with their own log-in, for the mailboxes of these domains; ['*'] = all; empty = no", example: ['*'] }),
  }).noUnknown(),
  async create(options): Promise<HostIdentity> {
    const client = new GroupOfficeClient(options);
    const localDomains = new Set(options.localDomains ?? []);
    const { administratorDomains = [] } = options;

    /** Null where nobody is logged in; `CSRF_TOKEN_INVALID` where somebody is and the token is not theirs. */
    async function ask(credentials: Extract<Credentials, { kind: 'session' }>, reads: boolean, call: CallOptions): Promise<{ info: InfoAnswer; csrfToken: string } | null> {
      let { csrfToken } = credentials;
      if (reads && csrfToken === undefined) {
        const session = await client.session(credentials, call);
        if (session === null) return null;
        csrfToken = session.CSRFToken;
      }
      if (csrfToken !== undefined) {
        try {
          return { info: await client.dropIn<InfoAnswer>({ ...credentials, csrfToken }, 'info', {}, call), csrfToken };
        } catch (error) {
          if (!(error instanceof GroupOfficeError) || error.type !== 'unauthorized') throw error;
        }
      }
      // Group-Office says "unauthorized" for a dead session and for a wrong CSRF token alike: a GET tells them apart.
      if ((await client.session(credentials, call)) === null) return null;
      if (reads) return ask({ ...credentials, csrfToken: undefined }, reads, call);
      throw new ModuleError('CSRF_TOKEN_INVALID');
    }

    /** What Group-Office says of the caller; null where nobody is logged in. */
    async function whoCalls(request: IdentityRequest, reads: boolean, csrfToken: string | undefined, call: CallOptions) {
      const accessToken = headerSafe(request.cookies.accessToken);
      if (accessToken === undefined || /[;,"\\]/.test(accessToken)) return null;
      const answer = await ask({ kind: 'session', accessToken, csrfToken, forward: forwarded(request) }, reads, call).catch((error: unknown) => { throw coded(error); });
      return answer === null ? null : { ...answer, accessToken };
    }

    return {
      tls: urlEndpoints(options.url),
      async authenticate(request, call) {
        const reads = request.method === 'GET' || request.method === 'HEAD';
        const caller = await whoCalls(request, reads, headerSafe(request.headers['x-csrf-token']), call);
        return caller === null ? null : toActor(caller.info, request, caller.accessToken, caller.csrfToken, localDomains);
      },
      ...(administratorDomains.length > 0 && {
        async administrator(request: IdentityRequest, call: CallOptions): Promise<HostAdministrator | null> {
          // The token of the request is the panel's own, which Group-Office does not know.
          const user = (await whoCalls(request, true, undefined, call))?.info.user ?? null;
          if (user === null || !user.enabled || !user.isAdmin) return null;
          return { name: user.username, domains: administratorDomains.includes('*') ? null : administratorDomains };
        },
      }),
      clearedCookies: () => ['accessToken', 'goRememberMe', 'groupoffice'].map((name) => `${name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax`),
      async check(call) {
        try {
          await client.dropIn({ kind: 'nobody' }, 'info', {}, call);
        } catch (error) {
          // The folder is there and asks who is calling: all that can be known without a session.
          if (error instanceof GroupOfficeError && error.type === 'unauthorized') return;
          throw coded(error);
        }
        throw new ModuleError('HOST_UNAVAILABLE', { detail: 'Group-Office answered somebody who is not logged in' });
      },
      close() {
        client.close();
        return Promise.resolve();
      },
    };
  },
});

function forwarded({ headers, remoteAddress }: IdentityRequest) {
  const userAgent = headers['user-agent']?.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 512);
  const host = headers.host !== undefined && /^[a-z0-9.:[\]-]{1,255}$/i.test(headers.host) ? headers.host : undefined;
  return { host, userAgent, remoteAddress };
}

/**
 * The mailbox of a Group-Office user. The user name of somebody who logs in by IMAP or LDAP is what that server knows; a local
 * user's name and e-mail field can be rewritten by the user, so they name a mailbox only in the domains that are kept in
 * Group-Office, where they are unique: else a local user could take the name of somebody's mailbox elsewhere.
 */
function toActor(info: InfoAnswer, request: IdentityRequest, accessToken: string, csrfToken: string, localDomains: ReadonlySet<string>): Actor {
  const { user } = info;
  if (user === null) throw new ModuleError('HOST_UNAVAILABLE', { detail: 'the drop-in does not know the caller' });
  const opened = info.passedAuthenticators.find((name) => !SECOND_FACTORS.has(name));
  const authenticator = opened ?? user.authenticators.find((name) => !SECOND_FACTORS.has(name)) ?? 'password';
  const directory = DIRECTORIES[authenticator] ?? authenticator;
  const candidates = directory === 'local' ? [user.username, user.email].filter((name) => localDomains.has(domainOf(name))) : [user.username, user.email];
  const address = candidates.find((name) => domainOf(name) !== '');
  if (address === undefined) {
    throw new ModuleError('ACCOUNT_NOT_CHANGEABLE', { detail: `user ${user.id} (${directory}) has no address in a domain that this host may name` });
  }
  const { host, userAgent } = forwarded(request);
  const phpSession = headerSafe(request.cookies.groupoffice);
  return {
    kind: 'owner',
    address,
    sessionId: info.sessionId,
    directory,
    userId: user.id,
    forwarded: {
      accessToken,
      csrfToken,
      remoteAddress: request.remoteAddress,
      ...(host === undefined ? {} : { host }),
      ...(userAgent === undefined ? {} : { userAgent }),
      ...(phpSession === undefined ? {} : { phpSession }),
    },
  };
}

function domainOf(name: string): string {
  const at = name.lastIndexOf('@');
  return at < 1 ? '' : name.slice(at + 1).toLowerCase();
}

function coded(error: unknown): ModuleError {
  if (error instanceof ModuleError) return error;
  if (error instanceof GroupOfficeError && error.type === 'forbidden') return new ModuleError('FORBIDDEN', { detail: error.message, cause: error });
  return new ModuleError('HOST_UNAVAILABLE', { detail: error instanceof GroupOfficeError ? error.message : 'no answer', cause: error });
}
