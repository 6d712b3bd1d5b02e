import type { Kysely } from 'kysely';
import { addCounts } from '../../module/channels.ts';
import type { Clock } from '../ports/clock.ts';
import type { RevocationOutbox } from '../ports/revocationOutbox.ts';
import type { SessionStore } from '../ports/sessionStore.ts';
import { stateAnswer } from '../state/stateAnswer.ts';
import type { PanelTables } from './tables.ts';
import { digest, newToken } from './tokens.ts';

export type PanelKind = 'user' | 'admin';

export interface PanelSession {
  readonly id: string;
  /** The mailbox, or the administrator's name. */
  readonly subject: string;
  readonly credential: string;
  readonly csrfToken: string;
  readonly cursorKey: string;
}

export interface PanelLifetime {
  readonly idleSeconds: number;
  readonly absoluteSeconds: number;
}

interface NewSession {
  readonly kind: PanelKind;
  readonly subject: string;
  readonly credential: string;
  /** The moment at which the password check began: a change in between ends this session too. */
  readonly issuedAt: number;
  readonly client: string;
  readonly remoteAddress: string;
}

/** The name under which the panel's own sessions stand in the list of devices. */
export const PANEL_STORE = 'user-panel';

/** Writing down every request would be a write per click; this is near enough for the idle limit. */
const SEEN_EVERY_MS = 5_000;

export type PanelSessions = ReturnType<typeof createPanelSessions>;

/** Log-ins to the two panels, in the state database; where that does not answer, `STATE_UNAVAILABLE`. Only the SHA-256 of a token is kept. */
export function createPanelSessions(database: Kysely<PanelTables>, clock: Clock, lifetimes: Readonly<Record<PanelKind, PanelLifetime>>) {
  const validFrom = async (address: string): Promise<number> =>
    Number((await database.selectFrom('panel_mark').select('valid_from').where('address', '=', address.toLowerCase()).executeTakeFirst())?.valid_from ?? 0);

  async function expire(kind: PanelKind): Promise<void> {
    const { idleSeconds, absoluteSeconds } = lifetimes[kind];
    const now = clock.now();
    // Two statements, each a range of an index; "or" would read every session there is.
    await database.deleteFrom('panel_session').where('kind', '=', kind).where('issued_at', '<', now - absoluteSeconds * 1000).execute();
    await database.deleteFrom('panel_session').where('kind', '=', kind).where('last_seen_at', '<', now - idleSeconds * 1000).execute();
  }

  async function revokeAll(address: string, issuedBefore: number, on = database): Promise<number> {
    const mailbox = address.toLowerCase();
    const known = await on.selectFrom('panel_mark').select('valid_from').where('address', '=', mailbox).executeTakeFirst();
    if (known === undefined) {
      await on.insertInto('panel_mark').values({ address: mailbox, valid_from: issuedBefore }).execute()
        // Another node wrote it at the same time.
        .catch(() => on.updateTable('panel_mark').set({ valid_from: issuedBefore }).where('address', '=', mailbox).where('valid_from', '<', issuedBefore).execute());
    } else {
      await on.updateTable('panel_mark').set({ valid_from: issuedBefore }).where('address', '=', mailbox).where('valid_from', '<', issuedBefore).execute();
    }
    const result = await on.deleteFrom('panel_session').where('kind', '=', 'user').where('subject', '=', mailbox).where('issued_at', '<', issuedBefore).executeTakeFirst();
    return Number(result.numDeletedRows);
  }

  /** Lists and ends the panel's own sessions beside those of the host. */
  const store: SessionStore = {
    name: PANEL_STORE,
    channels: ['web'],
    async list(address) {
      await expire('user');
      // Ordered here: an ORDER BY would lead SQLite to the index that has that order, and through everybody's sessions.
      const rows = (await database.selectFrom('panel_session').selectAll().where('kind', '=', 'user').where('subject', '=', address.toLowerCase()).execute())
        .sort((left, right) => Number(right.last_seen_at) - Number(left.last_seen_at));
      // Some databases take letters with and without an accent for the same.
      return rows.filter(({ subject }) => subject === address.toLowerCase()).map((row) => ({
        id: row.id, channel: 'web' as const, client: row.client, remoteAddress: row.remote_address, issuedAt: Number(row.issued_at), lastSeenAt: Number(row.last_seen_at),
      }));
    },
    async revoke(address, id) {
      if (!(await store.list(address, { signal: AbortSignal.timeout(1) })).some((session) => session.id === id)) return false;
      const result = await database.deleteFrom('panel_session').where('kind', '=', 'user').where('id', '=', id).executeTakeFirst();
      return Number(result.numDeletedRows) > 0;
    },
    revokeAll: async ({ address, issuedBefore }) => ({ revoked: { web: await revokeAll(address, issuedBefore) } }),
    async check() {
      await database.selectFrom('panel_session').select('id').limit(1).execute();
    },
    close: () => Promise.resolve(),
  };

  /** Always a new token, never one that the browser brought: a session cannot be fixed beforehand. */
  async function open({ kind, subject, credential, issuedAt, client, remoteAddress }: NewSession): Promise<{ readonly token: string; readonly session: PanelSession }> {
    await expire(kind);
    const token = newToken();
    const session: PanelSession = { id: newToken(12), subject: subject.toLowerCase(), credential, csrfToken: newToken(24), cursorKey: newToken(24) };
    await database.insertInto('panel_session').values({
      id: session.id, token_hash: digest(token), kind, subject: session.subject, credential, csrf_token: session.csrfToken, cursor_key: session.cursorKey,
      issued_at: issuedAt, last_seen_at: clock.now(), client: client.slice(0, 512), remote_address: remoteAddress,
    }).execute();
    return { token, session };
  }

  async function find(kind: PanelKind, token: string): Promise<PanelSession | null> {
    const row = await database.selectFrom('panel_session').selectAll().where('token_hash', '=', digest(token)).where('kind', '=', kind).executeTakeFirst();
    if (row === undefined) return null;
    const { idleSeconds, absoluteSeconds } = lifetimes[kind];
    const now = clock.now();
    const [issuedAt, lastSeenAt] = [Number(row.issued_at), Number(row.last_seen_at)];
    const over = now - issuedAt > absoluteSeconds * 1000 || now - lastSeenAt > idleSeconds * 1000;
    if (over || (kind === 'user' && issuedAt < (await validFrom(row.subject)))) return null;
    if (now - lastSeenAt > SEEN_EVERY_MS) await database.updateTable('panel_session').set({ last_seen_at: now }).where('id', '=', row.id).execute();
    return { id: row.id, subject: row.subject, credential: row.credential, csrfToken: row.csrf_token, cursorKey: row.cursor_key };
  }

  return {
    store,
    open: (session: NewSession) => stateAnswer(() => open(session)),
    find: (kind: PanelKind, token: string) => stateAnswer(() => find(kind, token)),
    end: (token: string) => stateAnswer(async () => { await database.deleteFrom('panel_session').where('token_hash', '=', digest(token)).execute(); }),
    revokeAll,
  };
}

/**
 * The panel's sessions live in the same database as the outbox, so they end with the confirmation of the change itself: nothing
 * of them can be pending, and a change settled after a crash ends them too.
 */
export const endingPanelSessions = (outbox: RevocationOutbox, revokeAll: (address: string, issuedBefore: number) => Promise<number>, addressOf: (changeId: string) => Promise<string | null>): RevocationOutbox => ({
  ...outbox,
  async confirm(changeId, changedAt) {
    const address = await addressOf(changeId);
    const own = address === null ? 0 : await revokeAll(address, changedAt);
    return addCounts(await outbox.confirm(changeId, changedAt), own === 0 ? {} : { web: own });
  },
});
