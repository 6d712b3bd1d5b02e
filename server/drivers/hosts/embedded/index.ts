import { object } from 'yup';
import { ModuleError } from '../../../../module/errors.ts';
import type { HostIdentity } from '../../../ports/hostIdentity.ts';
import { defineHostDriver } from '../../defineDriver.ts';
import { embeddedDatabase, holdEmbedded } from '../../embeddedDatabase.ts';
import { sameToken, webSessions } from './webSessions.ts';

export const SESSION_COOKIE = 'mailbox_session';

/** The small webmail that `npm start` runs. */
export default defineHostDriver({
  name: 'embedded',
  summary: 'A small webmail of our own; for trying things out.',
  options: object({}).noUnknown(),
  async create(_options, { dataDir, clock, log }): Promise<HostIdentity> {
    const sessions = webSessions(await embeddedDatabase(dataDir), clock);
    log.warn('The embedded host is for trying things out: its mailboxes and passwords are known to everybody.');
    return {
      async authenticate({ method, headers, cookies }) {
        const token = cookies[SESSION_COOKIE];
        const session = token === undefined || token === '' ? null : await sessions.find(token);
        if (session === null) return null;
        const changes = method !== 'GET' && method !== 'HEAD';
        if (changes && !sameToken(headers['x-csrf-token'] ?? '', session.csrfToken)) throw new ModuleError('CSRF_TOKEN_INVALID');
        return { kind: 'owner', address: session.address, sessionId: session.id };
      },
      clearedCookies: () => [`${SESSION_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax`],
      check: () => Promise.resolve(),
      close: holdEmbedded(dataDir),
    };
  },
});
