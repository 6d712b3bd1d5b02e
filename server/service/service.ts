import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from '../../module/config/configSchema.ts';
import type { Observed } from '../metrics/promMetrics.ts';
import { trustedProxies } from '../http/trustedProxies.ts';
import { createPromMetrics } from '../metrics/promMetrics.ts';
import { version } from '../paths.ts';
import type { Wiring } from '../wiring.ts';
import { keepFixed } from './fixedKeys.ts';
import { type Generation, openGeneration } from './generation.ts';
import { createMetricsListener } from './metricsListener.ts';
import { refuse } from './refuse.ts';
import { refuseTunnel, refuseUnreadable } from './refuseUnreadable.ts';

/** A new configuration serves. */
export interface Reloaded {
  /** Keys that differ and need a restart: they stay as they were. */
  readonly kept: readonly string[];
  /**
   * Resolves when nothing is at work any more that was made from the one before, so that a secret of it may be withdrawn; with false
   * where something had not ended after `server.shutdownMs`.
   */
  readonly beforeEnded: Promise<boolean>;
}

export interface Service {
  readonly url: string;
  /** Null where metrics are off. */
  readonly metricsUrl: string | null;
  /** Rejects where the new configuration cannot be put to work: then the old one goes on as it was. */
  reload(load: () => Config): Promise<Reloaded>;
  /** Resolves with true where everything under way came to its end. */
  stop(): Promise<boolean>;
}

/** Longer than the idle time of usual proxies (60 s): the side that sends requests has to be the one that closes. */
const KEEP_ALIVE_MS = 72_000;
/** A client that sends its request byte by byte holds nothing for longer. */
const HEADERS_MS = 20_000;
const REQUEST_MS = 30_000;

const listen = (server: Server, host: string, port: number): Promise<number> => new Promise((resolve, reject) => {
  server.once('error', reject);
  server.listen({ host, port }, () => {
    server.off('error', reject);
    resolve((server.address() as AddressInfo).port);
  });
});

const closed = (server: Server): Promise<void> => new Promise((resolve) => { server.close(() => { resolve(); }); });
const urlOf = (host: string, port: number): string => `http://${host.includes(':') ? `[${host}]` : host}:${String(port)}`;

/**
 * The running service: one listener, and behind it one configuration at a time. A reload builds the next one completely, then hands every
 * new request to it; the requests of the old one end under the old one.
 */
export async function startService(first: Config, log: Logger, decorate: (wiring: Wiring) => Wiring = (wiring) => wiring): Promise<Service> {
  const prom = createPromMetrics(version());
  const { metrics } = prom;
  const lifecycle = { draining: false };
  let closing = false;
  let config = first;
  let current = await openGeneration({ config, log, metrics, lifecycle, beside: false, decorate });
  const retiring = new Set<Promise<boolean>>();

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    // Keep-alive connections move to another node with their next request.
    if (lifecycle.draining) response.setHeader('Connection', 'close');
    if (closing) refuse(response, 'SHUTTING_DOWN', current.describe(request), { log, metrics });
    else current.handle(request, response);
  };
  const server = createServer(serve);
  // An expectation that nobody knows may be overlooked (RFC 9110, section 10.1.1); Node by itself answers 417 without a code.
  server.on('checkExpectation', serve);
  server.on('connect', refuseTunnel({ log, metrics }));
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = HEADERS_MS;
  server.requestTimeout = REQUEST_MS;
  server.on('clientError', refuseUnreadable({ log, metrics }));

  async function observe(): Promise<Observed> {
    const { wiring: { clock, config: { readOnly } }, readiness, certificates } = current;
    const { up, outbox, notices } = await readiness();
    /** Seconds since then; 0 where there was nothing. */
    const since = (then: number | null): number => (then === null ? 0 : Math.max(0, clock.now() - then) / 1000);
    return {
      up, readOnly,
      outbox: outbox === null ? null : { rows: outbox.rows, oldestSeconds: since(outbox.oldestRecordedAt) },
      notices: notices === null ? null : { count: notices.count, oldestSeconds: since(notices.oldestHappenedAt) },
      certificates: Object.fromEntries([...certificates()].map(([target, ends]) => [target, (ends - Date.now()) / 1000])),
    };
  }
  const metricsServer = config.metrics.port === null ? null : createMetricsListener({ prom, observe, tokens: () => config.metrics.tokens, mayAsk: (address) => config.metrics.allow.length === 0 || trustedProxies(config.metrics.allow)(address) });

  const retire = (generation: Generation, ms: number): Promise<boolean> => {
    const done = generation.retire(ms);
    retiring.add(done);
    void done.finally(() => retiring.delete(done));
    return done;
  };

  let port: number;
  let metricsPort: number | null = null;
  try {
    port = await listen(server, config.server.host, config.server.port);
    if (metricsServer !== null) metricsPort = await listen(metricsServer, config.metrics.host, config.metrics.port ?? 0);
  } catch (error) {
    server.close();
    await current.retire(1_000);
    throw error;
  }
  log.info({ version: version(), url: urlOf(config.server.host, port) }, 'started');

  async function reload(given: Config): Promise<Reloaded> {
    const { config: next, kept } = keepFixed(config, given);
    const opened = await openGeneration({ config: next, log, metrics, lifecycle, beside: true, decorate });
    const before = current;
    [current, config] = [opened, next];
    log.level = next.log.level;
    // Requests of the old one have their time limits; whatever ignores them is not waited for endlessly.
    const beforeEnded = retire(before, next.server.shutdownMs);
    void beforeEnded.then((clean) => { if (!clean) log.warn({ underWay: before.underWay() }, 'requests of the configuration before did not end in time'); });
    return { kept, beforeEnded };
  }

  let turn: Promise<unknown> = Promise.resolve();
  return {
    url: urlOf(config.server.host, port),
    metricsUrl: metricsPort === null ? null : `${urlOf(config.metrics.host, metricsPort)}/metrics`,
    /** One at a time. */
    reload(load) {
      const mine = turn.then(() => reload(load()));
      turn = mine.then(() => { metrics.reloaded('done'); }, () => { metrics.reloaded('refused'); });
      return mine;
    },
    async stop() {
      lifecycle.draining = true;
      await turn;
      const { drainMs, shutdownMs } = config.server;
      if (drainMs > 0) {
        log.info({ drainMs }, 'shutting down: /readyz says no, requests are still served');
        await wait(drainMs);
      }
      closing = true;
      const ended = closed(server);
      server.closeIdleConnections();
      log.info({ underWay: current.underWay() }, 'shutting down: no new requests; those under way end');
      void retire(current, shutdownMs);
      const clean = (await Promise.all(retiring)).every(Boolean);
      if (!clean) log.error({ underWay: current.underWay(), shutdownMs }, 'shutting down: requests were cut off; what they owe is in the outbox and is done at the next start');
      server.closeAllConnections();
      await ended;
      if (metricsServer !== null) {
        const gone = closed(metricsServer);
        metricsServer.closeAllConnections();
        await gone;
      }
      log.info('stopped');
      return clean;
    },
  };
}
