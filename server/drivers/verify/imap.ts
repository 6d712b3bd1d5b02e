import { readFileSync } from 'node:fs';
import { ImapFlow } from 'imapflow';
import { boolean, number, object, string } from 'yup';
import { ModuleError } from '../../../module/errors.ts';
import { inTheClear, reasonOf, tlsFinding } from '../../diagnosis/findings.ts';
import { mailEndpoints } from '../../diagnosis/tlsEndpoints.ts';
import { fail, ok } from '../../ports/diagnosis.ts';
import { isAddress } from '../../addressForm.ts';
import type { CallOptions } from '../../ports/accountApi.ts';
import type { PasswordVerifier } from '../../ports/passwordVerifier.ts';
import type { Secret } from '../../secret.ts';
import { defineVerifyDriver } from '../defineDriver.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;
const TRUST = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO|STARTTLS_INJECTION)/;
/** RFC 5530: what a refused log-in says of the mailbox. No code at all is how older servers say "wrong". */
const REFUSED = new Set(['AUTHENTICATIONFAILED', 'AUTHORIZATIONFAILED', 'EXPIRED', '']);

/** RFC 2606: nobody's, for ever. */
const NOBODY = 'mailbox-password-check@mailbox-password.invalid';

const options = object({
  host: string().min(1).max(253).required().meta({ description: 'IMAP server', example: 'imap.example.com' }),
  port: number().integer().min(1).max(65_535).meta({ description: 'Port (default 993, with starttls and none 143)', example: 993 }),
  encryption: string().oneOf(['tls', 'starttls', 'none'] as const).meta({ description: 'tls (from the start), starttls, or none on this machine (default tls)', example: 'tls' }),
  insecure: boolean().meta({ description: 'Allow encryption none to another machine; only for trying things out (default false)', example: false }),
  caFile: string().min(1).meta({ description: 'File with the certificates (PEM) that are trusted instead of the system\'s', example: '/etc/ssl/certs/imap-ca.pem' }),
  connectTimeoutMs: number().integer().min(100).max(60_000).meta({ description: 'Milliseconds until the server has greeted (default 5000)', example: 5000 }),
}).noUnknown().test('encrypted', 'encryption none needs a host on this machine, or insecure: true', (own) => own.encryption !== 'none' || LOOPBACK.test(own.host) || own.insecure === true);

interface ImapError extends Error {
  readonly code?: string;
  readonly authenticationFailed?: boolean;
  readonly serverResponseCode?: string;
  readonly responseStatus?: string;
  readonly tlsFailed?: boolean;
}

/** False where the server says that this password is not the mailbox's; else the reason why nobody can say. The server's words stay out. */
function judge(error: ImapError): false | ModuleError {
  const answered = (error.serverResponseCode ?? '').toUpperCase();
  if (error.authenticationFailed === true && error.responseStatus === 'NO') {
    if (REFUSED.has(answered)) return false;
    return new ModuleError(answered === 'PRIVACYREQUIRED' ? 'ACCOUNTS_MISCONFIGURED' : 'ACCOUNTS_UNAVAILABLE', { detail: `the IMAP server cannot judge it now (${answered})` });
  }
  if (error.tlsFailed === true || TRUST.test(error.code ?? '')) return new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: `the IMAP server is not trusted (${error.code ?? 'no TLS'})` });
  return new ModuleError('ACCOUNTS_UNAVAILABLE', { detail: `the IMAP server did not answer (${error.code ?? 'unknown'})` });
}

/** By which way the server took name and password; imapflow's types leave it out. Empty after a greeting of PREAUTH, which proves nothing. */
const isProven = (client: ImapFlow): boolean => [...(client as unknown as { authCapabilities: ReadonlyMap<string, boolean> }).authCapabilities.values()].includes(true);

/** Logs in to IMAP and out again. */
export default defineVerifyDriver({
  name: 'imap',
  summary: 'The current password is verified by an IMAP log-in over TLS.',
  options,
  async create(given): Promise<PasswordVerifier> {
    const encryption = given.encryption ?? 'tls';
    let ca: string | undefined;
    try {
      ca = given.caFile === undefined ? undefined : readFileSync(given.caFile, 'utf8');
    } catch (error) {
      throw new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: `caFile ${given.caFile ?? ''} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})` });
    }
    const timeout = given.connectTimeoutMs ?? 5000;
    const port = given.port ?? (encryption === 'tls' ? 993 : 143);

    /** Whether the server let somebody in by name and password: a connection that it calls logged in by itself (PREAUTH) proves nothing. */
    async function logIn(user: string, password: string, { signal }: CallOptions): Promise<boolean> {
      if (signal.aborted) throw new ModuleError('ACCOUNTS_UNAVAILABLE');
      const client = new ImapFlow({
        host: given.host, port, secure: encryption === 'tls', doSTARTTLS: encryption === 'starttls', auth: { user, pass: password },
        verifyOnly: true, logger: false, connectionTimeout: timeout, greetingTimeout: timeout, tls: { rejectUnauthorized: true, ...(ca !== undefined && { ca }) },
      });
      // What comes after the answer is of no interest, and must not end the process.
      client.on('error', () => undefined);
      const onAbort = (): void => { client.close(); };
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        await client.connect();
        if (isProven(client)) return true;
        throw new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: 'the IMAP server logs everybody in (PREAUTH)' });
      } catch (error) {
        if (error instanceof ModuleError) throw error;
        const verdict = judge(error as ImapError);
        if (verdict !== false) throw verdict;
        return false;
      } finally {
        signal.removeEventListener('abort', onAbort);
        client.close();
      }
    }

    return {
      async verify(address, password: Secret, call) {
        const typed = password.reveal();
        if (call.signal.aborted) throw new ModuleError('ACCOUNTS_UNAVAILABLE');
        // What cannot be sent is nobody's password; what is no address is nobody's.
        if (!isAddress(address) || typed === '' || /[\p{Cs}\0\r\n]/u.test(typed)) return false;
        return logIn(address, typed, call);
      },
      tls: mailEndpoints({ ...given, port, encryption }, 'imap'),
      async check(call) { if (await logIn(NOBODY, 'nobody', call)) throw new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: 'the IMAP server let in a mailbox that nobody has' }); },
      async diagnose(call) {
        const [endpoint] = mailEndpoints({ ...given, port, encryption }, 'imap');
        const secured = endpoint === undefined ? inTheClear(given.host) : await tlsFinding({ ...endpoint, ca }, call.signal);
        return [secured, await logIn(NOBODY, 'nobody', call).then(
          (taken) => (taken ? fail('log-in', `${given.host} let in a mailbox that nobody has`, 'this server cannot verify passwords: choose another') : ok('log-in', `${given.host}:${String(port)} judges log-ins`)),
          (error: unknown) => fail('log-in', `${given.host}:${String(port)}: ${reasonOf(error)}`, 'check host, port, encryption and caFile of verify, and that the server lets this machine log in'),
        )];
      },
      close: () => Promise.resolve(),
    };
  },
});
