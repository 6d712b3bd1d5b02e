import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ModuleError } from '../../module/errors.ts';

/** Answers what no route takes: `METHOD_NOT_ALLOWED` with `Allow` (RFC 9110, section 15.5.6) where the address has another method, else `NOT_FOUND`. */
export function unknownAddresses(app: FastifyInstance, sendError: (error: unknown, request: FastifyRequest, reply: FastifyReply) => void): void {
  const methods = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ path, method }) => {
    const known = methods.get(path) ?? new Set();
    for (const one of [method].flat()) known.add(one);
    methods.set(path, known);
  });
  app.setNotFoundHandler((request, reply) => {
    const allowed = methods.get(request.url.split('?', 1)[0] ?? '');
    if (allowed !== undefined) void reply.header('Allow', [...allowed].sort().join(', '));
    sendError(new ModuleError(allowed === undefined ? 'NOT_FOUND' : 'METHOD_NOT_ALLOWED'), request, reply);
  });
}
