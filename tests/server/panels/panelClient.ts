import type { FastifyInstance } from 'fastify';
import type { Wiring } from '../../../server/wiring.ts';

const base = '/mailbox-password';

export interface Panel { readonly status: number; readonly cookie: string; readonly csrf: string; readonly raw: string; readonly body: Record<string, unknown> }

export async function enter(app: FastifyInstance, kind: 'panel' | 'admin', payload: object, headers: Record<string, string> = {}, path = 'login'): Promise<Panel> {
  const answer = await app.inject({ method: 'POST', url: `${base}/${kind}/api/v1/${path}`, payload, headers });
  const body = answer.json<Record<string, unknown>>();
  return { status: answer.statusCode, cookie: answer.cookies.map(({ name, value }) => `${name}=${value}`).join('; '), csrf: String(body['csrfToken']), raw: String(answer.headers['set-cookie']), body };
}
export const enterUser = (app: FastifyInstance, who: { address: string; password: string }) => enter(app, 'panel', { address: who.address, password: who.password });
export const enterAdmin = (app: FastifyInstance, who = { name: 'admin', password: 'Admin-demo-9' }) => enter(app, 'admin', who);

export async function call(app: FastifyInstance, { cookie, csrf }: Pick<Panel, 'cookie' | 'csrf'>, method: 'GET' | 'POST', path: string, payload?: object, headers: Record<string, string> = {}) {
  const answer = await app.inject({ method, url: base + path, headers: { cookie, ...(method === 'POST' && { 'x-csrf-token': csrf }), ...headers }, ...(payload !== undefined && { payload }) });
  return { status: answer.statusCode, text: answer.body, headers: answer.headers, body: String(answer.headers['content-type']).includes('json') ? answer.json<Record<string, never>>() : {} as Record<string, never> };
}

export const history = async (wiring: Wiring) => (await wiring.audit.read({ domains: null, cursor: null, limit: 100 })).events;
