import { setTimeout as wait } from 'node:timers/promises';
import { number, object, string } from 'yup';
import { ModuleError } from '../../../module/errors.ts';
import type { EndAllAnswer, InfoAnswer, ListAnswer } from '../../groupOffice/dropInAnswers.ts';
import { clockAhead, readClock } from '../../diagnosis/clockReading.ts';
import { urlEndpoints } from '../../diagnosis/tlsEndpoints.ts';
import { type Credentials, GroupOfficeClient, GroupOfficeError } from '../../groupOffice/groupOfficeClient.ts';
import { host, mayBeName, serviceKey, url } from '../../groupOffice/groupOfficeOptions.ts';
import { clockFinding, urlTlsFinding } from '../../diagnosis/findings.ts';
import { doctorGroupOffice } from '../../groupOffice/doctor.ts';
import type { CallOptions } from '../../ports/accountApi.ts';
import { type Finding, ok } from '../../ports/diagnosis.ts';
import type { Actor } from '../../ports/hostIdentity.ts';
import type { SessionStore } from '../../ports/sessionStore.ts';
import { defineSessionDriver } from '../defineDriver.ts';

/** For how long a measured difference of the clocks is believed. */
const SKEW_VALID_MS = 60_000;
/** Group-Office repeats a successful log-in from its cache for so long. */
const LOGIN_CACHE_MS = 60_000;
/** Later than any token: the end of the year 9999. */
const EVERYTHING = Date.UTC(9999, 11, 31);
const MOST_LOOKS = 8;
const LEVELS = { ok: 'ok', warning: 'warn', problem: 'fail' } as const;

/** Web sessions of Group-Office, ended inside its own PHP by the drop-in: its tokens live in PHP's cache. */
export default defineSessionDriver({
  name: 'groupOffice',
  summary: "Group-Office's web sessions, remember-me cookies and cached log-ins, through the drop-in.",
  options: object({
    url,
    host,
    serviceKey,
    secondPassMs: number().integer().min(0).max(5000)
      .meta({ description: 'After how long it is looked again for log-ins that were under way, until none is found; longer than a log-in takes; 0 = not', example: 400 }),
    sessionsDuringOutage: string().oneOf(['keep', 'end'] as const).meta({
      description: 'Sessions opened within the minute after the change while Group-Office could not be asked and its cache may still have taken the old password', example: 'keep',
    }),
  }).noUnknown(),
  async create(options, { name, clock, log }): Promise<SessionStore> {
    const client = new GroupOfficeClient(options);
    const service: Credentials = { kind: 'bearer', token: options.serviceKey };
    const secondPassMs = options.secondPassMs ?? 400;

    async function ask<T>(method: string, params: object, call: CallOptions, credentials: Credentials = service): Promise<T> {
      try {
        return await client.dropIn<T>(credentials, method, params, call);
      } catch (error) {
        throw coded(error);
      }
    }

    let measured: { readonly at: number; readonly skew: number } | null = null;

    /** How far Group-Office's clock is ahead of the module's, in ms; 0 where the answer's own travel time explains it. */
    async function skew(call: CallOptions): Promise<number> {
      const before = clock.now();
      if (measured !== null && before - measured.at < SKEW_VALID_MS && before >= measured.at) return measured.skew;
      const reading = await readClock(() => ask<InfoAnswer>('info', {}, call), clock);
      const ahead = clockAhead(reading);
      if (Math.abs(ahead) > 1_000) log.warn({ store: name, skewMs: Math.round(ahead) }, "Group-Office's clock and ours differ");
      measured = { at: reading.after, skew: ahead };
      return ahead;
    }

    /** By the caller's own session where there is one: it works where the service key was lost or never made. */
    async function endAll(address: string, issuedBefore: number, own: Credentials | null, call: CallOptions): Promise<EndAllAnswer> {
      if (own !== null) {
        try {
          return await ask<EndAllAnswer>('endAll', { issuedBefore }, call, own);
        } catch (error) {
          // Logged out meanwhile, or the right withdrawn: the service key may still.
          if (!(error instanceof ModuleError) || error.code !== 'SESSIONS_MISCONFIGURED') throw error;
          log.warn({ store: name }, 'ending the sessions as the user was refused; trying with the service key');
        }
      }
      return ask<EndAllAnswer>('endAll', { address, issuedBefore }, call);
    }

    /**
     * Ends, waits, looks again, until a look finds nothing. A request that was under way at the first look may still bring a session:
     * a log-in whose (old) password was right a moment ago fills the cache of log-ins, the cache lets the next one in, a
     * remember-me cookie becomes a session, a session that is read puts itself back into the cache.
     */
    async function untilNothingIsLeft(address: string, issuedBefore: number, own: Credentials | null, call: CallOptions): Promise<number> {
      let web = 0;
      for (let look = 1; look <= MOST_LOOKS; look++) {
        if (look > 1) await wait(secondPassMs, undefined, { signal: call.signal }).catch((cause: unknown) => { throw new ModuleError('SESSIONS_UNAVAILABLE', { cause }); });
        // The first look ends the caller's own session with the others.
        const { ended, kept } = await endAll(address, issuedBefore, look === 1 ? own : null, call);
        web += ended.sessions + ended.cachedSessions + ended.rememberedAlone;
        if (look === 1 && kept.apiKeys > 0) log.info({ store: name, apiKeys: kept.apiKeys }, 'API keys of the user were left alive');
        // From the third look on a log-in in the cache is one of the new password: what was under way has come to its end.
        const found = ended.sessions + ended.remembered + ended.cachedSessions + (look < 3 ? ended.cachedLogins : 0);
        if (secondPassMs === 0 || (look > 1 && found === 0)) return web;
      }
      throw new ModuleError('SESSIONS_UNAVAILABLE', { detail: 'new sessions keep coming in' });
    }

    /** What a retry may end: by now there may be sessions of the new password. */
    async function oldOnes(changedAt: number, call: CallOptions): Promise<number> {
      const until = options.sessionsDuringOutage === 'end' ? Math.min(clock.now(), changedAt + LOGIN_CACHE_MS) : changedAt;
      return Math.ceil(Math.max(changedAt, until) + (await skew(call)));
    }

    return {
      name,
      channels: ['web'],
      async list(address, call) {
        if (!mayBeName(address)) return [];
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
        if (!mayBeName(address) || !/^[sr]-[0-9a-f]{32}$/.test(id)) return false;
        return (await ask<{ ended: number }>('end', { address, id }, call)).ended > 0;
      },
      async revokeAll({ address, issuedBefore, attempt, actor }, call) {
        if (!mayBeName(address)) return { revoked: { web: 0 } };
        // Within the request nobody can have logged in with the new password: all there is ends.
        const first = attempt === 1;
        const own = first && actor !== null && actor.address === address ? ownSession(actor) : null;
        return { revoked: { web: await untilNothingIsLeft(address, first ? EVERYTHING : await oldOnes(issuedBefore, call), own, call) } };
      },
      tls: urlEndpoints(options.url),
      async check(call) {
        const info = await ask<InfoAnswer>('info', {}, call);
        if (info.version !== 1) throw new ModuleError('SESSIONS_MISCONFIGURED', { detail: `the drop-in speaks version ${String(info.version)}, this service 1` });
        if (!info.mayManage) throw new ModuleError('SESSIONS_MISCONFIGURED', { detail: "the service key's user lacks the module's manage right" });
      },
      async diagnose({ signal, publicUrl, basePath }) {
        const { url, host, serviceKey } = options;
        const secured = await urlTlsFinding(url, signal);
        const version = (await client.session(service, { signal }).catch(() => null))?.version;
        const reading = await readClock(() => ask<InfoAnswer>('info', {}, { signal }), clock).catch(() => null);
        const found = await doctorGroupOffice({ url, host: host ?? null, publicUrl: publicUrl ?? url, basePath, localUsers: 'below', path: null, serviceKey });
        return [
          secured,
          ...(version === undefined ? [] : [ok('version', `Group-Office ${version}`)]),
          ...(reading === null ? [] : [ok('module', `the drop-in speaks version ${String(reading.answer.version)}`), clockFinding("Group-Office's clock", clockAhead(reading))]),
          ...found.map(({ check, level, text }): Finding => ({ level: LEVELS[level], check, text, todo: level === 'ok' ? undefined : 'see docs/group-office.md; `mailbox-password install group-office` sets most of it right' })),
        ];
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
