import { object } from 'yup';
import { ModuleError } from '../../../module/errors.ts';
import type { EndAllAnswer, InfoAnswer, ListAnswer } from '../../groupOffice/dropInAnswers.ts';
import { type Credentials, GroupOfficeClient, GroupOfficeError } from '../../groupOffice/groupOfficeClient.ts';
import { host, serviceKey, url } from '../../groupOffice/groupOfficeOptions.ts';
import type { CallOptions } from '../../ports/accountApi.ts';
import type { Actor } from '../../ports/hostIdentity.ts';
import type { SessionStore } from '../../ports/sessionStore.ts';
import { defineSessionDriver } from '../defineDriver.ts';

/** For how long a measured difference of the clocks is believed. */
const SKEW_VALID_MS = 60_000;

/** Web sessions of Group-Office, ended inside its own PHP by the drop-in: its tokens live in PHP's cache. */
export default defineSessionDriver({
  name: 'groupOffice',
  summary: "Group-Office's web sessions, remember-me cookies and cached log-ins, through the drop-in.",
  options: object({ url, host: host.default(null), serviceKey }).noUnknown(),
  async create(options, { name, clock, log }): Promise<SessionStore> {
    const client = new GroupOfficeClient(options);
    const service: Credentials = { kind: 'bearer', token: options.serviceKey };

    async function ask<T>(method: string, params: object, call: CallOptions, credentials: Credentials = service): Promise<T> {
      try {
        return await client.dropIn<T>(credentials, method, params, call);
      } catch (error) {
        throw coded(error);
      }
    }

    let measured: { readonly at: number; readonly skew: number } | null = null;

    /** How far Group-Office's clock is ahead of the module's, in ms; 0 where the answer's own travel time explains it. */
    async function skew(credentials: Credentials, call: CallOptions): Promise<number> {
      const before = clock.now();
      if (measured !== null && before - measured.at < SKEW_VALID_MS && before >= measured.at) return measured.skew;
      const { now } = await ask<InfoAnswer>('info', {}, call, credentials);
      const after = clock.now();
      const ahead = now > after ? now - after : now < before ? now - before : 0;
      if (Math.abs(ahead) > 1_000) log.warn({ store: name, skewMs: Math.round(ahead) }, "Group-Office's clock and ours differ");
      measured = { at: after, skew: ahead };
      return ahead;
    }

    async function endAllAs(credentials: Credentials, params: { address?: string; issuedBefore: number }, call: CallOptions): Promise<EndAllAnswer> {
      const issuedBefore = Math.ceil(params.issuedBefore + (await skew(credentials, call)));
      return ask<EndAllAnswer>('endAll', { ...params, issuedBefore }, call, credentials);
    }

    /** By the caller's own session where there is one: it works where the service key was lost or never made. */
    async function endAll(address: string, issuedBefore: number, actor: Actor | null, call: CallOptions): Promise<EndAllAnswer> {
      const own = actor === null || actor.address !== address ? null : ownSession(actor);
      if (own !== null) {
        try {
          return await endAllAs(own, { issuedBefore }, call);
        } catch (error) {
          // Logged out meanwhile, or the right withdrawn: the service key may still.
          if (!(error instanceof ModuleError) || error.code !== 'SESSIONS_MISCONFIGURED') throw error;
          log.warn({ store: name }, 'ending the sessions as the user was refused; trying with the service key');
        }
      }
      return endAllAs(service, { address, issuedBefore }, call);
    }

    return {
      name,
      channels: ['web'],
      async list(address, call) {
        const { sessions } = await ask<ListAnswer>('list', { address }, call);
        const open = new Set(sessions.filter(({ kind }) => kind !== 'remembered').map(({ clientId }) => clientId));
        return sessions
          // A browser that is logged in and remembered is one place; ending it forgets the cookie as well.
          .filter(({ kind, clientId }) => kind !== 'remembered' || !open.has(clientId))
          .map((session) => ({
            id: session.id,
            channel: 'web' as const,
            client: session.userAgent ?? session.client,
            remoteAddress: session.remoteAddress,
            issuedAt: session.issuedAt,
            lastSeenAt: session.lastSeenAt,
          }));
      },
      async revoke(address, id, call) {
        if (!/^[sr]-[0-9a-f]{32}$/.test(id)) return false;
        return (await ask<{ ended: number }>('end', { address, id }, call)).ended > 0;
      },
      async revokeAll({ address, issuedBefore, attempt, actor }, call) {
        const answer = await endAll(address, issuedBefore, attempt === 1 ? actor : null, call);
        const { sessions, cachedSessions, rememberedAlone } = answer.ended;
        if (answer.kept.apiKeys > 0) log.info({ store: name, apiKeys: answer.kept.apiKeys }, 'API keys of the user were left alive');
        return { revoked: { web: sessions + cachedSessions + rememberedAlone } };
      },
      async check(call) {
        const info = await ask<InfoAnswer>('info', {}, call);
        if (info.version !== 1) throw new ModuleError('SESSIONS_MISCONFIGURED', { detail: `the drop-in speaks version ${String(info.version)}, this service 1` });
        if (!info.mayManage) throw new ModuleError('SESSIONS_MISCONFIGURED', { detail: "the service key's user lacks the module's manage right" });
      },
      close() {
        client.close();
        return Promise.resolve();
      },
    };
  },
});

function ownSession({ forwarded }: Actor): Credentials | null {
  const { accessToken, csrfToken, phpSession, host: forwardedHost, userAgent, remoteAddress } = forwarded ?? {};
  if (accessToken === undefined || csrfToken === undefined) return null;
  return { kind: 'session', accessToken, csrfToken, phpSession, forward: { host: forwardedHost, userAgent, remoteAddress } };
}

/** Refusals do not heal by themselves; everything else may. */
function coded(error: unknown): ModuleError {
  if (!(error instanceof GroupOfficeError)) return new ModuleError('SESSIONS_UNAVAILABLE', { cause: error });
  const lasting = error.kind === 'refused' && ['unauthorized', 'forbidden', 'serverFail', 'invalidArguments'].includes(error.type);
  return new ModuleError(lasting ? 'SESSIONS_MISCONFIGURED' : 'SESSIONS_UNAVAILABLE', { detail: error.message, cause: error });
}
