import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import { embeddedRoutes } from '../drivers/hosts/embedded/routes.ts';
import type { Wiring } from '../wiring.ts';
import { problemSender } from './errorResponse.ts';
import type { Lifecycle } from './lifecycle.ts';
import { createReadiness, type Readiness } from './readiness.ts';
import { checkOrigin } from './guard.ts';
import { requireOneHost } from './oneHost.ts';
import { readStrictJson } from './strictJson.ts';
import { unknownAddresses } from './unknownAddresses.ts';
import { requestIds } from './requestIds.ts';
import { adminPanelRoutes } from './panels/adminPanel.ts';
import { panelPages } from './panels/pages.ts';
import { userPanelRoutes } from './panels/userPanel.ts';
import { apiRoutes } from './routes/api.ts';
import { assetRoutes } from './routes/assets.ts';
import { openapiRoute } from './routes/openapi.ts';
import { operatorRoutes } from './routes/operator.ts';
import type { RoutePatterns } from './routePatterns.ts';
import { trustedProxies } from './trustedProxies.ts';
import { wrongPasswordLimit } from './wrongPasswordLimit.ts';

const BODY_LIMIT_BYTES = 16 * 1024;

interface AppOptions {
  readonly lifecycle?: Lifecycle;
  readonly readiness?: (() => Promise<Readiness>) | undefined;
  /** Told every route. */
  readonly patterns?: RoutePatterns | undefined;
  /** Called with everything that a route is still doing, also where the browser has gone meanwhile. */
  readonly onWork?: (work: Promise<unknown>) => void;
}

/** The server half over HTTP. It listens to nothing until told to. */
export async function buildApp(wiring: Wiring, { lifecycle = { draining: false }, readiness = createReadiness(wiring), patterns, onWork }: AppOptions = {}): Promise<FastifyInstance> {
  const { config } = wiring;
  const trusted = trustedProxies(config.server.trustProxy);
  const sendError = problemSender(wiring);
  const app: FastifyInstance = Fastify({
    loggerInstance: wiring.log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: trusted,
    genReqId: requestIds(trusted),
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    frameworkErrors: sendError,
  }) as unknown as FastifyInstance;
  app.setErrorHandler(sendError);
  readStrictJson(app);
  unknownAddresses(app, sendError);
  await app.register(cookie);
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"], 'script-src': ["'self'"], 'style-src': ["'self'"], 'img-src': ["'self'", 'data:'], 'font-src': ["'self'"],
        'connect-src': ["'self'"], 'worker-src': ["'self'"], 'base-uri': ["'none'"], 'form-action': ["'self'"], 'frame-ancestors': ["'none'"],
      },
    },
    frameguard: { action: 'deny' },
    hsts: config.server.publicUrl?.startsWith('https:') === true,
  });
  app.addHook('onRoute', (route) => {
    patterns?.add(route.url);
    const { handler } = route;
    route.handler = function watched(...args) {
      const result: unknown = handler.apply(this, args);
      if (result instanceof Promise) onWork?.(result);
      return result;
    };
  });
  app.addHook('onRequest', async (request, reply) => {
    // Whatever may be kept says so itself.
    void reply.header('X-Request-Id', request.id).header('Cache-Control', 'no-store');
    requireOneHost(request.raw);
    checkOrigin(request, config.server.publicUrl);
  });
  app.addHook('onResponse', async (request, reply) => {
    wiring.metrics.request(request.routeOptions.url ?? 'none', reply.statusCode, reply.elapsedTime / 1000);
  });
  const limit = wrongPasswordLimit(wiring);
  apiRoutes(app, wiring, limit);
  operatorRoutes(app, readiness, lifecycle);
  if (config.panels.user.enabled) userPanelRoutes(app, wiring, limit);
  if (config.panels.admin.enabled && (wiring.panels.administrators.any || wiring.host.administrator !== undefined)) adminPanelRoutes(app, wiring, limit);
  panelPages(app, wiring);
  openapiRoute(app, wiring);
  await assetRoutes(app, wiring);
  if (config.host.driver === 'embedded') await embeddedRoutes(app, wiring, limit);
  return app;
}
