import type { FastifyInstance } from 'fastify';
import type { Lifecycle } from '../lifecycle.ts';
import type { Readiness } from '../readiness.ts';

/**
 * `/healthz`: the process answers. `/readyz`: everything behind it answers too, no log-out is overdue, and it is not shutting down; what is
 * not well is named, and nothing more; `warnings` names what people get on without. `/readyz/self`: only the last of these, for load balancers in front of nodes that share what is behind.
 */
export function operatorRoutes(app: FastifyInstance, readiness: () => Promise<Readiness>, lifecycle: Lifecycle): void {
  const answer = (down: readonly string[]) => ({ status: down.length === 0 ? 'ready' : 'not ready', down });
  const leaving = (): string[] => (lifecycle.draining ? ['shutting-down'] : []);
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz/self', async (_request, reply) => reply.code(lifecycle.draining ? 503 : 200).header('Cache-Control', 'no-store').send(answer(leaving())));
  app.get('/readyz', async (_request, reply) => {
    const { up, optional } = await readiness();
    const unwell = (parts: Readonly<Record<string, boolean>>): string[] => Object.entries(parts).flatMap(([name, well]) => (well ? [] : [name])).sort();
    const down = [...unwell(up), ...leaving()].sort();
    const warnings = unwell(optional);
    return reply.code(down.length === 0 ? 200 : 503).header('Cache-Control', 'no-store').send({ ...answer(down), ...(warnings.length > 0 && { warnings }) });
  });
}
