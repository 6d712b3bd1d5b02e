import { createTransport } from 'nodemailer';
import { boolean, number, object, string } from 'yup';
import { readCertificateFile } from '../../config/certificateFile.ts';
import { inTheClear, tlsFinding } from '../../diagnosis/findings.ts';
import { mailEndpoints } from '../../diagnosis/tlsEndpoints.ts';
import { fail, ok } from '../../ports/diagnosis.ts';
import { type Notifier, NotSent, type OutgoingMail, type RefusalKind } from '../../ports/notifier.ts';
import { defineNotifyDriver } from '../defineDriver.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** Milliseconds. */
const LONGEST_QUESTION_MS = 10_000;

const options = object({
  host: string().min(1).max(253).required().meta({ description: 'The relay', example: 'smtp.example.com' }),
  port: number().integer().min(1).max(65_535).required().meta({ description: 'Its port: 587 for starttls, 465 for tls, 25 on this machine', example: 587 }),
  encryption: string().oneOf(['starttls', 'tls', 'none'] as const).required().meta({ description: 'starttls (needed, not only used where offered), tls (from the start) or none', example: 'starttls' }),
  insecure: boolean().meta({ description: 'Allow encryption none to another machine; only for trying things out (default false)', example: false }),
  user: string().min(1).max(320).meta({ description: 'Log-in at the relay, where it asks for one', example: 'no-reply@example.com' }),
  password: string().min(1).max(1024).meta({ secret: true, description: 'Password of the log-in', example: { file: '/etc/mailbox-password/smtp.password' } }),
  caFile: string().min(1).meta({ description: 'File with the certificates (PEM) that are trusted instead of the system\'s', example: '/etc/ssl/certs/relay-ca.pem' }),
  ehloName: string().matches(/^[A-Za-z0-9.-]{1,253}$/, '${path} must be a host name').meta({ description: 'How we introduce ourselves (default: the name of this machine)', example: 'panel.example.com' }),
  timeoutMs: number().integer().min(100).max(120_000).meta({ description: 'Milliseconds for connecting, and for each answer (default 10000)', example: 10_000 }),
}).noUnknown()
  .test('encrypted', 'encryption: none is for a relay on this machine, or with insecure: true', (own) => own.encryption !== 'none' || LOOPBACK.test(own.host ?? '') || own.insecure === true)
  .test('log-in', 'user and password belong together', (own) => (own.user === undefined) === (own.password === undefined));

interface SmtpError { readonly syscall?: string; readonly code?: string; readonly command?: string; readonly responseCode?: number; readonly message?: string }

/** RFC 5321, section 4.2.1. Only what was said of this recipient or this message can be final; all else is between us and the relay. */
function kindOf({ code, command, responseCode }: SmtpError, to: string): RefusalKind {
  // An address that cannot be sent at all, or one of RFC 6531 at a relay that does not know it: no reason for the other mails to wait.
  if (code === 'EENVELOPE' && (command === 'API' || (command === 'MAIL FROM' && (responseCode ?? 0) >= 500 && /[^\0-\x7f]/.test(to)))) return 'temporary';
  const ofThisMail = command === 'RCPT TO' || command === 'DATA';
  if (!ofThisMail || responseCode === undefined || responseCode === 421) return 'relay';
  return responseCode >= 500 ? 'permanent' : 'temporary';
}

function notSent(error: unknown, to = ''): NotSent {
  if (error instanceof NotSent) return error;
  const told = error as SmtpError;
  const words = [told.code, told.command, told.message].filter((part) => part !== undefined).join(' ');
  return new NotSent(kindOf(told, to), words.replaceAll(/\p{C}+/gu, ' ').slice(0, 200));
}

/** Silence, a broken connection or a farewell (421) in mid-conversation: the relay may be away, or choke on this very mail. */
function mayBeThisMail({ code, command, responseCode, syscall }: SmtpError): boolean {
  if (responseCode === 421) return command !== 'MAIL FROM' && command !== 'EHLO';
  return responseCode === undefined && syscall !== 'connect' && syscall !== 'getaddrinfo' && ['ETIMEDOUT', 'ECONNECTION', 'ESOCKET', 'ECONNRESET', 'EPIPE', undefined].includes(code);
}

async function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => { reject(new NotSent('relay', 'time-out')); }, { once: true });
  });
  // Whichever loses must not end the process.
  work.catch(() => undefined);
  return Promise.race([work, late]);
}

/** E-mail through a relay (RFC 5321), with STARTTLS or TLS, the certificate verified, and a log-in where the relay asks for one. */
export default defineNotifyDriver({
  name: 'smtp',
  summary: 'Sends notices through an SMTP relay.',
  options,
  async create(given, { name }): Promise<Notifier> {
    const timeoutMs = given.timeoutMs ?? 10_000;
    const ca = given.caFile === undefined ? undefined : readCertificateFile(given.caFile, 'caFile');
    const transport = createTransport({
      host: given.host, port: given.port, secure: given.encryption === 'tls', requireTLS: given.encryption === 'starttls', ignoreTLS: given.encryption === 'none',
      ...(given.user !== undefined && { auth: { user: given.user, pass: given.password ?? '' } }),
      ...(given.ehloName !== undefined && { name: given.ehloName }),
      tls: { rejectUnauthorized: true, minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) },
      connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs, dnsTimeout: timeoutMs,
      // A template is text: nothing in it may make us read a file or fetch an address.
      disableFileAccess: true, disableUrlAccess: true, logger: false,
    });
    const message = ({ messageId, date, from, to, subject, text, html, language }: OutgoingMail) => ({
      from, to: { name: '', address: to }, envelope: { from: from.address, to: [to] }, subject, text, html, messageId, date: new Date(date),
      // The same boundary at every try.
      baseBoundary: messageId.replaceAll(/[^A-Za-z0-9-]/g, '').slice(0, 40),
      // RFC 3834: no out-of-office answers to a machine.
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All', 'Content-Language': language },
    });
    /** Whoever still takes log-ins is there: then it was this mail, and the others need not wait. */
    const isThere = (): Promise<boolean> => inTime(transport.verify(), AbortSignal.timeout(Math.min(timeoutMs, LONGEST_QUESTION_MS))).then(() => true, () => false);
    return {
      name,
      tls: mailEndpoints(given, 'smtp'),
      async send(mail, { signal }) {
        try {
          await inTime(transport.sendMail(message(mail)), signal);
        } catch (error) {
          const refused = notSent(error, mail.to);
          throw refused.kind === 'relay' && mayBeThisMail(error as SmtpError) && await isThere() ? new NotSent('temporary', refused.message) : refused;
        }
      },
      async diagnose({ signal }) {
        const { host, port, encryption } = given;
        const secured = encryption === 'none' ? inTheClear(host) : await tlsFinding({ host, port, ca, ...(encryption === 'starttls' && { before: 'smtp' }) }, signal);
        return [secured, await inTime(transport.verify(), signal).then(
          () => ok('log-in', `${host}:${String(port)} takes ${given.user ?? 'mail without a log-in'}`),
          (error: unknown) => fail('log-in', `${host}:${String(port)}: ${notSent(error).message}`, 'check host, port, user and password of notify'),
        )];
      },
      check: ({ signal }) => inTime(transport.verify(), signal).then(() => undefined, (error: unknown) => { throw new NotSent('relay', notSent(error).message); }),
      close: async () => { transport.close(); },
    };
  },
});
