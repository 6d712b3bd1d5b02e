import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../../ports/clock.ts';
import type { EmbeddedDatabase } from '../../embeddedDatabase.ts';

const tokenHash = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Near enough for a list of devices. */
const SEEN_EVERY_MS = 5_000;

export interface WebSession { readonly id: string; readonly address: string; readonly csrfToken: string }

/** The embedded host's log-in sessions. Only the SHA-256 of a token is kept. */
export const webSessions = (database: EmbeddedDatabase, clock: Clock) => ({
  /** `issuedAt` is the moment at which the password check began: a change in between ends this session too. */
  async open(address: string, issuedAt: number, client: string, remoteAddress: string): Promise<string> {
    const token = randomBytes(32).toString('base64url');
    await database.insertInto('session').values({
      id: randomBytes(12).toString('base64url'), token_hash: tokenHash(token), csrf_token: randomBytes(24).toString('base64url'),
      address: address.toLowerCase(), issued_at: issuedAt, last_seen_at: clock.now(), client: client.slice(0, 512), remote_address: remoteAddress,
    }).execute();
    return token;
  },

  async find(token: string): Promise<WebSession | null> {
    const row = await database.selectFrom('session').innerJoin('mailbox', 'mailbox.address', 'session.address')
      .select(['session.id', 'session.address', 'session.csrf_token', 'session.issued_at', 'session.last_seen_at', 'mailbox.sessions_valid_from', 'mailbox.enabled'])
      .where('token_hash', '=', tokenHash(token)).executeTakeFirst();
    if (row === undefined || row.enabled !== 1 || row.issued_at < row.sessions_valid_from) return null;
    // When it was seen last is worth no write a click, and nobody's log-out: a full disk must not end the session.
    if (clock.now() - row.last_seen_at > SEEN_EVERY_MS) await database.updateTable('session').set({ last_seen_at: clock.now() }).where('id', '=', row.id).execute().catch(() => undefined);
    return { id: row.id, address: row.address, csrfToken: row.csrf_token };
  },

  async end(id: string): Promise<void> {
    await database.deleteFrom('session').where('id', '=', id).execute();
  },
});

/** Compares without telling by time how much was right. */
export function sameToken(left: string, right: string): boolean {
  const [a, b] = [tokenHash(left), tokenHash(right)].map((text) => Buffer.from(text));
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
