import type { FastifyInstance } from 'fastify';
import { ModuleError } from '../../module/errors.ts';

/**
 * JSON bodies are UTF-8 (RFC 8259, section 8.1), and nothing else is guessed: read leniently, every byte that is none becomes U+FFFD, and
 * many different passwords would be one. Refused with `REQUEST_MALFORMED`; the rest is Fastify's own parser (no `__proto__`).
 */
export function readStrictJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(body as Buffer);
    } catch {
      done(new ModuleError('REQUEST_MALFORMED'));
      return;
    }
    void parse(request, text, done);
  });
}
