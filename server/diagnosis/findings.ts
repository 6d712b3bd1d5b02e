import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { ModuleError } from '../../module/errors.ts';
import { fail, type Finding, ok, warn } from '../ports/diagnosis.ts';
import { probeTls, type TlsTarget } from './probeTls.ts';
import { urlEndpoint } from './tlsEndpoints.ts';

const DAY_MS = 86_400_000;
/** Let's Encrypt renews 30 days before the end: less than this means that nobody does. */
export const SOON_DAYS = 21;
/** Nodes and back ends further apart than this confuse people who compare logs; the module itself uses one clock. */
const SKEW_WARN_MS = 2_000;
const SKEW_FAIL_MS = 60_000;

/** Where authorities beyond the system's are named. */
const AUTHORITIES = 'caFile or tls.ca of this entry (where it has neither: have this machine trust it, `update-ca-certificates`, and restart the service)';

const CURES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'renew the certificate on that server',
  CERT_NOT_YET_VALID: 'set the clock of this machine, or renew the certificate',
  DEPTH_ZERO_SELF_SIGNED_CERT: `name the certificate, or the authority that signed it, in ${AUTHORITIES}`,
  SELF_SIGNED_CERT_IN_CHAIN: `name the authority that signed it in ${AUTHORITIES}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `let the server send its whole chain, or name the authority in ${AUTHORITIES}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `name the authority that signed it in ${AUTHORITIES}`,
  ERR_TLS_CERT_ALTNAME_INVALID: 'use the name that stands in the certificate',
};

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\./.test(host) && isIP(host) === 4;

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** The words of an error for an operator: a code and its detail, never a value. */
export const reasonOf = (error: unknown): string => {
  if (error instanceof ModuleError) return error.detail ?? error.code;
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && code !== '') return code;
  return typeof message === 'string' && message !== '' ? message : 'no answer';
};

/** In the clear is well on this machine, and nowhere else. */
export const inTheClear = (host: string): Finding => (isLoopback(host) ? ok('tls', `in the clear to ${host}, which is this machine`)
  : warn('tls', `in the clear to ${host}: passwords can be read on the way`, 'use TLS, or a tunnel'));

/** The certificate of one connection; `verified: false` where the configuration trusts any. */
export async function tlsFinding(target: TlsTarget, signal: AbortSignal, { now = Date.now(), verified = true } = {}): Promise<Finding> {
  const where = `${target.host}:${String(target.port)}`;
  try {
    const { protocol, subject, validFrom, validTo, distrust } = await probeTls(target, signal);
    const days = Math.floor((validTo - now) / DAY_MS);
    const what = `${protocol} with ${where}, certificate${subject === '' ? '' : ` ${subject}`}`;
    if (validTo <= now) return fail('tls', `${what} expired on ${day(validTo)}`, 'renew the certificate on that server');
    if (validFrom > now) return fail('tls', `${what} is valid only from ${day(validFrom)}`, 'set the clock of this machine, or renew the certificate');
    if (distrust !== null && verified) return fail('tls', `${what} is not trusted (${distrust})`, CURES[distrust] ?? 'check the certificate and who signed it');
    if (!verified) return warn('tls', `${what}; it is not checked (verify: false)`, 'set verify to true and name the authority');
    if (days < SOON_DAYS) return warn('tls', `${what} ends on ${day(validTo)}, in ${String(days)} days`, 'renew it, and see why it was not renewed by itself');
    return ok('tls', `${what} until ${day(validTo)} (${String(days)} days)`);
  } catch (error) {
    return fail('tls', `no TLS with ${where}: ${reasonOf(error)}`, 'check address and port, and that the server speaks TLS there');
  }
}

/** For a URL; a file of authorities that cannot be read is a finding too. */
export async function urlTlsFinding(url: string, signal: AbortSignal, { caFile, verified = true }: { caFile?: string | undefined; verified?: boolean } = {}): Promise<Finding> {
  const endpoint = urlEndpoint(url);
  if (endpoint === null) return inTheClear(new URL(url).hostname.replace(/^\[(.*)\]$/, '$1'));
  let ca: string | undefined;
  try {
    ca = caFile === undefined ? undefined : readFileSync(caFile, 'utf8');
  } catch (error) {
    return fail('tls', `${String(caFile)} cannot be read (${reasonOf(error)})`, 'check the path, and that the service\'s user may read it');
  }
  return tlsFinding({ ...endpoint, ca }, signal, { verified });
}

/** `offset`: the other's clock less this machine's, milliseconds, known to `noise`. */
export function clockFinding(whose: string, offset: number, noise = 0): Finding {
  const apart = Math.max(0, Math.abs(offset) - noise);
  const words = `${whose} is ${(Math.abs(offset) / 1000).toFixed(1)} s ${offset < 0 ? 'behind' : 'ahead of'} this machine`;
  if (apart >= SKEW_FAIL_MS) return fail('clock', words, 'run NTP (chrony, systemd-timesyncd) on both');
  return apart >= SKEW_WARN_MS ? warn('clock', words, 'run NTP (chrony, systemd-timesyncd) on both') : ok('clock', `${whose} and this machine agree`);
}

/** The way to one URL, then whether what answers there is the right one. */
export async function diagnoseUrl(url: string, signal: AbortSignal, tls: { caFile?: string | undefined }, check: () => Promise<unknown>, todo: string): Promise<Finding[]> {
  const { host } = new URL(url);
  return [await urlTlsFinding(url, signal, tls), await check().then(() => ok('log-in', `${host} answers, and takes us`), (error: unknown) => fail('log-in', `${host}: ${reasonOf(error)}`, todo))];
}
