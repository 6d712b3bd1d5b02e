import { constants } from 'node:os';
import type { Logger } from 'pino';
import type { Config } from '../../module/config/configSchema.ts';
import { ConfigError } from '../config/loadConfig.ts';
import type { Service } from './service.ts';

/** One line per problem, so that a log search finds each. */
function sayRefused(error: unknown, log: Logger): void {
  if (error instanceof ConfigError) for (const problem of error.problems) log.error({ problem: String(problem) }, 'configuration refused');
  else log.error({ detail: error instanceof Error ? error.message : 'unknown' }, 'configuration refused');
  log.error('the configuration was not read again: the one before goes on');
}

/**
 * SIGHUP reads the configuration again. SIGTERM and SIGINT end the service: requests under way come to their end; exit code 0, or 1 where
 * some had to be cut off. A second one ends it at once.
 */
export function obeySignals(service: Service, log: Logger, load: () => Config): void {
  process.on('SIGHUP', () => {
    service.reload(load).then(
      (kept) => {
        for (const key of kept) log.warn({ key }, 'this key needs a restart; it stays as it was');
        log.info('the configuration was read again');
      },
      (error: unknown) => { sayRefused(error, log); },
    );
  });
  let ending = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (ending) {
        log.warn({ signal }, 'ended at once by a second signal');
        process.exit(128 + constants.signals[signal]);
      }
      ending = true;
      log.info({ signal }, 'told to end');
      service.stop().then((clean) => process.exit(clean ? 0 : 1), (error: unknown) => {
        log.error({ detail: error instanceof Error ? error.message : 'unknown' }, 'the service did not end as it should');
        process.exit(1);
      });
    });
  }
}
