import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { ERRORS, type ErrorCode, type Problem } from '../../module/errors.ts';
import type { Metrics } from '../ports/metrics.ts';

/** What Node's parser says: its code -> the line of the answer, and ours. Anything else is a request that cannot be read. */
const KNOWN: Readonly<Record<string, readonly [line: string, code: ErrorCode]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'REQUEST_TOO_LARGE'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['413 Payload Too Large', 'REQUEST_TOO_LARGE'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'REQUEST_MALFORMED'],
};

interface Told { readonly log: Logger; readonly metrics: Metrics }

function answer(socket: Duplex, line: string, code: ErrorCode, { log, metrics }: Told): void {
  const requestId = randomUUID();
  const { changed, retryable } = ERRORS[code];
  const problem: Problem = { type: 'about:blank', title: code, status: Number(line.slice(0, 3)), code, changed, retryable, requestId };
  log.info({ requestId, code, status: problem.status }, 'request refused');
  metrics.problem(code);
  const body = JSON.stringify(problem);
  socket.end(`HTTP/1.1 ${line}\r\nContent-Type: application/problem+json\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\nCache-Control: no-store\r\nX-Request-Id: ${requestId}\r\nConnection: close\r\n\r\n${body}`);
}

/**
 * Whether nothing stands in the way of an answer: none is under way on this connection, or it is the one to the very request whose body cannot be
 * read, and not one byte of it was sent. (Else ours would be taken for the answer to the request before.)
 */
function isFree(socket: Duplex): boolean {
  const { _httpMessage: underWay = null } = socket as Duplex & { _httpMessage?: ServerResponse | null };
  return underWay === null || (!underWay.headersSent && !underWay.req.complete);
}

/**
 * Answers what Node's HTTP parser gave up (`clientError` of the server) with a code, as everything else is answered, and closes the
 * connection: where the next request begins can no longer be told. Nothing of it was looked at.
 */
export const refuseUnreadable = (told: Told) => (error: NodeJS.ErrnoException, socket: Duplex): void => {
  // Gone, or an answer is being sent: there is no place for another one.
  if (error.code === 'ECONNRESET' || !socket.writable || !isFree(socket)) {
    socket.destroy();
    return;
  }
  const [line, code] = KNOWN[error.code ?? ''] ?? ['400 Bad Request', 'REQUEST_MALFORMED'];
  answer(socket, line, code, told);
};

/** Answers CONNECT, which Node would leave without an answer: nobody gets a tunnel through this service. */
export const refuseTunnel = (told: Told) => (_request: unknown, socket: Duplex): void => {
  socket.on('error', () => undefined);
  answer(socket, '405 Method Not Allowed\r\nAllow: GET, HEAD, POST', 'METHOD_NOT_ALLOWED', told);
};
