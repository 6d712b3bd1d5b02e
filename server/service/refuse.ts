import type { ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { ERRORS, type ErrorCode, type Problem } from '../../module/errors.ts';
import type { Metrics } from '../ports/metrics.ts';

/** Seconds after which it is worth asking again: another node, or this one after its restart. */
const RETRY_AFTER_SECONDS = 5;

/** What a request is called in its log line, as in those of the requests that were looked at. */
export interface RefusedRequest {
  readonly requestId: string;
  readonly method: string;
  /** The pattern, never the path. */
  readonly route: string;
  readonly remoteAddress: string;
}

/** Answers without looking at what the request wants: nothing of its body is read, judged or done. */
export function refuse(response: ServerResponse, code: Extract<ErrorCode, 'SHUTTING_DOWN' | 'OVERLOADED'>, request: RefusedRequest, { log, metrics }: { readonly log: Logger; readonly metrics: Metrics }): void {
  const { status, changed, retryable } = ERRORS[code];
  const { requestId, method, route, remoteAddress } = request;
  const problem: Problem = { type: 'about:blank', title: code, status, code, changed, retryable, requestId, params: { retryAfterSeconds: RETRY_AFTER_SECONDS } };
  log.info({ requestId, code, status, method, route, remoteAddress }, 'request refused');
  metrics.problem(code);
  const body = JSON.stringify(problem);
  response.writeHead(status, {
    'Content-Type': 'application/problem+json', 'Content-Length': Buffer.byteLength(body), 'Cache-Control': 'no-store', 'X-Request-Id': requestId,
    'Retry-After': String(RETRY_AFTER_SECONDS), Connection: 'close',
  }).end(body);
}
