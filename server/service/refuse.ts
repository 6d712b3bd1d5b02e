import type { ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { ERRORS, type ErrorCode, type Problem } from '../../module/errors.ts';
import type { Metrics } from '../ports/metrics.ts';
import { notePage, PAGE_POLICY } from '../http/notePage.ts';
import type { TextLibrary } from '../texts/textLibrary.ts';

/** Seconds after which it is worth asking again: another node, or this one after its restart. */
const RETRY_AFTER_SECONDS = 5;

/** What a request is called in its log line, as in those of the requests that were looked at. */
export interface RefusedRequest {
  readonly requestId: string;
  readonly method: string;
  /** The pattern, never the path. */
  readonly route: string;
  readonly remoteAddress: string;
  /** Where somebody opens a page: the `Accept-Language` of the browser, and the texts to answer in. */
  readonly page: { readonly acceptLanguage: string | undefined; readonly texts: TextLibrary } | null;
}

/** Answers without looking at what the request wants: nothing of its body is read, judged or done. A page for people, else a problem for programs. */
export function refuse(response: ServerResponse, code: Extract<ErrorCode, 'SHUTTING_DOWN' | 'OVERLOADED'>, request: RefusedRequest, { log, metrics }: { readonly log: Logger; readonly metrics: Metrics }): void {
  const { status, changed, retryable } = ERRORS[code];
  const { requestId, method, route, remoteAddress, page } = request;
  const problem: Problem = { type: 'about:blank', title: code, status, code, changed, retryable, requestId, params: { retryAfterSeconds: RETRY_AFTER_SECONDS } };
  log.info({ requestId, code, status, method, route, remoteAddress }, 'request refused');
  metrics.problem(code);
  const body = page === null ? JSON.stringify(problem) : notePage({ code, reloadAfterSeconds: RETRY_AFTER_SECONDS, acceptLanguage: page.acceptLanguage }, page.texts);
  response.writeHead(status, {
    'Content-Type': page === null ? 'application/problem+json' : 'text/html; charset=utf-8', 'Content-Length': Buffer.byteLength(body), 'Cache-Control': 'no-store', 'X-Request-Id': requestId,
    ...(page !== null && { 'Content-Security-Policy': PAGE_POLICY, 'X-Content-Type-Options': 'nosniff' }),
    'Retry-After': String(RETRY_AFTER_SECONDS), Connection: 'close',
  }).end(body);
}
