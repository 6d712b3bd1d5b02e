import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Whether `X-Forwarded-*` and `X-Request-Id` are believed from a peer of this address. */
export type TrustedProxies = (address: string | undefined) => boolean;

const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** `server.trustProxy` as a question: true = everybody, false = nobody, else addresses and ranges (IPv4 also where it comes as ::ffff:192.0.2.1). */
export function trustedProxies(trustProxy: boolean | readonly string[]): TrustedProxies {
  if (typeof trustProxy === 'boolean') return () => trustProxy;
  const list = new BlockList();
  for (const range of trustProxy) {
    const [address = '', prefix] = range.split('/');
    if (prefix === undefined) list.addAddress(address, family(address));
    else list.addSubnet(address, Number(prefix), family(address));
  }
  return (address) => address !== undefined && isIP(address) !== 0 && list.check(address, family(address));
}

/** The client of a request that is answered before the web framework sees it: the peer, or whom the proxies that are believed name (as `request.ip`). */
export function clientAddress({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>, trusted: TrustedProxies): string {
  const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',').map((part) => part.trim()).filter((part) => isIP(part) !== 0);
  let client = socket.remoteAddress ?? 'unknown';
  for (const before of forwarded.reverse()) {
    if (!trusted(client)) break;
    client = before;
  }
  return client;
}
