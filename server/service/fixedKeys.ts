import type { Config } from '../../module/config/configSchema.ts';
import { databaseOf } from '../sql/sqlUrl.ts';

/** The next configuration with what a running process cannot change as it was, and the names of those keys that would have changed. */
export function keepFixed(now: Config, next: Config): { readonly config: Config; readonly kept: readonly string[] } {
  const kept: string[] = [];
  const keep = <Value>(path: string, was: Value, wanted: Value): Value => {
    if (JSON.stringify(was) !== JSON.stringify(wanted)) kept.push(path);
    return was;
  };
  const config: Config = {
    ...next,
    server: { ...next.server, host: keep('server.host', now.server.host, next.server.host), port: keep('server.port', now.server.port, next.server.port) },
    metrics: { ...next.metrics, host: keep('metrics.host', now.metrics.host, next.metrics.host), port: keep('metrics.port', now.metrics.port, next.metrics.port) },
    // What is owed lies there: another database would forget it. Its password may change.
    dataDir: keep('dataDir', now.dataDir, next.dataDir),
    state: databaseOf(now.state.url ?? '') === databaseOf(next.state.url ?? '') ? next.state : { ...next.state, url: keep('state.url', now.state.url, next.state.url) },
  };
  return { config, kept };
}
