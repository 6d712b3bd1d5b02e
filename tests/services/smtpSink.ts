import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Header and body as they came over the wire, CRLF line ends. */
  readonly raw: string;
  /** The name that logged in, or null. */
  readonly user: string | null;
  /** Whether it came over TLS. */
  readonly secure: boolean;
}

export interface SmtpSink {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  /** Connections that are open now. */
  connections(): number;
  /** Resolves with the next `count` mails in all that came (those already here count); rejects after `ms`. */
  arrived(count: number, ms?: number): Promise<readonly ReceivedMail[]>;
  stop(): Promise<void>;
}

export interface SmtpSinkOptions {
  /** Where given, a mail is only taken after AUTH with these. */
  readonly auth?: { readonly user: string; readonly password: string };
  /** PEM; where given, STARTTLS is offered. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** With `tls`: encrypted from the start, without STARTTLS. */
  readonly tlsFromTheStart?: boolean;
  /** Recipients refused with 550. */
  readonly refuse?: (address: string) => boolean;
  /** An SMTP code other than 250 for a stage (`mail`, `rcpt`, `data`), or null to take it. */
  readonly answer?: (stage: 'mail' | 'rcpt' | 'data', address: string) => number | null;
  /** True where it never answers at that stage. */
  readonly hang?: (stage: 'rcpt' | 'data', address: string) => boolean;
  /** Resolves when it may answer at that stage. */
  readonly pause?: (stage: 'rcpt' | 'data') => Promise<void>;
  /** Where it listens; a free one by default. */
  readonly port?: number;
  /** Called when a mail was taken and before that is said; the answer waits for it. */
  readonly onTaken?: () => Promise<void>;
}

const refusal = (code: number | null): Error | null => (code === null ? null : Object.assign(new Error('not now'), { responseCode: code }));

/** An SMTP relay on a free port of loopback that keeps what it gets. */
export async function startSmtpSink({ auth, tls, tlsFromTheStart = false, refuse = () => false, answer = () => null, hang = () => false, pause = async () => undefined, port = 0, onTaken = async () => undefined }: SmtpSinkOptions = {}): Promise<SmtpSink> {
  const mails: ReceivedMail[] = [];
  const waiting = new Set<() => void>();
  const server = new SMTPServer({
    logger: false,
    disableReverseLookup: true,
    authOptional: auth === undefined,
    allowInsecureAuth: true,
    disabledCommands: [...(auth === undefined ? ['AUTH'] : []), ...(tls === undefined ? ['STARTTLS'] : [])],
    ...(tls ?? {}),
    secure: tlsFromTheStart,
    onAuth({ username, password }, _session, callback) {
      if (username === auth?.user && password === auth?.password) callback(null, { user: username });
      else callback(new Error('535 authentication failed'));
    },
    onMailFrom({ address }, _session, callback) {
      callback(refusal(answer('mail', address)));
    },
    onRcptTo({ address }, _session, callback) {
      if (hang('rcpt', address)) return;
      void pause('rcpt').then(() => {
        const said = refusal(answer('rcpt', address));
        if (said !== null) { callback(said); return; }
        if (refuse(address)) callback(Object.assign(new Error('no such mailbox'), { responseCode: 550 }));
        else callback();
      });
    },
    onData(stream, { envelope, user, secure }, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => { chunks.push(chunk); });
      stream.on('end', () => {
        if (hang('data', envelope.rcptTo[0]?.address ?? '')) return;
        const said = refusal(answer('data', envelope.rcptTo[0]?.address ?? ''));
        if (said !== null) { callback(said); return; }
        mails.push({
          from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
          to: envelope.rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString('utf8'), user: (user as string | undefined) ?? null, secure,
        });
        void onTaken().then(() => {
          callback();
          for (const look of waiting) look();
        });
      });
    },
  });
  // A client that breaks off is that client's affair.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve); });
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    connections: () => server.connections.size,
    arrived: (count, ms = 10_000) => new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        waiting.delete(look);
        reject(new Error(`${String(mails.length)} of ${String(count)} mails arrived within ${String(ms)} ms`));
      }, ms);
      const look = (): void => {
        if (mails.length < count) return;
        clearTimeout(late);
        waiting.delete(look);
        resolve(mails);
      };
      waiting.add(look);
      look();
    }),
    stop: () => new Promise((resolve) => { server.close(() => { resolve(); }); }),
  };
}
