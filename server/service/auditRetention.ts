import type { Logger } from 'pino';
import type { Clock } from '../ports/clock.ts';
import { createPollLoop, type PollLoop } from '../revocation/pollLoop.ts';
import type { Pruned } from '../state/pruneAudit.ts';

const DAY_MS = 86_400_000;
const POLL_MS = 3_600_000;

export interface RetentionOptions {
  /** `audit.keepDays`; null = for ever, nothing is ever asked. */
  readonly keepDays: number | null;
  /** One batch of what is older than that, milliseconds since the epoch. */
  readonly prune: (before: number) => Promise<Pruned>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Deletes what the operator does not want to keep, batch by batch, at the start and once an hour; what was deleted is logged. */
export function createAuditRetention({ keepDays, prune, clock, log }: RetentionOptions): Pick<PollLoop, 'start' | 'stop'> {
  if (keepDays === null) return { start: () => undefined, stop: () => Promise.resolve() };
  let [before, total] = [0, 0];
  return createPollLoop({
    pollMs: POLL_MS,
    async pass() {
      if (total === 0) before = clock.now() - keepDays * DAY_MS;
      const { deleted, more } = await prune(before);
      total += deleted;
      if (more) return true;
      if (total > 0) log.info({ deleted: total, before: new Date(before).toISOString(), keepDays }, 'rows of the audit log were deleted: they are older than audit.keepDays');
      total = 0;
      return false;
    },
    onError: (detail) => { log.error({ detail }, 'old rows of the audit log could not be deleted'); },
  });
}
