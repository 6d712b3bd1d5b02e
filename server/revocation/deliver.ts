import type { Logger } from 'pino';
import { addCounts, type Channel, type ChannelCounts } from '../../module/channels.ts';
import { type ErrorCode, ModuleError } from '../../module/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Actor } from '../ports/hostIdentity.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { RevocationOutbox } from '../ports/revocationOutbox.ts';
import type { SessionStore } from '../ports/sessionStore.ts';
import { backoff } from './backoff.ts';
import { beforeDeadline } from '../deadline.ts';

export interface DeliverDependencies {
  readonly outbox: RevocationOutbox;
  readonly stores: readonly SessionStore[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly timeoutMs: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
}

export interface Delivery {
  readonly changeId: string;
  readonly address: string;
  readonly changedAt: number;
  /** Failed tries so far. */
  readonly attempts: number;
  readonly actor: Actor | null;
  /** Milliseconds; see RevokeAllRequest. */
  readonly logInMs?: number | undefined;
}

export interface Delivered {
  readonly ended: ChannelCounts;
  readonly pending: readonly Channel[];
}

const errorCode = (error: unknown): ErrorCode => (error instanceof ModuleError ? error.code : 'SESSIONS_UNAVAILABLE');

/** Asks one store, and writes down what came of it. A store that does not answer in time is pending, never done (I3). */
async function deliverTo(store: SessionStore, delivery: Delivery, dependencies: DeliverDependencies): Promise<Delivered> {
  const { outbox, clock, log, metrics, timeoutMs, firstDelayMs, maxDelayMs } = dependencies;
  const { changeId, address, changedAt, attempts, actor, logInMs } = delivery;
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const { revoked } = await beforeDeadline(signal, () => new ModuleError('SESSIONS_UNAVAILABLE', { detail: 'time-out' }),
      () => store.revokeAll({ address, issuedBefore: changedAt, attempt: attempts + 1, actor, logInMs }, { signal }));
    await outbox.complete(changeId, store.name);
    metrics.revocation(store.name, 'done');
    return { ended: revoked, pending: [] };
  } catch (error) {
    const code = errorCode(error);
    metrics.revocation(store.name, code);
    log.warn({ store: store.name, changeId, attempts: attempts + 1, code }, 'log-out not delivered yet');
    try {
      await outbox.fail(changeId, store.name, code, clock.now() + backoff(attempts, firstDelayMs, maxDelayMs));
    } catch {
      // The row is still there, leased to this node; when the lease ends it is due again.
      log.error({ store: store.name, changeId }, 'the outbox did not answer');
    }
    return { ended: {}, pending: store.channels };
  }
}

/** The first try: every store at once. */
export async function deliverToAll(delivery: Delivery, dependencies: DeliverDependencies): Promise<Delivered> {
  const results = await Promise.all(dependencies.stores.map((store) => deliverTo(store, delivery, dependencies)));
  return {
    ended: results.reduce<ChannelCounts>((sum, { ended }) => addCounts(sum, ended), {}),
    pending: [...new Set(results.flatMap(({ pending }) => pending))],
  };
}

/** A later try of one row; true where the log-out is done. A store that the configuration no longer lists can never be asked: that is said, loudly. */
export async function deliverToOne(name: string, delivery: Delivery, dependencies: DeliverDependencies): Promise<boolean> {
  const store = dependencies.stores.find((candidate) => candidate.name === name);
  if (store !== undefined) {
    return (await deliverTo(store, delivery, dependencies)).pending.length === 0;
  }
  dependencies.log.error({ store: name, changeId: delivery.changeId }, 'a log-out is owed to a session store that is no longer configured');
  await dependencies.outbox.fail(delivery.changeId, name, 'SESSIONS_MISCONFIGURED', dependencies.clock.now() + dependencies.maxDelayMs);
  return false;
}
