import type { TlsEndpoint } from '../ports/diagnosis.ts';
import { parseSqlUrl } from '../sql/sqlUrl.ts';

const PORTS: Readonly<Record<string, number>> = { 'https:': 443, 'rediss:': 6379, 'ldaps:': 636 };

/** The server of a URL, where its scheme means TLS from the start. */
export function urlEndpoint(url: string): TlsEndpoint | null {
  const { protocol, hostname, port } = new URL(url);
  const standard = PORTS[protocol];
  return standard === undefined ? null : { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? standard : Number(port) };
}

/** Those of several URLs. */
export const urlEndpoints = (...urls: readonly string[]): readonly TlsEndpoint[] => urls.map(urlEndpoint).filter((one) => one !== null);

/** The server of a database URL, where it is reached over TLS. */
export function sqlEndpoints(url: string, tls: object | null | undefined): readonly TlsEndpoint[] {
  const target = parseSqlUrl(url);
  if (target === null || target.dialect === 'sqlite' || target.socket !== null || tls === null || tls === undefined) return [];
  return [{ host: target.host, port: target.port, before: target.dialect }];
}

/** A mail server as configurations name it: `host`, `port`, `encryption`. */
export function mailEndpoints({ host, port, encryption }: { readonly host: string; readonly port: number; readonly encryption: string }, before: 'smtp' | 'imap'): readonly TlsEndpoint[] {
  return encryption === 'none' ? [] : [{ host, port, ...(encryption === 'starttls' && { before }) }];
}
