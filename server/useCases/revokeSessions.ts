import { randomUUID } from 'node:crypto';
import { addCounts, type Channel, type ChannelCounts } from '../../module/channels.ts';
import { ModuleError } from '../../module/errors.ts';
import type { EndedResponse } from '../../module/panelOperations.ts';
import type { AuditEvent, AuditLog } from '../ports/auditLog.ts';
import type { Notices } from '../ports/notices.ts';
import type { SessionStore } from '../ports/sessionStore.ts';
import { type DeliverDependencies, deliverToAll } from '../revocation/deliver.ts';
import { inTime, type ListedSession, listSessions } from './listSessions.ts';
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
  const now = clock.now();
  // The owner who does it knows; anybody else is told on.
  const drafts = audit.actorKind === 'owner' ? [] : await notices.draft({ event: 'logout', address, ...audit, language: undefined, ...requester });
  try {
    // Without a version the worker cannot take a crash before the confirmation for "nothing happened": the log-out is done.
    await outbox.record({ changeId, address: request.address, stores: stores.map(({ name }) => name), passwordVersion: null, settleAfter: now + accountsTimeoutMs, notices: drafts });
    await outbox.confirm(changeId, now);
  } catch (cause) {
    await write(request, dependencies, 'STATE_UNAVAILABLE', {});
    throw new ModuleError('STATE_UNAVAILABLE', { cause });
  }
  const { ended, pending } = await deliverToAll({ changeId, address: request.address, changedAt: now, attempts: 0, actor: null }, dependencies);
  if (drafts.length > 0) await notices.release(changeId, ended, pending);
  await write(request, dependencies, pending.length === 0 ? 'done' : 'pending', ended, pending);
  return { ended, pending };
}

/** Ends the sessions that `chosen` picks, one by one. A store that did not answer is named; nothing is owed for it. */
export async function revokeSome(request: RevokeRequest, from: readonly SessionStore[], chosen: (session: ListedSession) => boolean, dependencies: RevokeDependencies): Promise<EndedResponse> {
  const { sessions, unavailable } = await listSessions(request.address, from, dependencies.timeoutMs);
  const failed = new Set<Channel>(unavailable);
  let ended: ChannelCounts = {};
  for (const session of sessions.filter(chosen)) {
    const store = from.find(({ name }) => name === session.store);
    try {
      const revoked = store !== undefined && await inTime(dependencies.timeoutMs, (signal) => store.revoke(request.address, session.id, { signal }));
      if (revoked) ended = addCounts(ended, { [session.channel]: 1 });
    } catch {
      failed.add(session.channel);
    }
  }
  const pending = [...failed];
  await write(request, dependencies, pending.length === 0 ? 'done' : 'pending', ended, pending);
  return { ended, pending };
}
