import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { ERRORS, type ErrorCode, type Problem } from '../../module/errors.ts';
import type { Metrics } from '../ports/metrics.ts';

/** Seconds after which it is worth asking again: another node, or this one after its restart. */
const RETRY_AFTER_SECONDS = 5;

/** Answers without looking at the request: nothing of it is read, judged or done. */
export function refuse(response: ServerResponse, code: Extract<ErrorCode, 'SHUTTING_DOWN' | 'OVERLOADED'>, { log, metrics }: { readonly log: Logger; readonly metrics: Metrics }): void {
  const { status, changed, retryable } = ERRORS[code];
  const requestId = randomUUID();
  const problem: Problem = { type: 'about:blank', title: code, status, code, changed, retryable, requestId, params: { retryAfterSeconds: RETRY_AFTER_SECONDS } };
  log.info({ requestId, code, status }, 'request refused');
  metrics.problem(code);
  const body = JSON.stringify(problem);
  response.writeHead(status, {
    'Content-Type': 'application/problem+json', 'Content-Length': Buffer.byteLength(body), 'Cache-Control': 'no-store', 'X-Request-Id': requestId,
    'Retry-After': String(RETRY_AFTER_SECONDS), Connection: 'close',
  }).end(body);
}
