import { clockFinding, reasonOf, urlTlsFinding } from '../diagnosis/findings.ts';
import { fail, type Finding, ok, warn } from '../ports/diagnosis.ts';
import { ModuleError } from '../../module/errors.ts';
import type { DovecotBackend } from './dovecotBackend.ts';

/** RFC 2606: nobody's, for ever. */
export const NOBODY = 'nobody@mailbox-password.invalid';
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
    findings.push(ok('log-in', `${url} takes the API key`), ...(backend.hasCache ? [ok('permission', 'doveadm: flush the auth cache')] : []), clockFinding("Dovecot's clock", clockOffset, CLOCK_NOISE_MS));
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

/** doveadm does not tell: a log-in that is refused leaves an entry behind where the cache is on. */
export async function authCacheFinding(backends: readonly DovecotBackend[], refusedLogIn: (() => Promise<void>) | null, signal: AbortSignal): Promise<Finding> {
  if (backends.every(({ hasCache }) => !hasCache)) return ok('auth cache', 'none, says the configuration; --write-test proves that the old password is refused');
  if (refusedLogIn === null) return warn('auth cache', 'on or off is not known: no way to log in is configured', 'set mailSettings.imap, or say --imap host:port');
  try {
    await refusedLogIn();
  } catch (error) {
    return warn('auth cache', `on or off is not known: IMAP did not answer (${reasonOf(error)})`, 'check mailSettings.imap or --imap');
  }
  const seen = await Promise.all(backends.map((backend) => backend.forget(NOBODY, signal)));
  return seen.some(({ cached }) => cached) ? ok('auth cache', 'on; it is flushed before connections are ended')
    : ok('auth cache', 'off, or it keeps no refused log-ins: there is nothing that could let an old password in');
}
