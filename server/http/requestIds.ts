import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TrustedProxies } from './trustedProxies.ts';

/** What a proxy may call a request; it goes into log lines, the audit log and the answer. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$/;

/** The id of a request: the proxy's own (`X-Request-Id`) where the proxy is trusted, so that its log and ours can be laid side by side; else a new one. */
export const requestIds = (trusted: TrustedProxies) => ({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>): string => {
  const given = headers['x-request-id'];
  return trusted(socket.remoteAddress) && typeof given === 'string' && ID.test(given) ? given : randomUUID();
};
