import { createConnection, type Socket } from 'node:net';
import { sleep } from './process.ts';

/** A mail client that stays connected. */
export interface MailClient {
  readonly kind: string;
  /** True while the server keeps the connection: a command is answered, or, in IDLE and where none can be sent, it is open. */
  alive(): Promise<boolean>;
  /** Resolves with `performance.now()` when the connection ended. */
  readonly ended: Promise<number>;
  close(): void;
}

class Refused extends Error {}

function connect(port: number, from: string) {
  const socket: Socket = createConnection({ port, host: '127.0.0.1', localAddress: from });
  let text = '';
  let open = true;
  const ended = new Promise<number>((resolve) => { socket.once('close', () => { open = false; resolve(performance.now()); }); });
  socket.on('data', (chunk) => { text += chunk.toString(); });
  socket.on('error', () => { open = false; });
  const answer = async (expected: RegExp, ms = 15_000): Promise<string> => {
    const end = Date.now() + ms;
    for (;;) {
      if (expected.test(text)) { const got = text; text = ''; return got; }
      if (!open) throw new Refused(`closed: ${text}`);
      if (Date.now() > end) throw new Error(`no answer ${String(expected)}: ${text}`);
      await sleep(2);
    }
  };
  const say = (line: string): void => { socket.write(`${line}\r\n`); };
  return { say, answer, ended, isOpen: () => open, close: () => { socket.destroy(); } };
}

const quote = (value: string) => `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
const plain = (user: string, password: string) => Buffer.from(`\0${user}\0${password}`).toString('base64');

export interface ClientOptions { readonly from?: string }

/** IMAP (RFC 3501): logged in, INBOX selected, in IDLE (RFC 2177) where asked. Null where the log-in was refused. */
export async function imapClient(port: number, user: string, password: string, { from = '127.0.0.1', idle = false }: ClientOptions & { idle?: boolean } = {}): Promise<MailClient | null> {
  const { say, answer, ended, isOpen, close } = connect(port, from);
  await answer(/^\* OK/);
  say(`a LOGIN ${quote(user)} ${quote(password)}`);
  const said = await answer(/^a (OK|NO|BAD)[^\n]*\r\n/m).catch((error: unknown) => { if (error instanceof Refused) return 'a NO'; throw error; });
  if (!/^a OK/m.test(said)) {
    close();
    if (/UNAVAILABLE/.test(said)) throw new Error(said);
    return null;
  }
  say('b SELECT INBOX');
  await answer(/^b OK/m);
  if (idle) {
    say('c IDLE');
    await answer(/^\+ idling/m);
  }
  return {
    kind: idle ? 'imap-idle' : 'imap', ended, close,
    async alive() {
      await sleep(20);
      if (idle || !isOpen()) return isOpen();
      say('d NOOP');
      return answer(/^d OK/m, 5000).then(() => true, () => false);
    },
  };
}

/** POP3 (RFC 1939), in the transaction state. */
export async function pop3Client(port: number, user: string, password: string): Promise<MailClient | null> {
  const { say, answer, ended, isOpen, close } = connect(port, '127.0.0.1');
  await answer(/^\+OK/);
  say(`USER ${user}`);
  await answer(/^\+OK/);
  say(`PASS ${password}`);
  if (!(await answer(/^(\+OK|-ERR)[^\n]*\n/)).startsWith('+OK')) { close(); return null; }
  return { kind: 'pop3', ended, close, async alive() {
    await sleep(20);
    if (!isOpen()) return false;
    say('NOOP');
    return answer(/^\+OK/, 5000).then(() => true, () => false);
  } };
}

/** SMTP submission (RFC 6409) after AUTH PLAIN (RFC 4954). */
export async function submissionClient(port: number, user: string, password: string): Promise<MailClient | null> {
  const { say, answer, ended, isOpen, close } = connect(port, '127.0.0.1');
  await answer(/^220/);
  say('EHLO client.test');
  await answer(/^250 /m);
  say(`AUTH PLAIN ${plain(user, password)}`);
  if (!(await answer(/^\d{3} [^\n]*\n/m)).startsWith('235')) { close(); return null; }
  return { kind: 'submission', ended, close, async alive() {
    await sleep(20);
    if (!isOpen()) return false;
    say('NOOP');
    return answer(/^250/m, 5000).then(() => true, () => false);
  } };
}

/** ManageSieve (RFC 5804). */
export async function sieveClient(port: number, user: string, password: string): Promise<MailClient | null> {
  const { say, answer, ended, isOpen, close } = connect(port, '127.0.0.1');
  await answer(/^OK/m);
  say(`AUTHENTICATE "PLAIN" "${plain(user, password)}"`);
  if (!/^OK/m.test(await answer(/^(OK|NO|BYE)[^\n]*\n/m))) { close(); return null; }
  return { kind: 'managesieve', ended, close, async alive() {
    await sleep(20);
    if (!isOpen()) return false;
    say('NOOP');
    return answer(/^OK/m, 5000).then(() => true, () => false);
  } };
}
