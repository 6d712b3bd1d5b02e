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
  /** Leases due notices to this node; two nodes never get the same one while a lease lasts. */
  claimDue(limit: number, leaseMs: number): Promise<readonly OwedNotice[]>;
  /** Sent, or given up. */
  remove(id: string): Promise<void>;
  /** Not taken: again at that time. `counts` = false where it was nobody's fault but the relay's. */
  postpone(id: string, error: string, nextAttemptAt: number, counts: boolean): Promise<void>;
  /** Takes out what happened before that time, and tells what it was. */
  expire(before: number): Promise<readonly Pick<OwedNotice, 'id' | 'changeId' | 'facts' | 'attempts' | 'lastError'>[]>;
  /** For `/readyz` and metrics. */
  summary(): Promise<NoticeSummary>;
  /** Makes notices due now; all of them where no change is named. Returns how many. */
  retryNow(changeId?: string): Promise<number>;
  /** Oldest first; for the command line. */
  list(limit: number): Promise<readonly OwedNotice[]>;
  /** Frees what a process that is gone had leased; only where there is one process. */
  freeAll(): Promise<void>;
}
