import { Agent as HttpAgent, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export interface OutgoingCall {
  readonly method: string;
  /** Path and query below the base, already encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  /** Of the answer. */
  readonly maxBytes: number;
  /** On a connection of its own: a kept one may be closed by the other side just then, and nobody could say what was done. */
  readonly fresh: boolean;
}

export interface CallAnswer {
  readonly status: number;
  /** Undefined where there is none or it is not JSON. */
  readonly body: unknown;
}

/**
 * No usable answer. `sent`: the other side may have seen the request. `reason` holds no secret and nothing of an answer.
 * `trust`: its certificate is not one to trust, or it speaks no TLS.
 */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';
  readonly sent: boolean;
  readonly reason: 'noConnection' | 'deadline' | 'brokeOff' | 'tooLarge' | 'trust';

  constructor(reason: CallFailure['reason'], sent: boolean, code = '') {
    super(code === '' ? reason : `${reason} (${code})`);
    this.reason = reason;
    this.sent = sent;
  }
}

export interface HttpCallerOptions {
  readonly baseUrl: URL;
  /** PEM; trusted instead of the system's certificates. */
  readonly ca?: string | undefined;
  /** Milliseconds for one call, connection included. */
  readonly timeoutMs: number;
}

export interface HttpCaller {
  call(outgoing: OutgoingCall, signal: AbortSignal): Promise<CallAnswer>;
  close(): void;
}

const TRUST = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)/;

/** Speaks to one account API, whose place comes from the configuration alone. Redirects are answers like any other: not followed. */
export function createHttpCaller({ baseUrl, ca, timeoutMs }: HttpCallerOptions): HttpCaller {
  const secure = baseUrl.protocol === 'https:';
  const trust = secure && ca !== undefined ? { ca } : {};
  const agent = secure ? new HttpsAgent({ keepAlive: true, ...trust }) : new HttpAgent({ keepAlive: true });
  const folder = baseUrl.pathname.replace(/\/$/, '');
  const send = secure ? httpsRequest : httpRequest;

  function call({ method, path, headers, body, maxBytes, fresh }: OutgoingCall, signal: AbortSignal): Promise<CallAnswer> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(new CallFailure('deadline', false));
        return;
      }
      let sent = false;
      const timeout = AbortSignal.timeout(timeoutMs);
      const stop = AbortSignal.any([signal, timeout]);
      const fail = (error: unknown): void => {
        const code = typeof (error as NodeJS.ErrnoException).code === 'string' ? (error as { code: string }).code : '';
        if (error instanceof CallFailure) reject(error);
        else if (stop.aborted) reject(new CallFailure('deadline', sent));
        else if (!sent && TRUST.test(code)) reject(new CallFailure('trust', sent, code));
        else reject(new CallFailure(sent ? 'brokeOff' : 'noConnection', sent, code));
      };
      const options: RequestOptions = {
        protocol: baseUrl.protocol, hostname: baseUrl.hostname.replace(/^\[|\]$/g, ''), port: baseUrl.port, path: `${folder}${path}`, method, signal: stop,
        headers: { ...headers, ...(body !== undefined && { 'Content-Length': String(body.length) }) },
        agent: fresh ? false : agent, ...trust,
      };
      const outgoing = send(options, (incoming) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        incoming.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > maxBytes) {
            fail(new CallFailure('tooLarge', true));
            outgoing.destroy();
          } else chunks.push(chunk);
        });
        incoming.on('error', fail);
        incoming.on('end', () => { resolve({ status: incoming.statusCode ?? 0, body: parseJson(Buffer.concat(chunks)) }); });
      });
      outgoing.on('error', fail);
      // "Sent" only once the connection stands (and is trusted): a refused one has certainly done nothing.
      outgoing.on('socket', (socket) => {
        if (socket.connecting) socket.once(secure ? 'secureConnect' : 'connect', () => { sent = true; });
        else sent = true;
      });
      outgoing.end(body);
    });
  }

  return { call, close() { agent.destroy(); } };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}
