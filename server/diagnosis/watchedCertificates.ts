import type { Config } from '../../module/config/configSchema.ts';
import type { WatchedCertificate } from '../metrics/certificateWatch.ts';
import type { Diagnosable, TlsEndpoint } from '../ports/diagnosis.ts';
import { mailEndpoints, sqlEndpoints, urlEndpoints } from './tlsEndpoints.ts';

/** Names for the servers of one part: its own, with a number where it has several. */
const named = (target: string, endpoints: readonly TlsEndpoint[]): WatchedCertificate[] =>
  endpoints.map((endpoint, at) => ({ target: endpoints.length === 1 ? target : `${target}[${String(at)}]`, endpoint }));

/** Every server whose certificate matters to this configuration: those of the drivers, then what is no driver. Names hold no address. */
export function watchedCertificates({ state, rateLimit, server, mailSettings }: Config, parts: readonly (readonly [string, Diagnosable])[]): readonly WatchedCertificate[] {
  const { imap, smtp } = mailSettings ?? {};
  return [
    ...parts.flatMap(([target, { tls = [] }]) => named(target, tls)),
    ...named('state', state.url === null ? [] : sqlEndpoints(state.url, state.tls)),
    ...named('rate-limit', rateLimit.redis === null ? [] : urlEndpoints(rateLimit.redis.url)),
    ...named('public-url', server.publicUrl === null ? [] : urlEndpoints(server.publicUrl)),
    ...named('mail-settings:imap', imap === undefined ? [] : mailEndpoints(imap, 'imap')),
    ...named('mail-settings:smtp', smtp === undefined ? [] : mailEndpoints(smtp, 'smtp')),
  ];
}
