import { ModuleError } from '../../module/errors.ts';
import type { AccountApi, CallOptions } from '../ports/accountApi.ts';
import type { OwedRevocation } from '../ports/revocationOutbox.ts';
import { type DeliverDependencies, deliverToOne } from './deliver.ts';
import { backoff } from './backoff.ts';
import { createPollLoop } from './pollLoop.ts';

export interface WorkerDependencies extends DeliverDependencies {
  readonly accounts: AccountApi;
  readonly accountsTimeoutMs: number;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly alertAfterMs: number;
}

const BATCH = 20;

/** What the back end knows of when the password was changed last; null where it cannot tell. */
async function toldChange(address: string, accounts: AccountApi, options: CallOptions): Promise<{ at: number | null; notAfter: number | null }> {
  try {
    const account = await accounts.find(address, options);
    return { at: account?.passwordChangedAt ?? null, notAfter: account?.passwordChangedNotAfter ?? null };
  } catch (error) {
    if (error instanceof ModuleError && error.code === 'OPERATION_NOT_SUPPORTED') return { at: null, notAfter: null };
    throw error;
  }
}

/**
 * A row left `recorded` by a crash or an unknown outcome: did the password change? The version tells. Where nothing can tell it
 * counts as changed: a needless log-out is a nuisance, a thief who stays is a breach.
 */
async function settle(row: OwedRevocation, dependencies: WorkerDependencies): Promise<number | null> {
  const { accounts, outbox, accountsTimeoutMs, log } = dependencies;
  const options = { signal: AbortSignal.timeout(accountsTimeoutMs) };
  const version = await accounts.passwordVersion(row.address, options);
  const told = await toldChange(row.address, accounts, options);
  const since = told.at !== null && told.at >= row.recordedAt;
  // Where the version is a time, it counts in seconds: two changes within one would look like none.
  if (row.passwordVersion !== null && version === row.passwordVersion && !since) {
    if (dependencies.clock.now() < row.settleAfter) {
      // The write may still be on its way: ask again when it can no longer land.
      await outbox.fail(row.changeId, row.store, 'ACCOUNTS_OUTCOME_UNKNOWN', row.settleAfter);
      return null;
    }
    await outbox.cancel(row.changeId);
    log.info({ changeId: row.changeId }, 'an interrupted change did not happen: nothing is owed');
    return null;
  }
  // Never later than the write can have landed, whatever another machine's clock says.
  const latest = [since ? told.at : null, told.notAfter].flatMap((time) => (time !== null && time >= row.recordedAt ? [time] : []));
  const changedAt = Math.min(...latest, row.settleAfter, dependencies.clock.now());
  await outbox.confirm(row.changeId, changedAt);
  log.warn({ changeId: row.changeId }, 'an interrupted change did happen: its log-out follows');
  return changedAt;
}

async function work(row: OwedRevocation, dependencies: WorkerDependencies): Promise<void> {
  const { outbox, clock, log, firstDelayMs, maxDelayMs } = dependencies;
  try {
    const changedAt = row.state === 'confirmed' ? row.changedAt : await settle(row, dependencies);
    if (changedAt === null) return;
    // Never the first try, also where that one died with its process: by now there may be sessions of the new password (I2).
    const done = await deliverToOne(row.store, { changeId: row.changeId, address: row.address, changedAt, attempts: Math.max(1, row.attempts), actor: null }, dependencies);
    const owedMs = clock.now() - row.recordedAt;
    if (!done && owedMs > dependencies.alertAfterMs) {
      log.error({ store: row.store, changeId: row.changeId, address: row.address, attempts: row.attempts + 1, owedSeconds: Math.round(owedMs / 1000) },
        'LOG-OUT OVERDUE: this session store still has not ended what it owes; see /readyz and `mailbox-password outbox list`');
    }
  } catch (error) {
    log.warn({ changeId: row.changeId, store: row.store, detail: error instanceof Error ? error.message : 'unknown' }, 'a log-out could not be settled yet');
    await outbox.fail(row.changeId, row.store, 'ACCOUNTS_UNAVAILABLE', clock.now() + backoff(row.attempts, firstDelayMs, maxDelayMs));
  }
}

export interface Worker {
  /** One pass over what is due now; returns how many rows were worked on. */
  runOnce(): Promise<number>;
  start(): void;
  /** Resolves when the row under way has ended. */
  stop(): Promise<void>;
}

/** Keeps asking for what is owed until nothing is. */
export function createWorker(dependencies: WorkerDependencies): Worker {
  const runOnce = async (): Promise<number> => {
    const { outbox, clock, leaseMs, accountsTimeoutMs, timeoutMs } = dependencies;
    const leasedUntil = clock.now() + leaseMs;
    const rows = await outbox.claimDue(BATCH, leaseMs);
    let worked = 0;
    for (const row of rows) {
      // Told to end: the rest is another node's, or due when this one is back. The same where stores were slow: a row that was begun
      // near the end of its lease would be begun by another node too.
      if (loop.stopped || (worked > 0 && clock.now() + accountsTimeoutMs + timeoutMs > leasedUntil)) break;
      await work(row, dependencies);
      worked += 1;
    }
    if (worked < rows.length) await outbox.release(rows.slice(worked));
    return worked;
  };
  const loop = createPollLoop({
    pass: () => runOnce().then(() => false), pollMs: dependencies.pollMs,
    onError: (detail) => { dependencies.log.error({ detail }, 'the outbox worker could not run'); },
  });
  return { runOnce, start: loop.start, stop: loop.stop };
}
