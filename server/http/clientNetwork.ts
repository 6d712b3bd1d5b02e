import { isIPv6 } from 'node:net';

/** The eight groups of an IPv6 address. */
function groups(address: string): number[] {
  // The URL parser writes an IPv4 tail as two groups (WHATWG URL, IPv6 serializer).
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const read = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [first, last] = [read(head), read(tail ?? '')];
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
}

/**
 * Whom a client's address stands for when tries are counted: an IPv4 address itself (also where it comes as `::ffff:192.0.2.1`), of an IPv6
 * address the network of 64 bits. One customer is given at least that (RFC 6177), so each of its addresses would be a new one.
 */
export function clientNetwork(ip: string): string {
  const address = ip.replace(/%.*$/, '');
  if (!isIPv6(address)) return ip;
  const all = groups(address);
  if (all.slice(0, 5).every((group) => group === 0) && all[5] === 0xffff) {
    const [high = 0, low = 0] = all.slice(6);
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  }
  return `${all.slice(0, 4).map((group) => group.toString(16)).join(':')}::/64`;
}
