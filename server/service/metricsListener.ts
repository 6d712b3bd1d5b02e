import { createServer, type IncomingMessage, type Server } from 'node:http';
import { sameText } from '../panels/tokens.ts';
import type { PromMetrics, Observed } from '../metrics/promMetrics.ts';

export interface MetricsListenerOptions {
  readonly prom: PromMetrics;
  readonly observe: () => Promise<Observed>;
  /** Any of them opens it; none: whoever can reach the address, which is this machine. */
  readonly tokens: () => readonly string[];
  /** Whether this peer may ask at all. */
  readonly mayAsk: (address: string | undefined) => boolean;
}

/** What only a proxy adds. Without a token, loopback means "somebody on this machine", which a request from outside is not. */
const FROM_A_PROXY = ['x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'forwarded', 'via'];

function verdict({ headers, url, method, socket }: IncomingMessage, tokens: readonly string[], mayAsk: MetricsListenerOptions['mayAsk']): 200 | 401 | 403 | 404 | 405 {
  if (!mayAsk(socket.remoteAddress)) return 403;
  if (tokens.length > 0) {
    const given = /^Bearer ([\x21-\x7e]+)$/i.exec(headers.authorization ?? '')?.[1];
    // All are compared, so that time tells nothing.
    const right = given !== undefined && tokens.map((token) => sameText(token, given)).includes(true);
    if (!right) return 401;
  } else if (FROM_A_PROXY.some((name) => headers[name] !== undefined)) return 403;
  if (url?.split('?')[0] !== '/metrics') return 404;
  return method === 'GET' || method === 'HEAD' ? 200 : 405;
}

/** `/metrics`, on an address and port of its own: a proxy in front of the service cannot make it public by accident. */
export function createMetricsListener({ prom, observe, tokens, mayAsk }: MetricsListenerOptions): Server {
  const server = createServer((request, response) => {
    request.resume();
    const status = verdict(request, tokens(), mayAsk);
    if (status !== 200) {
      response.writeHead(status, { 'Content-Length': 0, 'Cache-Control': 'no-store', ...(status === 401 && { 'WWW-Authenticate': 'Bearer realm="metrics"' }) }).end();
      return;
    }
    observe().then((observed) => prom.text(observed)).then(
      (text) => { response.writeHead(200, { 'Content-Type': prom.contentType, 'Cache-Control': 'no-store' }).end(request.method === 'HEAD' ? undefined : text); },
      () => { response.writeHead(500).end(); },
    );
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 10_000;
  return server;
}
