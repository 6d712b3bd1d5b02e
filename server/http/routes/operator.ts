import type { FastifyInstance } from 'fastify';
import type { Wiring } from '../../wiring.ts';

/** `/healthz`: the process answers. `/readyz`: everything behind it answers too, and no log-out is overdue. */
export function operatorRoutes(app: FastifyInstance, wiring: Wiring): void {
  const { accounts, host, stores, outbox, clock, config } = wiring;
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const options = () => ({ signal: AbortSignal.timeout(config.timeouts.sessionsMs) });
    const checks: [string, () => Promise<unknown>][] = [
      ['accounts', () => accounts.check(options())],
      ['host', () => host.check(options())],
      ...stores.map((store): [string, () => Promise<unknown>] => [`sessions:${store.name}`, () => store.check(options())]),
      ['state', () => outbox.list(1)],
      ['outbox', async () => {
        const [oldest] = await outbox.list(1);
        if (oldest !== undefined && clock.now() - oldest.recordedAt > config.revocation.alertAfterMs) throw new Error(`a log-out is owed by ${oldest.store}`);
      }],
    ];
    const down: string[] = [];
    await Promise.all(checks.map(async ([name, check]) => { await check().catch(() => down.push(name)); }));
    return reply.code(down.length === 0 ? 200 : 503).send({ status: down.length === 0 ? 'ready' : 'not ready', down: down.sort() });
  });
}
