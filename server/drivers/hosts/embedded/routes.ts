import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { object, string } from 'yup';
import { ModuleError } from '../../../../module/errors.ts';
import { normalizePassword } from '../../../../module/policy/normalizePassword.ts';
import { validateRequest } from '../../../../module/requests/validateRequest.ts';
import { packageRoot, readJson } from '../../../paths.ts';
import { authenticate } from '../../../http/guard.ts';
import type { WrongPasswordLimit } from '../../../http/wrongPasswordLimit.ts';
import { Secret } from '../../../secret.ts';
import { listSessions } from '../../../useCases/listSessions.ts';
import type { Wiring } from '../../../wiring.ts';
import { hasDemoMailboxes } from '../../../panels/demo.ts';
import { DEMO_MAILBOXES, embeddedDatabase } from '../../embeddedDatabase.ts';
import { SESSION_COOKIE } from './index.ts';
import { webSessions } from './webSessions.ts';

const loginSchema = object({
  address: string().typeError('WRONG_TYPE').required('REQUIRED').max(320, 'TOO_LONG'),
  password: string().typeError('WRONG_TYPE').required('REQUIRED').max(1024, 'TOO_LONG'),
}).typeError('WRONG_TYPE').required('REQUIRED').noUnknown('UNKNOWN_KEY');

const MESSAGES = [
  { from: 'Bob Brown', subject: 'Lunch on Friday?', date: '2026-11-20T11:05:00Z' },
  { from: 'Postmaster', subject: 'Welcome to your new mailbox', date: '2026-11-18T08:30:00Z' },
];

/** The pages of the embedded host and what they ask for. */
export async function embeddedRoutes(app: FastifyInstance, wiring: Wiring, limit: WrongPasswordLimit): Promise<void> {
  const { accounts, clock, config, stores, dataDir } = wiring;
  const sessions = webSessions(await embeddedDatabase(dataDir), clock);
  const options = () => ({ signal: AbortSignal.timeout(config.timeouts.accountsMs) });
  const secure = config.server.publicUrl?.startsWith('https:') === true;

  function page(kind: 'login' | 'webmail'): string {
    const list = join(packageRoot(), 'dist', 'client', 'assets.json');
    const files = existsSync(list) ? (readJson(list) as Record<string, string>) : {};
    const asset = (name: string): string => `${config.server.basePath}/assets/${files[name] ?? name}`;
    return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">`
      + `<title>Webmail</title><link rel="icon" href="data:,"><link rel="stylesheet" href="${asset('shell.css')}">`
      + `<script type="module" src="${asset('shell.js')}"></script></head>`
      + `<body><div id="app" data-page="${kind}" data-base="${config.server.basePath}"></div></body></html>`;
  }

  const current = (request: FastifyRequest) => authenticate(request, wiring);

  app.get('/login', (_request, reply) => reply.header('Cache-Control', 'no-store').type('text/html').send(page('login')));
  app.get('/', async (request, reply) => {
    const signedIn = await current(request).catch(() => null);
    if (signedIn === null) return reply.redirect(request.url.includes('account') ? '/login?account' : '/login');
    return reply.header('Cache-Control', 'no-store').type('text/html').send(page('webmail'));
  });
  app.get('/.well-known/change-password', (_request, reply) => reply.redirect('/?account'));
  const demo = hasDemoMailboxes(config) ? DEMO_MAILBOXES.map(({ address, password }) => ({ address, password })) : [];
  app.get('/host/demo', () => ({ accounts: demo }));

  app.get('/host/session', async (request) => {
    const { address, sessionId } = await current(request);
    const [account, own, { sessions: listed }] = await Promise.all([
      accounts.find(address, options()),
      sessions.find(request.cookies[SESSION_COOKIE] ?? ''),
      listSessions(address, stores, config.timeouts.sessionsMs),
    ]);
    return {
      address, displayName: account?.displayName ?? address, csrfToken: own?.csrfToken, demo: true,
      sessions: listed.map((session) => ({ ...session, current: session.id === sessionId })),
    };
  });

  app.get('/host/messages', async (request) => {
    await current(request);
    return { messages: MESSAGES };
  });

  app.post('/host/login', async (request, reply) => {
    const verdict = validateRequest(loginSchema, request.body);
    if ('fields' in verdict) throw new ModuleError('REQUEST_INVALID', { fields: verdict.fields });
    const { address, password } = verdict.value;
    const startedAt = clock.now();
    await limit(address, request.ip, async () => {
      if (!(await accounts.verifyPassword(address, new Secret(normalizePassword(password)), options()))) throw new ModuleError('CREDENTIALS_WRONG');
    });
    const token = await sessions.open(address, startedAt, request.headers['user-agent'] ?? '', request.ip);
    void reply.setCookie(SESSION_COOKIE, token, { path: '/', httpOnly: true, sameSite: 'lax', secure });
    return { address: address.toLowerCase() };
  });

  app.post('/host/logout', async (request, reply) => {
    const { sessionId } = await current(request);
    if (sessionId !== null) await sessions.end(sessionId);
    void reply.clearCookie(SESSION_COOKIE, { path: '/' });
    return reply.code(204).send();
  });
}
