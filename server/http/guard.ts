import type { FastifyRequest } from 'fastify';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { ModuleError } from '../../module/errors.ts';
import type { Actor } from '../ports/hostIdentity.ts';
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

/** Who is calling, by the host's word alone. */
export async function authenticate(request: FastifyRequest, { host, config }: Wiring): Promise<Actor> {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]));
  const actor = await host.authenticate(
    { method: request.method, headers, cookies: request.cookies, remoteAddress: request.ip },
    { signal: AbortSignal.timeout(config.timeouts.hostMs) },
  );
  if (actor === null) throw new ModuleError('AUTHENTICATION_REQUIRED');
  return actor;
}

/** Counts wrong passwords by mailbox and by client address; a right one costs nothing. */
export function wrongPasswordLimit({ config, metrics }: Wiring) {
  const make = ({ points, windowSeconds }: { points: number; windowSeconds: number }) => new RateLimiterMemory({ points, duration: windowSeconds });
  const limits = [
    { kind: 'mailbox', limiter: make(config.rateLimit.wrongPasswordsPerMailbox), points: config.rateLimit.wrongPasswordsPerMailbox.points, key: (address: string) => address.toLowerCase() },
    { kind: 'address', limiter: make(config.rateLimit.wrongPasswordsPerAddress), points: config.rateLimit.wrongPasswordsPerAddress.points, key: (_address: string, ip: string) => ip },
  ];
  return {
    /** Before any hash is computed. Throws RATE_LIMITED with `retryAfterSeconds`. */
    async check(address: string, ip: string): Promise<void> {
      for (const { kind, limiter, points, key } of limits) {
        const state = await limiter.get(key(address, ip));
        if (state !== null && state.consumedPoints >= points) {
          metrics.rateLimited(kind);
          throw new ModuleError('RATE_LIMITED', { params: { retryAfterSeconds: Math.max(1, Math.ceil(state.msBeforeNext / 1000)) } });
        }
      }
    },
    async count(address: string, ip: string): Promise<void> {
      for (const { limiter, key } of limits) {
        await limiter.consume(key(address, ip)).catch((refused: unknown) => { if (!(refused instanceof RateLimiterRes)) throw refused; });
      }
    },
    async forgive(address: string): Promise<void> {
      await limits[0]?.limiter.delete(address.toLowerCase());
    },
  };
}

export type WrongPasswordLimit = ReturnType<typeof wrongPasswordLimit>;
