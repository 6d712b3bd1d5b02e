import type { FastifyReply, FastifyRequest } from 'fastify';
import { ModuleError } from '../../../module/errors.ts';
import type { PanelKind, PanelSession } from '../../panels/panelSessions.ts';
import { sameText } from '../../panels/tokens.ts';
import type { AuditEvent } from '../../ports/auditLog.ts';
import type { Requester } from '../../useCases/replacePassword.ts';
import type { Wiring } from '../../wiring.ts';

export const requester = (request: FastifyRequest, kind: PanelKind): Requester => ({
  requestId: request.id, remoteAddress: request.ip, userAgent: request.headers['user-agent'] ?? '', surface: `${kind}-panel`, language: request.headers['accept-language'],
});

export type PanelGuard = ReturnType<typeof panelGuard>;

/**
 * The log-in of one panel. On https the cookie is `__Host-` (RFC 6265bis: this host only, secure, Path=/); on plain http, which
 * is for trying things out, its path is the panel's API alone.
 */
export function panelGuard({ panels, config, clock, audit, log }: Wiring, kind: PanelKind) {
  const secure = config.server.publicUrl?.startsWith('https:') === true;
  const name = `${secure ? '__Host-' : ''}mailbox_${kind}_panel`;
  const path = secure ? '/' : `${config.server.basePath}/${kind === 'user' ? 'panel' : 'admin'}/api`;
  const cookie = { path, secure, httpOnly: true, sameSite: 'strict' } as const;
  const token = (request: FastifyRequest): string => request.cookies[name] ?? '';
  // Somebody types the password where the name belongs: what is no name stands nowhere.
  const known = (typed: string): string => (typed === '' || panels.administrators.find(typed) !== null || /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(typed) ? typed : 'unknown');
  const write = async (request: FastifyRequest, given: Pick<AuditEvent, 'action' | 'actor' | 'address' | 'outcome'>): Promise<void> => {
    const event = given.action === 'signIn' && given.outcome !== 'done' ? { ...given, actor: known(given.actor), address: known(given.address) } : given;
    const actorKind = kind === 'user' ? 'owner' : 'administrator';
    await audit.append({ at: clock.now(), ...event, actorKind, ...requester(request, kind), ended: {} }).catch(() => { log.error({ requestId: request.id }, 'the audit log did not answer'); });
    log.info({ requestId: request.id, ...event }, 'panel');
  };

  return {
    write,
    /** Who is logged in; whatever changes something carries the CSRF token too. */
    async session(request: FastifyRequest): Promise<PanelSession> {
      const given = token(request);
      const session = given === '' ? null : await panels.sessions.find(kind, given);
      if (session === null) throw new ModuleError('AUTHENTICATION_REQUIRED');
      const changes = request.method !== 'GET' && request.method !== 'HEAD';
      const csrf = request.headers['x-csrf-token'];
      if (changes && (typeof csrf !== 'string' || !sameText(csrf, session.csrfToken))) throw new ModuleError('CSRF_TOKEN_INVALID');
      return session;
    },
    /** A new session under a new token; the one that the browser had, if any, ends. */
    async open(request: FastifyRequest, reply: FastifyReply, subject: string, credential: string, issuedAt: number): Promise<PanelSession> {
      const before = token(request);
      if (before !== '') await panels.sessions.end(before);
      const opened = await panels.sessions.open({ kind, subject, credential, issuedAt, client: request.headers['user-agent'] ?? '', remoteAddress: request.ip });
      void reply.setCookie(name, opened.token, cookie);
      await write(request, { action: 'signIn', actor: subject, address: kind === 'user' ? subject : '', outcome: 'done' });
      return opened.session;
    },
    async close(request: FastifyRequest, reply: FastifyReply): Promise<void> {
      await panels.sessions.end(token(request));
      void reply.clearCookie(name, cookie);
    },
    clearCookie(reply: FastifyReply): void {
      void reply.clearCookie(name, cookie);
    },
  };
}
