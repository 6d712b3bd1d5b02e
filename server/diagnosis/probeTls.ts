import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { TlsEndpoint } from '../ports/diagnosis.ts';

export interface TlsTarget extends TlsEndpoint {
  /** Authorities (PEM); the system's where it is left out. */
  readonly ca?: string | Buffer | undefined;
}

export interface TlsFacts {
  /** `TLSv1.3`. */
  readonly protocol: string;
  readonly subject: string;
  /** Milliseconds since the epoch. */
  readonly validFrom: number;
  readonly validTo: number;
  /** Node's code of why the certificate is not trusted (`CERT_HAS_EXPIRED`, ...); null where it is. */
  readonly distrust: string | null;
}

const read = (socket: Socket, enough: (bytes: Buffer) => boolean): Promise<Buffer> => new Promise((resolve, reject) => {
  let bytes = Buffer.alloc(0);
  const end = (error?: Error): void => {
    socket.off('data', onData).off('error', end).off('close', onClose);
    if (error === undefined) resolve(bytes); else reject(error);
  };
  const onClose = (): void => { end(new Error('the connection was closed')); };
  const onData = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    if (enough(bytes)) { socket.pause(); end(); }
  };
  socket.on('data', onData).on('error', end).on('close', onClose).resume();
});

const lineThat = (pattern: RegExp) => (bytes: Buffer): boolean => pattern.test(bytes.toString('latin1'));

/** What each protocol says to begin TLS. */
const BEFORE: Readonly<Record<NonNullable<TlsTarget['before']>, (socket: Socket) => Promise<void>>> = {
  /** https://www.postgresql.org/docs/current/protocol-message-formats.html, SSLRequest. */
  async postgres(socket) {
    const request = Buffer.alloc(8);
    request.writeInt32BE(8, 0);
    request.writeInt32BE(80_877_103, 4);
    socket.write(request);
    if ((await read(socket, (bytes) => bytes.length >= 1)).toString('latin1', 0, 1) !== 'S') throw new Error('the server offers no TLS');
  },
  /** https://mariadb.com/kb/en/connection/, SSLRequest packet: capabilities only, no user and no password. */
  async mysql(socket) {
    const greeting = await read(socket, (bytes) => bytes.length >= 4 && bytes.length >= 4 + bytes.readUIntLE(0, 3));
    if (greeting[4] === 0xff) throw new Error('the server refuses the connection');
    const afterVersion = greeting.indexOf(0, 5) + 1;
    // Thread id (4), scramble (8), filler (1), then the lower half of the capabilities.
    const capabilities = greeting.readUInt16LE(afterVersion + 13);
    const SSL = 0x0800;
    if ((capabilities & SSL) === 0) throw new Error('the server offers no TLS');
    const packet = Buffer.alloc(36);
    packet.writeUIntLE(32, 0, 3);
    packet[3] = 1;
    // PROTOCOL_41, SSL, SECURE_CONNECTION.
    packet.writeUInt32LE(0x0200 | SSL | 0x8000, 4);
    packet.writeUInt32LE(1_073_741_824, 8);
    packet[12] = 45;
    socket.write(packet);
  },
  /** RFC 4511 section 4.14: message 1, ExtendedRequest of the StartTLS object identifier. */
  async ldap(socket) {
    socket.write(Buffer.concat([Buffer.from([0x30, 0x1d, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16]), Buffer.from('1.3.6.1.4.1.1466.20037', 'latin1')]));
    const answer = await read(socket, (bytes) => bytes.length >= 2 && bytes.length >= 2 + (bytes[1] ?? 0));
    // ExtendedResponse (0x78), then resultCode: an ENUMERATED of one byte, 0 = success.
    const at = answer.indexOf(0x78);
    if (at < 0 || answer[at + 4] !== 0) throw new Error('the server offers no TLS');
  },
  async smtp(socket) {
    await read(socket, lineThat(/^220 [^\n]*\n/m));
    socket.write('EHLO mailbox-password\r\n');
    await read(socket, lineThat(/^250 [^\n]*\n/m));
    socket.write('STARTTLS\r\n');
    if (!(await read(socket, lineThat(/^\d{3} [^\n]*\n/m))).toString('latin1').startsWith('220')) throw new Error('the server offers no TLS');
  },
  async imap(socket) {
    await read(socket, lineThat(/^\* OK[^\n]*\n/m));
    socket.write('a STARTTLS\r\n');
    if (!/^a OK/m.test((await read(socket, lineThat(/^a [^\n]*\n/m))).toString('latin1'))) throw new Error('the server offers no TLS');
  },
};

/** Node gives the code as a text, or an error that has it. */
const codeOf = (error: unknown): string => (typeof error === 'string' ? error : ((error as { code?: string } | null)?.code ?? 'unknown'));

/** Only the handshake: no name, no password is sent, so a certificate that is not trusted can be looked at and described. */
export async function probeTls({ host, port, before, ca }: TlsTarget, signal: AbortSignal): Promise<TlsFacts> {
  const socket = connectTcp({ host, port });
  const stop = (): void => { socket.destroy(new Error('no answer in time')); };
  signal.addEventListener('abort', stop, { once: true });
  let secure: TLSSocket | undefined;
  try {
    await new Promise<void>((resolve, reject) => { socket.once('connect', resolve).once('error', reject); });
    if (before !== undefined) await BEFORE[before](socket);
    secure = connectTls({ socket, rejectUnauthorized: false, ...(isIP(host) === 0 && { servername: host }), ...(ca !== undefined && { ca }), host });
    const opened = secure;
    await new Promise<void>((resolve, reject) => { opened.once('secureConnect', resolve).once('error', reject).once('close', () => { reject(new Error('the connection was closed')); }); });
    const { subject, valid_from: from, valid_to: to } = opened.getPeerCertificate();
    const name = [subject?.CN ?? ''].flat()[0] ?? '';
    return {
      protocol: opened.getProtocol() ?? 'TLS', subject: name, validFrom: Date.parse(from), validTo: Date.parse(to),
      distrust: opened.authorized ? null : codeOf(opened.authorizationError),
    };
  } finally {
    signal.removeEventListener('abort', stop);
    secure?.destroy();
    socket.destroy();
  }
}
