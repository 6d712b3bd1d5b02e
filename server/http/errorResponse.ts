import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ERRORS, type ErrorCode, ModuleError, type Problem } from '../../module/errors.ts';

const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'REQUEST_MALFORMED', 404: 'NOT_FOUND', 405: 'METHOD_NOT_ALLOWED', 413: 'REQUEST_TOO_LARGE', 415: 'REQUEST_MEDIA_TYPE',
};

function coded(error: unknown): ModuleError {
  if (error instanceof ModuleError) return error;
  const code = BY_STATUS[(error as FastifyError).statusCode ?? 500] ?? 'INTERNAL';
  return new ModuleError(code, { cause: error });
}

/** Answers `application/problem+json` (RFC 9457) with a code of the registry; never with a message of a library. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const failure = coded(error);
  const { status, changed, retryable } = ERRORS[failure.code];
  const { name, message, stack } = (failure.cause ?? failure) as Error;
  if (status >= 500) request.log.error({ code: failure.code, cause: name, detail: message, stack }, 'request failed');
  const problem: Problem = {
    type: 'about:blank', title: failure.code, status, code: failure.code, changed, retryable, requestId: request.id,
    ...(Object.keys(failure.params).length > 0 && { params: failure.params }),
    ...(failure.fields.length > 0 && { fields: failure.fields }),
  };
  const wait = failure.params['retryAfterSeconds'];
  if (wait !== undefined) void reply.header('Retry-After', String(wait));
  void reply.code(status).header('Cache-Control', 'no-store').type('application/problem+json').send(JSON.stringify(problem));
}
