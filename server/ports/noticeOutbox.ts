import type { Channel, ChannelCounts } from '../../module/channels.ts';
import type { NoticeFacts } from './notices.ts';

/** A notice that is still to be sent. Times are milliseconds on the shared clock. */
export interface OwedNotice {
  readonly id: string;
  readonly changeId: string;
  readonly recipient: string;
  readonly facts: NoticeFacts;
  readonly happenedAt: number;
  readonly attempts: number;
  readonly nextAttemptAt: number;
  readonly lastError: string | null;
}

/** How many wait. */
export interface NoticeSummary {
  readonly count: number;
  /** When the oldest of them happened; null where none waits. */
  readonly oldestHappenedAt: number | null;
}

/**
 * The durable list of notices that are still to be sent. They are written by `RevocationOutbox.record` and become due by its
 * `confirm`, each in one transaction with the log-outs of the same change. Errors: `STATE_UNAVAILABLE`.
 */
export interface NoticeOutbox {
  /** Adds what came of the change, and makes its notices due now. */
  release(changeId: string, ended: ChannelCounts, pending: readonly Channel[]): Promise<void>;
  /**
   * Leases due notices to this node; two nodes never get the same one while a lease lasts. `first`: those that no recipient's server has
   * refused yet, `again`: those that were; both where it is left out.
   */
  claimDue(limit: number, leaseMs: number, which?: 'first' | 'again'): Promise<readonly OwedNotice[]>;
  /** Sent. */
  remove(id: string): Promise<void>;
  /** Refused for good: it is never claimed again, and kept for people to see. */
  giveUp(id: string, error: string): Promise<void>;
  /** Not taken: again at that time. `counts` = false where it was nobody's fault but the relay's. */
  postpone(id: string, error: string, nextAttemptAt: number, counts: boolean): Promise<void>;
  /** Gives up what has been waiting since before that time, and tells what it was; what was given up a month ago is forgotten. */
  expire(before: number): Promise<readonly Pick<OwedNotice, 'id' | 'changeId' | 'facts' | 'attempts' | 'lastError'>[]>;
  /** For `/readyz` and metrics. */
  summary(): Promise<NoticeSummary>;
  /** Makes notices due now; all of them where no change is named. Returns how many. */
  retryNow(changeId?: string): Promise<number>;
  /** Makes what was given up due again, as if it were new; all of it where no change is named. Returns how many. */
  retryGivenUp(changeId?: string): Promise<number>;
  /** What waits, oldest first; for the command line. */
  list(limit: number): Promise<readonly OwedNotice[]>;
  /** What was given up within the last month, oldest first; for the command line. */
  givenUp(limit: number): Promise<readonly OwedNotice[]>;
  /** Frees what a process that is gone had leased; only where there is one process. */
  freeAll(): Promise<void>;
}
