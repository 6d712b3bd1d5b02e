import type { FastifyRequest } from 'fastify';
import { ModuleError } from '../../module/errors.ts';
import type { Actor, HostAdministrator, IdentityRequest } from '../ports/hostIdentity.ts';
import type { Wiring } from '../wiring.ts';

/** Fetch Metadata (W3C) where the browser sends it, else Origin (RFC 6454): a page of another site changes nothing here. */
export function checkOrigin(request: FastifyRequest, publicUrl: string | null): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') throw new ModuleError('ORIGIN_NOT_ALLOWED');
  const { origin } = request.headers;
  if (origin === undefined) return;
  const own = publicUrl === null ? `${request.protocol}://${request.host}` : new URL(publicUrl).origin;
  if (origin !== own) throw new ModuleError('ORIGIN_NOT_ALLOWED');
}

const identityRequest = (request: FastifyRequest): IdentityRequest => ({
  method: request.method, cookies: request.cookies, remoteAddress: request.ip,
  headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value])),
});

/** The calling administrator of the host, by the host's word alone; null where there is none. */
export const hostAdministratorOf = async (request: FastifyRequest, { host, config }: Wiring): Promise<HostAdministrator | null> =>
  (await host.administrator?.(identityRequest(request), { signal: AbortSignal.timeout(config.timeouts.hostMs) })) ?? null;

/** Who is calling, by the host's word alone. */
export async function authenticate(request: FastifyRequest, { host, config }: Wiring): Promise<Actor> {
  const actor = await host.authenticate(identityRequest(request), { signal: AbortSignal.timeout(config.timeouts.hostMs) });
  if (actor === null) throw new ModuleError('AUTHENTICATION_REQUIRED');
  return actor;
}
