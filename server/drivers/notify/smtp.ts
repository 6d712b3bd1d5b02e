import { createTransport } from 'nodemailer';
import { boolean, number, object, string } from 'yup';
import { readCertificateFile } from '../../config/certificateFile.ts';
import { inTheClear, tlsFinding } from '../../diagnosis/findings.ts';
import { mailEndpoints } from '../../diagnosis/tlsEndpoints.ts';
import { fail, ok } from '../../ports/diagnosis.ts';
import { type Notifier, NotSent, type OutgoingMail, type RefusalKind } from '../../ports/notifier.ts';
import { flowedText } from '../../smtp/flowedText.ts';
import { relayLogIn } from '../../smtp/relayLogIn.ts';
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
  const told = error as SmtpError;
  const words = [told.code, told.command, told.message].filter((part) => part !== undefined).join(' ');
  return new NotSent(kindOf(told, to), words.replaceAll(/\p{C}+/gu, ' ').slice(0, 200));
}

const parts = (text: string, html: string, language: string) => {
  const flowed = flowedText(text, language);
  return [{ contentType: `text/plain; charset=utf-8; ${flowed.parameters}`, content: flowed.text }, { contentType: 'text/html; charset=utf-8', content: html }];
};

/** Silence, a broken connection or a farewell (421) in mid-conversation: the relay may be away, or choke on this very mail. */
function mayBeThisMail({ code, command, responseCode, syscall }: SmtpError): boolean {
  if (responseCode === 421) return command !== 'MAIL FROM' && command !== 'EHLO';
  return responseCode === undefined && syscall !== 'connect' && syscall !== 'getaddrinfo' && ['ETIMEDOUT', 'ECONNECTION', 'ESOCKET', 'ECONNRESET', 'EPIPE', undefined].includes(code);
}

/** E-mail through a relay (RFC 5321), with STARTTLS or TLS, the certificate verified, and a log-in where the relay asks for one. */
export default defineNotifyDriver({
  name: 'smtp',
  summary: 'Sends notices through an SMTP relay.',
  options,
  async create(given, { name }): Promise<Notifier> {
    const timeoutMs = given.timeoutMs ?? 10_000;
    const ca = given.caFile === undefined ? undefined : readCertificateFile(given.caFile, 'caFile');
    const credentials = given.user === undefined ? undefined : { user: given.user, pass: given.password ?? '' };
    const relay = {
      host: given.host, port: given.port, secure: given.encryption === 'tls', requireTLS: given.encryption === 'starttls', ignoreTLS: given.encryption === 'none',
      ...(given.ehloName !== undefined && { name: given.ehloName }),
      tls: { rejectUnauthorized: true, minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) },
      connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs, dnsTimeout: timeoutMs,
      // Closed is closed: what we have not yet handed over does not go out any more.
      socketCloseTimeout: 0, logger: false,
    } as const;
    // A template is text: nothing in it may make us read a file or fetch an address.
    const transport = createTransport({ ...relay, ...(credentials !== undefined && { auth: credentials }), disableFileAccess: true, disableUrlAccess: true });
    const message = ({ messageId, date, from, to, subject, text, html, language }: OutgoingMail) => ({
      from, to: { name: '', address: to }, envelope: { from: from.address, to: [to] }, subject, alternatives: parts(text, html, language), messageId, date: new Date(date),
      // The same boundary at every try.
      baseBoundary: messageId.replaceAll(/[^A-Za-z0-9-]/g, '').slice(0, 40),
      // RFC 3834: no out-of-office answers to a machine.
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All', 'Content-Language': language },
    });
    const logIn = (signal: AbortSignal): Promise<void> => relayLogIn(relay, credentials, signal);
    /** Whoever still takes log-ins is there: then it was this mail, and the others need not wait. */
    const isThere = (): Promise<boolean> => logIn(AbortSignal.timeout(Math.min(timeoutMs, LONGEST_QUESTION_MS))).then(() => true, () => false);
    return {
      name,
      tls: mailEndpoints(given, 'smtp'),
      async send(mail, { signal }) {
        try {
          // At the end of its time the connection is closed: one that lived on could still hand over what another try sends as well.
          await transport.sendMail({ ...message(mail), signal });
        } catch (error) {
          const late = signal.aborted;
          const refused = late ? new NotSent('relay', 'time-out') : notSent(error, mail.to);
          throw refused.kind === 'relay' && (late || mayBeThisMail(error as SmtpError)) && await isThere() ? new NotSent('temporary', refused.message) : refused;
        }
      },
      async diagnose({ signal }) {
        const { host, port, encryption } = given;
        const secured = encryption === 'none' ? inTheClear(host) : await tlsFinding({ host, port, ca, ...(encryption === 'starttls' && { before: 'smtp' }) }, signal);
        return [secured, await logIn(signal).then(
          () => ok('log-in', `${host}:${String(port)} takes ${given.user ?? 'mail without a log-in'}`),
          (error: unknown) => fail('log-in', `${host}:${String(port)}: ${notSent(error).message}`, 'check host, port, user and password of notify'),
        )];
      },
      check: ({ signal }) => logIn(signal).then(() => undefined, (error: unknown) => { throw new NotSent('relay', notSent(error).message); }),
      close: async () => { transport.close(); },
    };
  },
});
