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
