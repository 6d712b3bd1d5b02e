import { randomUUID } from 'node:crypto';
import { addCounts, type Channel, type ChannelCounts } from '../../module/channels.ts';
import { ModuleError } from '../../module/errors.ts';
import type { EndedResponse } from '../../module/panelOperations.ts';
import type { AuditEvent, AuditLog } from '../ports/auditLog.ts';
import { firstMomentAfter } from '../ports/clock.ts';
import type { Notices } from '../ports/notices.ts';
import type { SessionStore } from '../ports/sessionStore.ts';
import { type DeliverDependencies, deliverToAll } from '../revocation/deliver.ts';
import { inTime } from './listSessions.ts';
import type { Requester } from './replacePassword.ts';

export interface RevokeDependencies extends DeliverDependencies {
  readonly audit: AuditLog;
  readonly accountsTimeoutMs: number;
  readonly notices: Notices;
}

interface RevokeRequest {
  readonly audit: Pick<AuditEvent, 'actor' | 'actorKind'>;
  readonly requester: Requester;
  readonly address: string;
}

async function write({ audit: who, requester, address }: RevokeRequest, { audit, clock, log, metrics }: RevokeDependencies, outcome: string, ended: ChannelCounts, pending: readonly Channel[] = []): Promise<void> {
  await audit.append({ at: clock.now(), action: 'revoke', ...who, ...requester, address, outcome, ended })
    .catch(() => { log.error({ requestId: requester.requestId }, 'the audit log did not answer'); });
  const { requestId, surface, remoteAddress } = requester;
  metrics.changed({ action: 'revoke', surface, outcome, hops: {} });
  log.info({ requestId, surface, address, by: who.actor, remoteAddress, outcome, ended, pending }, 'log-out');
}

/** Logs a mailbox out from everywhere without touching its password. What does not answer is owed, and retried, as after a change. */
export async function revokeEverything(request: RevokeRequest, dependencies: RevokeDependencies): Promise<EndedResponse> {
  const { outbox, stores, clock, accountsTimeoutMs, notices } = dependencies;
  const { audit, requester, address } = request;
  const changeId = randomUUID();
  const now = firstMomentAfter(clock);
  // The owner who does it knows; anybody else is told on.
  let own: ChannelCounts = {};
  const drafts = audit.actorKind === 'owner' ? [] : await notices.draft({ event: 'logout', address, ...audit, language: undefined, ...requester });
  try {
    // Without a version the worker cannot take a crash before the confirmation for "nothing happened": the log-out is done.
    await outbox.record({ changeId, address: request.address, stores: stores.map(({ name }) => name), passwordVersion: null, settleAfter: now + accountsTimeoutMs, notices: drafts });
    own = await outbox.confirm(changeId, now);
  } catch (cause) {
    await write(request, dependencies, 'STATE_UNAVAILABLE', {});
    throw new ModuleError('STATE_UNAVAILABLE', { cause });
  }
  const delivered = await deliverToAll({ changeId, address: request.address, changedAt: now, attempts: 0, actor: null }, dependencies);
  const ended = addCounts(own, delivered.ended);
  const { pending } = delivered;
  if (drafts.length > 0) await notices.release(changeId, ended, pending);
  await write(request, dependencies, pending.length === 0 ? 'done' : 'pending', ended, pending);
  return { ended, pending };
}

/** The log-in that stays, among the service's own: the one that asks. */
interface Kept {
  readonly store: SessionStore;
  readonly sessionId: string;
}

/**
 * Logs a mailbox out from everywhere but the User Panel log-in that asks for it. The host's sessions are all "others": they are owed,
 * durably, before any is ended, so that a store that does not answer and a crash in between change nothing about them. The panel's own
 * stand in the state database that has just answered.
 */
export async function revokeOthers(request: RevokeRequest, kept: Kept, dependencies: RevokeDependencies): Promise<EndedResponse> {
  const { outbox, stores, clock, timeoutMs } = dependencies;
  const { address } = request;
  const changeId = randomUUID();
  const now = firstMomentAfter(clock);
  let own = 0;
  try {
    // Confirmed from the first: a confirmation of its own would end every log-in to the panel, this one too.
    await outbox.record({ changeId, address, stores: stores.map(({ name }) => name), passwordVersion: null, settleAfter: now, confirmedAt: now });
    for (const { id } of await inTime(timeoutMs, (signal) => kept.store.list(address, { signal }))) {
      if (id !== kept.sessionId && await inTime(timeoutMs, (signal) => kept.store.revoke(address, id, { signal }))) own += 1;
    }
  } catch (cause) {
    // What was written down of it is done all the same where it cannot be taken back.
    await outbox.cancel(changeId).catch(() => undefined);
    await write(request, dependencies, 'STATE_UNAVAILABLE', {});
    throw new ModuleError('STATE_UNAVAILABLE', { cause });
  }
  const delivered = await deliverToAll({ changeId, address, changedAt: now, attempts: 0, actor: null }, dependencies);
  const ended = addCounts(delivered.ended, own === 0 ? {} : { web: own });
  await write(request, dependencies, delivered.pending.length === 0 ? 'done' : 'pending', ended, delivered.pending);
  return { ended, pending: delivered.pending };
}

/**
 * Ends one session. Nothing is owed for it: a store that does not answer is a refusal (`SESSIONS_UNAVAILABLE`), and it can be
 * tried again; one that cannot end a single session is `OPERATION_NOT_SUPPORTED`.
 */
export async function revokeOne(request: RevokeRequest, store: SessionStore | undefined, id: string, dependencies: RevokeDependencies): Promise<EndedResponse> {
  const { timeoutMs } = dependencies;
  const { address } = request;
  let ended: ChannelCounts = {};
  try {
    const session = store === undefined ? undefined : (await inTime(timeoutMs, (signal) => store.list(address, { signal }))).find((one) => one.id === id);
    if (store !== undefined && session !== undefined && await inTime(timeoutMs, (signal) => store.revoke(address, id, { signal }))) ended = { [session.channel]: 1 };
  } catch (cause) {
    // What a store can never do is not to be tried again in a few minutes.
    const code = cause instanceof ModuleError && cause.code === 'OPERATION_NOT_SUPPORTED' ? cause.code : 'SESSIONS_UNAVAILABLE';
    await write(request, dependencies, code, {});
    throw new ModuleError(code, { cause });
  }
  await write(request, dependencies, 'done', ended);
  return { ended, pending: [] };
}
