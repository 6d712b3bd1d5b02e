import { ImapFlow } from 'imapflow';
import type { Config } from '../../../module/config/configSchema.ts';
import { Secret } from '../../secret.ts';
import { CommandError } from '../exitCodes.ts';

/** A mail server as mail programs reach it. */
export interface ImapServer {
  readonly host: string;
  readonly port: number;
  readonly encryption: 'tls' | 'starttls' | 'none';
}

export interface ImapConnection {
  /** Resolves once the server has ended it, or with false after `ms`. */
  endedWithin(ms: number): Promise<boolean>;
  close(): void;
}

/** `host`, `host:port`, `host:port:starttls`, `host:port:none`. */
function imapServerOf(text: string): ImapServer {
  const found = /^(\[[\da-f:]+\]|[^\s:]+)(?::(\d{1,5}))?(?::(tls|starttls|none))?$/i.exec(text);
  if (found === null) throw new CommandError('USAGE', '--imap: host, host:port or host:port:tls|starttls|none is expected.');
  const port = Number(found[2] ?? 993);
  return { host: (found[1] ?? '').replace(/^\[|\]$/g, ''), port, encryption: (found[3] as ImapServer['encryption'] | undefined) ?? (port === 143 ? 'starttls' : 'tls') };
}

/** `--imap`, else what people are told to use. */
export const imapServerFor = (told: string | undefined, { mailSettings }: Config): ImapServer | null => (told === undefined ? (mailSettings?.imap ?? null) : imapServerOf(told));

/** Null where the server refuses the password. Rejects where it does not answer. */
export async function logInByImap({ host, port, encryption }: ImapServer, user: string, password: Secret, timeoutMs = 20_000): Promise<ImapConnection | null> {
  const client = new ImapFlow({
    host, port, secure: encryption === 'tls', ...(encryption !== 'tls' && { doSTARTTLS: encryption === 'starttls' }),
    auth: { user, pass: password.reveal() }, logger: false, connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: 120_000,
  });
  const ended = new Promise<true>((resolve) => { client.once('close', () => { resolve(true); }); });
  // A connection that the server ends is what is waited for here.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    client.close();
    if ((error as { authenticationFailed?: boolean }).authenticationFailed === true) return null;
    throw new Error(`IMAP ${host}:${String(port)}: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`, { cause: error });
  }
  return {
    endedWithin: (ms) => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<false>((resolve) => { timer = setTimeout(() => { resolve(false); }, ms); });
      return Promise.race([ended, late]).finally(() => { clearTimeout(timer); });
    },
    close: () => { client.close(); },
  };
}
