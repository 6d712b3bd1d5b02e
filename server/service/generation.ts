import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Config } from '../../module/config/configSchema.ts';
import { buildApp } from '../http/app.ts';
import type { Lifecycle } from '../http/lifecycle.ts';
import { createReadiness, type Readiness } from '../http/readiness.ts';
import { requestIds } from '../http/requestIds.ts';
import { createRoutePatterns } from '../http/routePatterns.ts';
import { clientAddress, trustedProxies } from '../http/trustedProxies.ts';
import { createCertificateWatch } from '../metrics/certificateWatch.ts';
import type { Metrics } from '../ports/metrics.ts';
import { createWorker } from '../revocation/worker.ts';
import { wire, type Wiring } from '../wiring.ts';
import { createAuditRetention } from './auditRetention.ts';
import { refuse, type RefusedRequest } from './refuse.ts';
import { opensPage } from '../http/notePage.ts';

export interface GenerationOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
  /** Another generation is still serving. */
  readonly beside: boolean;
  /** Lets a test put itself between the ports. */
  readonly decorate: (wiring: Wiring) => Wiring;
}

/** One configuration at work: everything that is made from it, and the requests that began under it. */
export interface Generation {
  readonly wiring: Wiring;
  readonly readiness: () => Promise<Readiness>;
  /** When each certificate ends, as far as it was seen. */
  readonly certificates: () => ReadonlyMap<string, number>;
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Of a request that is refused before it is looked at. */
  describe(request: IncomingMessage): RefusedRequest;
  /** Requests and their work not yet ended. */
  underWay(): number;
  /** Ends the worker after its row, waits for what is under way (at most `ms`), closes every driver. True where nothing was cut off. */
  retire(ms: number): Promise<boolean>;
}

/** Asked by what watches over the service: a node that sheds load must not be taken for dead. */
const WATCHED = new Set(['/healthz', '/readyz', '/readyz/self']);

export async function openGeneration({ config, log, metrics, lifecycle, beside, decorate }: GenerationOptions): Promise<Generation> {
  const wiring = decorate(await wire(config, log, { metrics, beside }));
  const readiness = createReadiness(wiring);
  let count = 0;
  let whenIdle: (() => void) | undefined;
  const begin = (): void => { count += 1; };
  const end = (): void => {
    count -= 1;
    if (count === 0) whenIdle?.();
  };
  const patterns = createRoutePatterns();
  const app = await buildApp(wiring, {
    lifecycle, readiness, patterns,
    // A change goes on where its browser has gone: closing the drivers under it would leave it half done.
    onWork(work) { begin(); work.then(end, end); },
  });
  await app.ready();
  const watch = createCertificateWatch(wiring.certificates, { log });
  // Nobody reads it where metrics are off; `doctor` looks by itself.
  if (config.metrics.port !== null) watch.start();
  const worker = createWorker({ ...wiring, accountsTimeoutMs: config.timeouts.accountsMs, timeoutMs: config.timeouts.sessionsMs, ...config.revocation });
  worker.start();
  wiring.noticeDelivery?.worker.start();
  const retention = createAuditRetention({ keepDays: config.audit.keepDays, prune: wiring.pruneAudit, clock: wiring.clock, log });
  retention.start();
  let open = 0;
  const trusted = trustedProxies(config.server.trustProxy);
  const idOf = requestIds(trusted);
  const describe = (request: IncomingMessage): RefusedRequest => ({
    requestId: idOf(request), method: request.method ?? 'GET', route: patterns.of(request.url), remoteAddress: clientAddress(request, trusted),
    page: opensPage(request) ? { acceptLanguage: request.headers['accept-language'], texts: wiring.texts } : null,
  });

  return {
    wiring, readiness, describe, certificates: () => watch.expiries(),
    handle(request, response) {
      if (open >= config.server.maxConcurrentRequests && !WATCHED.has(request.url ?? '')) {
        refuse(response, 'OVERLOADED', describe(request), wiring);
        return;
      }
      open += 1;
      begin();
      response.once('close', () => { open -= 1; end(); });
      app.routing(request, response);
    },
    underWay: () => count,
    async retire(ms) {
      const idle = new Promise<void>((resolve) => {
        whenIdle = resolve;
        if (count === 0) resolve();
      });
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<'late'>((resolve) => { timer = setTimeout(() => { resolve('late'); }, ms); });
      const result = await Promise.race([Promise.all([idle, worker.stop(), wiring.noticeDelivery?.worker.stop(), retention.stop(), watch.stop()]), late]);
      clearTimeout(timer);
      if (result === 'late') return false;
      await app.close();
      await wiring.close();
      return true;
    },
  };
}
