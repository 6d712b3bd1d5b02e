import { constants } from 'node:os';
import type { Logger } from 'pino';
import type { Config } from '../../module/config/configSchema.ts';
import { ConfigError } from '../config/loadConfig.ts';
import type { SystemdNotifier } from '../systemd/notify.ts';
import { type ReloadOutcome, writeReloadOutcome } from './reloadOutcome.ts';
import type { Service } from './service.ts';

export interface Obeying {
  readonly service: Service;
  readonly log: Logger;
  readonly systemd: SystemdNotifier;
  readonly load: () => Config;
  /** Where the outcome of a reload is written. */
  readonly dataDir: string;
}

/** One line per problem, so that a log search finds each. */
function sayRefused(error: unknown, log: Logger): readonly string[] {
  const problems = error instanceof ConfigError ? error.problems.map(String) : [error instanceof Error ? error.message : 'unknown'];
  for (const problem of problems) log.error(error instanceof ConfigError ? { problem } : { detail: problem }, 'configuration refused');
  log.error('the configuration was not read again: the one before goes on');
  return problems;
}

const inShort = ([first = '', ...more]: readonly string[]): string => (more.length === 0 ? first : `${first} (and ${String(more.length)} more)`);

/** One reload from the signal to its end; systemd and `mailbox-password reload` are told how it ended. */
async function reload({ service, log, systemd, load }: Obeying): Promise<Pick<ReloadOutcome, 'outcome' | 'problems' | 'kept' | 'beforeEnded'>> {
  systemd.notify('RELOADING=1', 'Reading the configuration again');
  try {
    const { kept, beforeEnded } = await service.reload(load);
    for (const key of kept) log.warn({ key }, 'this key needs a restart; it stays as it was');
    log.info('the configuration was read again');
    const ended = await beforeEnded;
    if (ended) log.info('nothing of the configuration before is at work any more');
    return { outcome: 'done', problems: [], kept, beforeEnded: ended };
  } catch (error) {
    return { outcome: 'refused', problems: sayRefused(error, log), kept: [], beforeEnded: true };
  }
}

/**
 * SIGHUP reads the configuration again. SIGTERM and SIGINT end the service: requests under way come to their end; exit code 0, or 1 where
 * some had to be cut off. A second one ends it at once.
 */
export function obeySignals(obeying: Obeying): void {
  const { service, log, systemd, dataDir } = obeying;
  let count = 0;
  let underWay = 0;
  let ending = false;
  const write = (outcome: Pick<ReloadOutcome, 'outcome' | 'problems' | 'kept' | 'beforeEnded'>): void => {
    try {
      writeReloadOutcome({ pid: process.pid, count, ...outcome }, dataDir);
    } catch (error) {
      log.warn({ detail: (error as NodeJS.ErrnoException).code ?? 'unknown' }, 'how the reload ended could not be written down');
    }
  };
  write({ outcome: 'none', problems: [], kept: [], beforeEnded: true });
  process.on('SIGHUP', () => {
    underWay += 1;
    void reload(obeying).then((ended) => {
      count += 1;
      underWay -= 1;
      write(ended);
      // Reloading until the last one that was asked for has ended; a service that is told to end says no more that it is ready.
      if (underWay > 0 || ending) return;
      const restart = ended.kept.length === 0 ? '' : `; ${ended.kept.join(', ')}: restart needed`;
      systemd.notify('READY=1', ended.outcome === 'done' ? `Serving at ${service.url}; configuration read ${new Date().toISOString()}${restart}`
        : `Serving with the configuration before: the new one was REFUSED ${new Date().toISOString()}: ${inShort(ended.problems)}`);
    });
  });
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
