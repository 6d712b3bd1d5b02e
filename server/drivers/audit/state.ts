import { type Selectable, sql } from 'kysely';
import type { ChannelCounts } from '../../../module/channels.ts';
import { ModuleError } from '../../../module/errors.ts';
import type { AuditEvent, AuditLog } from '../../ports/auditLog.ts';
import type { StateDatabase, StateTables } from '../../state/stateDatabase.ts';

const like = (column: string, pattern: string) => sql<boolean>`lower(${sql.ref(column)}) like ${pattern.toLowerCase()} escape '!'`;
const escapeLike = (text: string): string => text.replaceAll(/[!%_]/g, '!$&');

const toEvent = (row: Selectable<StateTables['audit']>): AuditEvent => ({
  at: Number(row.at), requestId: row.request_id, action: row.action as AuditEvent['action'], actor: row.actor, actorKind: row.actor_kind as AuditEvent['actorKind'],
  address: row.address, remoteAddress: row.remote_address, userAgent: row.user_agent, outcome: row.outcome, ended: JSON.parse(row.ended) as ChannelCounts,
});

/** Time and request: a request writes one row, so this parts any two rows. */
function position(cursor: string): { at: number; requestId: string } {
  const found = /^(\d{1,15}):(.{1,64})$/.exec(cursor);
  if (found === null) throw new ModuleError('REQUEST_INVALID');
  return { at: Number(found[1]), requestId: String(found[2]) };
}

/** The audit log in the module's state database; rows are only ever added. */
export const createStateAudit = (database: StateDatabase): AuditLog => ({
  async append(event) {
    await database.insertInto('audit').values({
      at: event.at, request_id: event.requestId, action: event.action, actor: event.actor.slice(0, 320), actor_kind: event.actorKind,
      address: event.address.slice(0, 320), remote_address: event.remoteAddress, user_agent: event.userAgent.slice(0, 512),
      outcome: event.outcome, ended: JSON.stringify(event.ended),
    }).execute();
  },
  async read({ domains, address, actor, outcome, from, to, cursor, limit }) {
    let rows = database.selectFrom('audit').selectAll();
    if (domains !== null) rows = rows.where((eb) => eb.or(domains.map((domain) => like('address', `%@${escapeLike(domain)}`))));
    if (address !== undefined && address !== '') rows = rows.where(like('address', `%${escapeLike(address)}%`));
    if (actor !== undefined && actor !== '') rows = rows.where('actor', '=', actor);
    if (outcome === 'refused') rows = rows.where('outcome', 'not in', ['done', 'pending']);
    else if (outcome !== undefined) rows = rows.where('outcome', '=', outcome);
    if (from !== undefined) rows = rows.where('at', '>=', from);
    if (to !== undefined) rows = rows.where('at', '<', to);
    if (cursor !== null) {
      const { at, requestId } = position(cursor);
      rows = rows.where((eb) => eb.or([eb('at', '<', at), eb.and([eb('at', '=', at), eb('request_id', '<', requestId)])]));
    }
    const found = await rows.orderBy('at', 'desc').orderBy('request_id', 'desc').limit(limit + 1).execute();
    const events = found.slice(0, limit).map(toEvent);
    const last = events.at(-1);
    return { events, nextCursor: found.length > limit && last !== undefined ? `${String(last.at)}:${last.requestId}` : null };
  },
});
