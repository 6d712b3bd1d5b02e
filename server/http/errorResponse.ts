import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { ERRORS, type ErrorCode, ModuleError, type Problem } from '../../module/errors.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { TextLibrary } from '../texts/textLibrary.ts';
import { notePage, opensPage, PAGE_POLICY } from './notePage.ts';

const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  // The static files' word for a path that leads out of their folder: like any other that is not there.
  403: 'NOT_FOUND',
  404: 'NOT_FOUND', 405: 'METHOD_NOT_ALLOWED', 413: 'REQUEST_TOO_LARGE', 415: 'REQUEST_MEDIA_TYPE',
};

function coded(error: unknown): ModuleError {
  if (error instanceof ModuleError) return error;
  const status = (error as FastifyError).statusCode ?? 500;
  // What Fastify and its plugins refuse below 500 is the caller's: nothing of ours is broken, and nothing was looked at.
  return new ModuleError(BY_STATUS[status] ?? (status < 500 ? 'REQUEST_MALFORMED' : 'INTERNAL'), { cause: error });
}

/** What the service says of itself: nothing is broken. */
const EXPECTED: ReadonlySet<ErrorCode> = new Set(['READ_ONLY', 'SHUTTING_DOWN', 'OPERATION_NOT_SUPPORTED']);

/** One line per problem. Below 500 it names no detail: what the caller sent may be in there. */
function logProblem(failure: ModuleError, { id, method, routeOptions, ip }: FastifyRequest, log: Logger): void {
  const { status } = ERRORS[failure.code];
  const line = { requestId: id, code: failure.code, status, method, route: routeOptions.url ?? 'none', remoteAddress: ip };
  if (status < 500 || EXPECTED.has(failure.code)) {
    log.info(line, 'request refused');
    return;
  }
  const { name, message, stack } = (failure.cause ?? failure) as Error;
  log.error({ ...line, cause: name, detail: message, stack }, 'request failed');
}

/**
 * Answers `application/problem+json` (RFC 9457) with a code of the registry; never with a message of a library. Where somebody opens a page (an
 * old address, a panel that is off), the sentence that belongs to the code.
 */
export const problemSender = ({ metrics, log, texts }: { readonly metrics: Metrics; readonly log: Logger; readonly texts: TextLibrary }) => (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
  const failure = coded(error);
  const { status, changed, retryable } = ERRORS[failure.code];
  logProblem(failure, request, log);
  metrics.problem(failure.code);
  const problem: Problem = {
    type: 'about:blank', title: failure.code, status, code: failure.code, changed, retryable, requestId: request.id,
    ...(Object.keys(failure.params).length > 0 && { params: failure.params }),
    ...(failure.fields.length > 0 && { fields: failure.fields }),
  };
  const wait = failure.params['retryAfterSeconds'];
  if (wait !== undefined) void reply.header('Retry-After', String(wait));
  // Also where no hook ran: an address that cannot be decoded has no route.
  void reply.code(status).header('X-Request-Id', request.id).header('X-Content-Type-Options', 'nosniff').header('Cache-Control', 'no-store');
  if (opensPage(request)) {
    const page = notePage({ code: failure.code, params: failure.params, acceptLanguage: request.headers['accept-language'] }, texts);
    void reply.header('Content-Security-Policy', PAGE_POLICY).type('text/html; charset=utf-8').send(page);
    return;
  }
  void reply.type('application/problem+json').send(JSON.stringify(problem));
};
