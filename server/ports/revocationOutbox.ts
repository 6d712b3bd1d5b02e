import type { ChannelCounts } from '../../module/channels.ts';
import type { NoticeDraft } from './notices.ts';
import type { PasswordMemory } from './passwordPolicyProvider.ts';

/** The durable list of log-outs still owed: one row per change and session store. All times in ms on the shared clock. */
export interface OwedRevocation {
  readonly changeId: string;
  readonly store: string;
  readonly address: string;
  /**
   * `recorded`: written before the password was touched; whether it changed is settled by whoever claims the row.
   * `confirmed`: the password is new since `changedAt`.
   */
  readonly state: 'recorded' | 'confirmed';
  readonly recordedAt: number;
  /** Null while `recorded`. */
  readonly changedAt: number | null;
  /** `AccountApi.passwordVersion` before the change, to settle an interrupted one; null where the driver cannot tell. */
  readonly passwordVersion: string | null;
  /** The moment after which a write that was sent can no longer land. */
  readonly settleAfter: number;
  readonly attempts: number;
  readonly nextAttemptAt: number;
  /** The code of the last failure. */
  readonly lastError: string | null;
}

export interface RecordRequest {
  readonly changeId: string;
  readonly address: string;
  readonly stores: readonly string[];
  readonly passwordVersion: string | null;
  readonly settleAfter: number;
  /** Nothing has to happen first (a log-out without a change): the rows are `confirmed` from the beginning, with this as `changedAt`. */
  readonly confirmedAt?: number;
  /** Who is told when it happened: written down, confirmed and cancelled together with the change. */
  readonly notices?: readonly NoticeDraft[];
  /** What the history keeps of it: written down, made to count and taken back together with the change. */
  readonly memories?: readonly PasswordMemory[];
}

/** How much is owed. */
export interface OutboxSummary {
  /** By store; those that owe something. */
  readonly rows: Readonly<Record<string, number>>;
  /** Null where nothing is owed. */
  readonly oldestRecordedAt: number | null;
}

/** Errors: `STATE_UNAVAILABLE`. */
export interface RevocationOutbox {
  /** Durable when it resolves: nothing may be changed before. The rows are leased to the caller. */
  record(request: RecordRequest): Promise<void>;
  /** The change was refused or failed for certain: forget all its rows. */
  cancel(changeId: string): Promise<void>;
  /** The password is new since `changedAt`. Resolves with what ended by that alone: the service's own sessions. */
  confirm(changeId: string, changedAt: number): Promise<ChannelCounts>;
  /** This store has ended everything. */
  complete(changeId: string, store: string): Promise<void>;
  /** One statement marks the failure and schedules the next try. */
  fail(changeId: string, store: string, error: string, nextAttemptAt: number): Promise<void>;
  /** Leases due rows to this node; two nodes never get the same row while a lease lasts. */
  claimDue(limit: number, leaseMs: number): Promise<readonly OwedRevocation[]>;
  /** Gives claimed rows back untouched. */
  release(rows: readonly Pick<OwedRevocation, 'changeId' | 'store'>[]): Promise<void>;
  /** For `/readyz` and metrics. */
  summary(): Promise<OutboxSummary>;
  /** Everything owed, oldest first; for the command line. */
  list(limit: number): Promise<readonly OwedRevocation[]>;
  /** Makes rows due now; all of them where no change is named. Returns how many. */
  retryNow(changeId?: string): Promise<number>;
}
