import { setTimeout as wait } from 'node:timers/promises';
import { clockFinding, reasonOf, urlTlsFinding } from '../diagnosis/findings.ts';
import { fail, type Finding, ok, warn } from '../ports/diagnosis.ts';
import { ModuleError } from '../../module/errors.ts';
import { NOBODY } from './authCache.ts';
import type { DovecotBackend } from './dovecotBackend.ts';

/** The Date header that tells Dovecot's clock counts seconds. */
const CLOCK_NOISE_MS = 1_500;

const RIGHTS = [
  { command: 'who', purpose: 'who is connected' },
  { command: 'kick', purpose: 'end connections' },
  { command: 'processStatus', purpose: 'since when a connection stands' },
] as const;

/** One doveadm listener: the way there, the key, each command that a log-out needs. */
export async function diagnoseBackend({ url, caFile }: { readonly url: string; readonly caFile?: string | undefined }, backend: DovecotBackend | undefined, signal: AbortSignal): Promise<Finding[]> {
  const findings: Finding[] = [await urlTlsFinding(url, signal, { caFile })];
  if (backend === undefined) return findings;
  try {
    const { clockOffset } = await backend.forget(NOBODY, signal);
    findings.push(ok('log-in', `${url} takes the API key`), ...(await backend.canFlush(signal) ? [ok('permission', 'doveadm: flush the auth cache')] : []), clockFinding("Dovecot's clock", clockOffset, CLOCK_NOISE_MS));
  } catch (error) {
    // Dovecot 2.4.1 (Debian 13): a failed assertion in its doveadm, whatever the flush is asked with; everything else works.
    if (reasonOf(error).includes('ECONNRESET') && await backend.check(signal).then(() => true, () => false)) {
      return [...findings, ok('log-in', `${url} takes the API key`), fail('permission', 'doveadm breaks off when it is told to flush the auth cache, as Dovecot 2.4.1 does',
        'leave the auth cache off there (auth_cache_size = 0, which is the default) and say authCache: none for this back end; or take another version of Dovecot')];
    }
    const refused = error instanceof ModuleError && error.code === 'SESSIONS_MISCONFIGURED';
    return [...findings, fail('log-in', `${url}: ${reasonOf(error)}`, refused
      ? 'set apiKey to doveadm_api_key of that Dovecot, and let doveadm_allowed_commands (where it is set) list auth cache flush, who, kick and process status'
      : 'check address and port, and that Dovecot has `service doveadm { inet_listener http { ... } }` there')];
  }
  for (const { command, purpose } of RIGHTS) {
    findings.push(await backend.tryCommand(command, NOBODY, signal).then(
      () => ok('permission', `doveadm: ${purpose}`),
      (error: unknown) => fail('permission', `doveadm: ${purpose}: ${reasonOf(error)}`, 'let doveadm_allowed_commands list it, or leave that setting out'),
    ));
  }
  return findings;
}

const NOT_KNOWN = 'on or off is not known';
/** Its processes learn a moment later what is to be counted, and tell a moment later what they have counted. */
const COUNTING_BEGINS_MS = 500;
const COUNTED_WITHIN_MS = 2_000;
/** Those of a Dovecot that has just been reloaded learn it later than that. */
const MOST_LOG_INS = 3;

/** Of a Dovecot that cannot be told to forget: what its statistics say after a log-in. */
async function countedFinding(backend: DovecotBackend, logIn: () => Promise<void>, signal: AbortSignal): Promise<Finding> {
  await backend.untold?.isOn(signal);
  await wait(COUNTING_BEGINS_MS);
  let on: boolean | null = null;
  for (let tries = 0; on === null && tries < MOST_LOG_INS; tries += 1) {
    await logIn();
    const end = Date.now() + COUNTED_WITHIN_MS;
    while (on === null && Date.now() < end) {
      await wait(100);
      on = await backend.untold?.isOn(signal) ?? null;
    }
  }
  if (on === true) return fail('auth cache', 'on, though authCache says none, and this Dovecot cannot be told to forget: an old password would be let in after a change', 'set auth_cache_size = 0 in that Dovecot and restart it, or take another version of Dovecot');
  return on === false ? ok('auth cache', 'off, as authCache says: Dovecot counts no log-in that it had a part in') : warn('auth cache', `${NOT_KNOWN}: Dovecot did not count the log-in`, 'let doveadm_allowed_commands (where it is set) list stats add and stats dump; --write-test proves that the old password is refused');
}

/** doveadm does not tell: a log-in that is refused leaves an entry behind where the cache is on. */
export async function authCacheFindings(backends: readonly DovecotBackend[], refusedLogIn: (() => Promise<void>) | null, signal: AbortSignal): Promise<Finding[]> {
  const able = await Promise.all(backends.map((backend) => backend.canFlush(signal)));
  const [flushing, others] = [backends.filter((_one, at) => able[at]), backends.filter((_one, at) => !able[at])];
  if (refusedLogIn === null) return [warn('auth cache', `${NOT_KNOWN}: no way to log in is configured`, 'set mailSettings.imap, or say --imap host:port')];
  try {
    const counted = await Promise.all(others.map((backend) => countedFinding(backend, refusedLogIn, signal)));
    if (flushing.length === 0) return counted;
    if (others.length === 0) await refusedLogIn();
    const seen = await Promise.all(flushing.map((backend) => backend.forget(NOBODY, signal)));
    return [...counted, flushedFinding(flushing, seen.some(({ cached }) => cached))];
  } catch (error) {
    return [warn('auth cache', `${NOT_KNOWN}: IMAP did not answer (${reasonOf(error)})`, 'check mailSettings.imap or --imap')];
  }
}

function flushedFinding(backends: readonly DovecotBackend[], on: boolean): Finding {
  if (!on) return ok('auth cache', 'off, or it keeps no refused log-ins: there is nothing that could let an old password in');
  return backends.some(({ untold }) => untold !== null) ? warn('auth cache', 'on, though authCache says none; it is flushed all the same before connections are ended', 'leave authCache out')
    : ok('auth cache', 'on; it is flushed before connections are ended');
}
