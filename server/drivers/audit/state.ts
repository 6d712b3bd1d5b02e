import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Expression, expressionBuilder, type Selectable, sql, type SqlBool } from 'kysely';
import type { ChannelCounts } from '../../../module/channels.ts';
import { ModuleError } from '../../../module/errors.ts';
import type { AuditEvent, AuditLog, AuditQuery } from '../../ports/auditLog.ts';
import { describeSqlError } from '../../sql/describeSqlError.ts';
import { stateAnswer } from '../../state/stateAnswer.ts';
import type { StateDatabase, StateTables } from '../../state/stateDatabase.ts';

const like = (column: string, pattern: string) => sql<boolean>`lower(${sql.ref(column)}) like ${pattern.toLowerCase()} escape '!'`;
const escapeLike = (text: string): string => text.replaceAll(/[!%_]/g, '!$&');

const toEvent = (row: Selectable<StateTables['audit']>): AuditEvent => ({
  at: Number(row.at), requestId: row.request_id, action: row.action as AuditEvent['action'], actor: row.actor, actorKind: row.actor_kind as AuditEvent['actorKind'],
  address: row.address, remoteAddress: row.remote_address, userAgent: row.user_agent, outcome: row.outcome, ended: JSON.parse(row.ended) as ChannelCounts,
});

/** Time and request: a request writes one row, so this parts any two rows. */
function position(cursor: string): Position {
  const found = /^(\d{1,15}):(.{1,64})$/.exec(cursor);
  if (found === null) throw new ModuleError('REQUEST_INVALID');
  return { at: Number(found[1]), requestId: String(found[2]) };
}

interface Position { readonly at: number; readonly requestId: string }

/** Rows that one statement looks through at most: a search that finds nothing reads the whole log, and must stop nobody else meanwhile. */
const SLICE = 10_000;

/** The log from a position downwards. The first condition on `at` is what an index can start from; that of the pair alone would be tried row by row. */
export function newestFirst(database: StateDatabase, { from, to }: Pick<AuditQuery, 'from' | 'to'>, below: Position | null) {
  let rows = database.selectFrom('audit');
  if (from !== undefined) rows = rows.where('at', '>=', from);
  if (to !== undefined) rows = rows.where('at', '<', to);
  if (below !== null) rows = rows.where('at', '<=', below.at).where((eb) => eb.or([eb('at', '<', below.at), eb('request_id', '<', below.requestId)]));
  return rows.orderBy('at', 'desc').orderBy('request_id', 'desc');
}

/** What no index answers; null where everything is wanted. */
function filtered({ domains, address, actor, outcome }: Pick<AuditQuery, 'domains' | 'address' | 'actor' | 'outcome'>): Expression<SqlBool> | null {
  const eb = expressionBuilder<StateTables, 'audit'>();
  const conditions: Expression<SqlBool>[] = [];
  if (domains !== null) conditions.push(eb.or(domains.map((domain) => like('address', `%@${escapeLike(domain)}`))));
  if (address !== undefined && address !== '') conditions.push(like('address', `%${escapeLike(address)}%`));
  if (actor !== undefined && actor !== '') conditions.push(eb('actor', '=', actor));
  if (outcome === 'refused') conditions.push(eb('outcome', 'not in', ['done', 'pending']));
  else if (outcome !== undefined) conditions.push(eb('outcome', '=', outcome));
  return conditions.length === 0 ? null : eb.and(conditions);
}

/** What any database can hold: everything but printable ASCII as `\u{1f600}`. */
const inAscii = (text: string): string => text.replaceAll(/[^\x20-\x7e]/gu, (character) => String.raw`\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);

/** The audit log in the module's state database; rows are only ever added. */
export const createStateAudit = (database: StateDatabase): AuditLog => ({
  async append(event) {
    const insert = async ({ actor, address, userAgent }: Pick<AuditEvent, 'actor' | 'address' | 'userAgent'>): Promise<void> => {
      await database.insertInto('audit').values({
        at: event.at, request_id: event.requestId, action: event.action, actor: actor.slice(0, 320), actor_kind: event.actorKind,
        address: address.slice(0, 320), remote_address: event.remoteAddress, user_agent: userAgent.slice(0, 512),
        outcome: event.outcome, ended: JSON.stringify(event.ended),
      }).execute();
    };
    const { actor, address, userAgent } = event;
    const plain = { actor: inAscii(actor), address: inAscii(address), userAgent: inAscii(userAgent) };
    const odd = plain.actor !== actor || plain.address !== address || plain.userAgent !== userAgent;
    // PostgreSQL takes no NUL, MariaDB nothing that its character set lacks: who names a mailbox so must not stay out of the log for it.
    // Only where the database refused the row: one that did not answer may have written it.
    await insert(event).catch((error: unknown) => {
      if (!odd || describeSqlError(error).kind !== 'misconfigured') throw error;
      return insert(plain);
    });
  },
  read: ({ cursor, limit, ...filter }) => stateAnswer(async () => {
    const wanted = filtered(filter);
    const found: Selectable<StateTables['audit']>[] = [];
    let from: Position | null = cursor === null ? null : position(cursor);
    do {
      const slice = newestFirst(database, filter, from);
      const end: Position | null = wanted === null ? null : await slice.select(['at', 'request_id']).offset(SLICE - 1).limit(1).executeTakeFirst().then((row) => (row === undefined ? null : { at: Number(row.at), requestId: row.request_id }));
      let rows = slice.selectAll();
      if (wanted !== null) rows = rows.where(wanted);
      // Down to the end of the slice and no further.
      if (end !== null) rows = rows.where('at', '>=', end.at).where((eb) => eb.or([eb('at', '>', end.at), eb('request_id', '>=', end.requestId)]));
      found.push(...await rows.limit(limit + 1 - found.length).execute());
      from = end;
      // SQLite answers in this thread: between two slices others have their turn.
      if (from !== null) await nextTurn();
    } while (from !== null && found.length <= limit);
    const events = found.slice(0, limit).map(toEvent);
    const last = events.at(-1);
    return { events, nextCursor: found.length > limit && last !== undefined ? `${String(last.at)}:${last.requestId}` : null };
  }),
});
