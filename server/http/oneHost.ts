import type { IncomingMessage } from 'node:http';
import { ModuleError } from '../../module/errors.ts';

/** `uri-host [ ":" port ]` (RFC 9110, 7.2): names, addresses, IPv6 in brackets. */
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._~%!$&'()*+;=-]*)(:\d*)?$/i;
const ABSOLUTE = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i;

/**
 * A request names one host, once (RFC 9112, 3.2): where it names two, a proxy may go by one and the comparison with `Origin` by the other.
 * Throws `REQUEST_MALFORMED`.
 */
export function requireOneHost({ rawHeaders, url = '' }: Pick<IncomingMessage, 'rawHeaders' | 'url'>): void {
  const hosts = rawHeaders.filter((_value, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'host');
  const [host, ...more] = hosts;
  if (more.length > 0 || (host !== undefined && !HOST.test(host))) throw new ModuleError('REQUEST_MALFORMED', { detail: 'not one Host header field' });
  // In absolute form the target's host is the one that counts, and the field has to be the same.
  const target = ABSOLUTE.exec(url)?.[1];
  if (target !== undefined && host !== undefined && target.toLowerCase() !== host.toLowerCase()) throw new ModuleError('REQUEST_MALFORMED', { detail: 'the target names another host than the Host header field' });
}
