import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { BerReader } from 'ldapts';

export interface LdapServer {
  readonly host: string;
  readonly port: number;
  readonly encryption: 'tls' | 'starttls' | 'none';
  /** PEM; trusted instead of the system's certificates. */
  readonly ca?: string | undefined;
  /** Milliseconds until the connection stands, TLS included. */
  readonly connectTimeoutMs: number;
}

/** No usable connection. `trust`: the certificate is not one to trust, or TLS was refused. The text holds no secret. */
export class LdapConnectFailure extends Error {
  override readonly name = 'LdapConnectFailure';
  readonly reason: 'away' | 'trust';

  constructor(reason: LdapConnectFailure['reason'], detail: string) {
    super(detail);
    this.reason = reason;
  }
}

const TRUST = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)/;
/** RFC 4511 section 4.14: message 1, ExtendedRequest of the StartTLS object identifier. */
const START_TLS = Buffer.concat([Buffer.from([0x30, 0x1d, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16]), Buffer.from('1.3.6.1.4.1.1466.20037', 'latin1')]);
const EXTENDED_RESPONSE = 0x78;
const MAX_ANSWER_BYTES = 16_384;

/** Resolves once `event` fires; rejects where the socket fails, ends or the signal fires first. */
function arrive(socket: Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (error?: Error): void => {
      for (const [name, listener] of Object.entries(listeners)) socket.removeListener(name, listener);
      signal.removeEventListener('abort', onAbort);
      if (error === undefined) resolve();
      else reject(error);
    };
    const listeners: Record<string, (error?: NodeJS.ErrnoException) => void> = {
      [event]: () => { end(); },
      error: (error) => { end(new LdapConnectFailure(TRUST.test(error?.code ?? '') ? 'trust' : 'away', error?.code ?? 'the connection failed')); },
      close: () => { end(new LdapConnectFailure('away', 'the connection was closed')); },
    };
    const onAbort = (): void => { end(new LdapConnectFailure('away', 'no connection in time')); };
    for (const [name, listener] of Object.entries(listeners)) socket.on(name, listener);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

/** One whole LDAP message, and nothing behind it: what an attacker slips in before TLS must never be taken for an answer inside it. */
function oneMessage(socket: Socket, signal: AbortSignal): Promise<BerReader> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const end = (outcome: BerReader | Error): void => {
      socket.removeListener('data', onData);
      socket.removeListener('close', onClose);
      socket.removeListener('error', onClose);
      signal.removeEventListener('abort', onClose);
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    };
    const onClose = (): void => { end(new LdapConnectFailure('away', 'no answer to StartTLS')); };
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const reader = new BerReader(bytes);
      const whole = reader.readSequence() !== null && reader.remain >= reader.length;
      if (bytes.length > MAX_ANSWER_BYTES || (whole && reader.remain > reader.length)) end(new LdapConnectFailure('trust', 'more than the answer came before TLS'));
      else if (whole) end(reader);
    };
    socket.on('data', onData);
    socket.once('close', onClose);
    socket.once('error', onClose);
    signal.addEventListener('abort', onClose, { once: true });
  });
}

async function startTls(socket: Socket, signal: AbortSignal): Promise<void> {
  const answer = oneMessage(socket, signal);
  socket.write(START_TLS);
  const reader = await answer;
  reader.readInt();
  const result = reader.readSequence() === EXTENDED_RESPONSE ? reader.readEnumeration() : null;
  if (result !== 0) throw new LdapConnectFailure('trust', `the server refuses StartTLS (${String(result)})`);
}

/**
 * A connection on which a password may be sent: encrypted, by a server whose certificate and name were verified, unless the
 * configuration says `none`. StartTLS is done here and not by the LDAP library, which would go on unencrypted after a reconnect.
 */
export async function openLdapSocket({ host, port, encryption, ca, connectTimeoutMs }: LdapServer, caller: AbortSignal): Promise<Socket> {
  const signal = AbortSignal.any([caller, AbortSignal.timeout(connectTimeoutMs)]);
  const trust: ConnectionOptions = { host, ...(isIP(host) === 0 && { servername: host }), ...(ca !== undefined && { ca }) };
  let socket: Socket = encryption === 'tls' ? connectTls({ ...trust, port }) : connectTcp({ host, port });
  const plain = socket;
  // An error after the one that was reported must not end the process.
  plain.on('error', () => undefined);
  try {
    await arrive(socket, encryption === 'tls' ? 'secureConnect' : 'connect', signal);
    if (encryption === 'starttls') {
      await startTls(plain, signal);
      socket = connectTls({ ...trust, socket: plain });
      socket.on('error', () => undefined);
      await arrive(socket, 'secureConnect', signal);
    }
    socket.setNoDelay(true);
    return socket;
  } catch (error) {
    socket.destroy();
    plain.destroy();
    throw error instanceof LdapConnectFailure ? error : new LdapConnectFailure('trust', 'the answer to StartTLS cannot be read');
  }
}
