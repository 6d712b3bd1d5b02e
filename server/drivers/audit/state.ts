import type { AuditLog } from '../../ports/auditLog.ts';
import type { StateDatabase } from '../../state/stateDatabase.ts';

/** The audit log in the module's state database; rows are only ever added. */
export const createStateAudit = (database: StateDatabase): AuditLog => ({
  async append(event) {
    await database.insertInto('audit').values({
      at: event.at, request_id: event.requestId, action: event.action, actor: event.actor, actor_kind: event.actorKind,
      address: event.address, remote_address: event.remoteAddress, user_agent: event.userAgent.slice(0, 512),
      outcome: event.outcome, ended: JSON.stringify(event.ended),
    }).execute();
  },
});
