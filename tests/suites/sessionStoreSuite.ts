import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChannelCounts } from '../../module/channels.ts';
import type { SessionStore } from '../../server/ports/sessionStore.ts';
import { codeOf } from './accountApiSuite.ts';
import { HOSTILE_NAMES } from './hostileNames.ts';

export interface SessionStoreFixture {
  readonly store: SessionStore;
  /** Two mailboxes that this suite may log in and out as it likes. */
  readonly first: string;
  readonly second: string;
  /**
   * Opens a session and resolves to a probe: true while the session is alive. `issuedAt` is only given where
   * `choosesIssuedAt` says that the store lets the suite choose.
   */
  readonly open: (address: string, issuedAt?: number) => Promise<() => Promise<boolean>>;
  readonly choosesIssuedAt: boolean;
  /** False for stores that cannot list or end a single session; they must refuse with OPERATION_NOT_SUPPORTED. */
  readonly lists?: boolean;
  readonly revokesOne?: boolean;
  /** The same driver pointed at a back end that does not answer. */
  readonly unreachable?: () => Promise<SessionStore>;
  readonly teardown?: () => Promise<void>;
}

const within = (ms = 20_000) => ({ signal: AbortSignal.timeout(ms) });
const total = (counts: ChannelCounts): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

/** The conformance suite of every session store driver. */
export function describeSessionStore(name: string, setup: () => Promise<SessionStoreFixture>): void {
  describe(`session store: ${name}`, () => {
    let fixture: SessionStoreFixture;
    let store: SessionStore;

    beforeAll(async () => {
      fixture = await setup();
      store = fixture.store;
    }, 120_000);

    afterAll(async () => {
      await (store as SessionStore | undefined)?.close();
      await (fixture as SessionStoreFixture | undefined)?.teardown?.();
    }, 60_000);

    const revokeAll = (address: string, issuedBefore = Date.now() + 1000, attempt = 1) =>
      store.revokeAll({ address, issuedBefore, attempt, actor: null }, within());

    it('passes its own check and names its channels', async () => {
      await expect(store.check(within())).resolves.toBeUndefined();
      expect(store.name).not.toBe('');
      expect(store.channels.length).toBeGreaterThan(0);
    });

    it('ends nobody where nobody is logged in: success, with 0', async () => {
      const { revoked } = await revokeAll(fixture.first);
      expect(total(revoked)).toBe(0);
    });

    it('ends every session of the mailbox and none of another, and can be asked again', async () => {
      const one = await fixture.open(fixture.first);
      const two = await fixture.open(fixture.first);
      const other = await fixture.open(fixture.second);
      expect([await one(), await two(), await other()]).toEqual([true, true, true]);
      const { revoked } = await revokeAll(fixture.first);
      expect(total(revoked)).toBe(2);
      for (const channel of Object.keys(revoked)) expect(store.channels).toContain(channel);
      expect([await one(), await two(), await other()]).toEqual([false, false, true]);
      expect(total((await revokeAll(fixture.first, Date.now() + 1000, 2)).revoked)).toBe(0);
      expect(await other()).toBe(true);
      await revokeAll(fixture.second);
      expect(await other()).toBe(false);
    });

    it('leaves sessions issued at or after `issuedBefore` alone (I2)', async () => {
      if (!fixture.choosesIssuedAt) return;
      const at = Date.now() + 60_000;
      const before = await fixture.open(fixture.first, at - 1);
      const same = await fixture.open(fixture.first, at);
      const after = await fixture.open(fixture.first, at + 1);
      expect(total((await revokeAll(fixture.first, at, 3)).revoked)).toBe(1);
      expect([await before(), await same(), await after()]).toEqual([false, true, true]);
      expect(total((await revokeAll(fixture.first, at, 4)).revoked)).toBe(0);
      await revokeAll(fixture.first, at + 2);
      expect([await same(), await after()]).toEqual([false, false]);
    });

    it('lists the sessions of one mailbox', async () => {
      if (fixture.lists === false) {
        expect(await codeOf(store.list(fixture.first, within()))).toBe('OPERATION_NOT_SUPPORTED');
        return;
      }
      const later = Date.now() + 120_000;
      await fixture.open(fixture.first, fixture.choosesIssuedAt ? later : undefined);
      await fixture.open(fixture.second, fixture.choosesIssuedAt ? later : undefined);
      const sessions = await store.list(fixture.first, within());
      expect(sessions.length).toBeGreaterThan(0);
      for (const session of sessions) {
        expect(session.id).not.toBe('');
        expect(store.channels).toContain(session.channel);
      }
      expect(new Set(sessions.map((session) => session.id)).size).toBe(sessions.length);
      const others = await store.list(fixture.second, within());
      for (const session of others) expect(sessions.map(({ id }) => id)).not.toContain(session.id);
    });

    it('ends one session, only for its own mailbox, and says whether it was there', async () => {
      if (fixture.revokesOne === false) {
        expect(await codeOf(store.revoke(fixture.first, 'any', within()))).toBe('OPERATION_NOT_SUPPORTED');
        return;
      }
      const later = Date.now() + 180_000;
      const probe = await fixture.open(fixture.first, fixture.choosesIssuedAt ? later : undefined);
      const [session] = await store.list(fixture.first, within());
      const id = session?.id ?? '';
      expect(await store.revoke(fixture.second, id, within())).toBe(false);
      expect(await store.revoke(fixture.first, 'no-such-session', within())).toBe(false);
      for (const one of await store.list(fixture.first, within()))
        expect(await store.revoke(fixture.first, one.id, within())).toBe(true);
      expect(await store.revoke(fixture.first, id, within())).toBe(false);
      expect(await probe()).toBe(false);
    });

    it.each(HOSTILE_NAMES)('ends nobody for a name with %s', async (_label, hostile) => {
      const later = Date.now() + 240_000;
      const probe = await fixture.open(fixture.first, fixture.choosesIssuedAt ? later : undefined);
      // A store may refuse such a name with a code or have nobody of that name; it must not end anybody else.
      const outcome = await store
        .revokeAll({ address: hostile, issuedBefore: later + 1000, attempt: 1, actor: null }, within())
        .then(
          (result) => total(result.revoked),
          (error: unknown) => codeOf(Promise.reject(error as Error)),
        );
      expect([0, 'SESSIONS_MISCONFIGURED', 'OPERATION_NOT_SUPPORTED', 'SESSIONS_UNAVAILABLE']).toContain(outcome);
      expect(await probe()).toBe(true);
    });

    it('rejects at once with an aborted signal', async () => {
      const aborted = { signal: AbortSignal.abort() };
      expect(
        await codeOf(
          store.revokeAll({ address: fixture.first, issuedBefore: Date.now(), attempt: 1, actor: null }, aborted),
        ),
      ).toBe('SESSIONS_UNAVAILABLE');
    });

    it('says unavailable where the back end does not answer', async () => {
      if (!fixture.unreachable) return;
      const away = await fixture.unreachable();
      try {
        expect(
          await codeOf(
            away.revokeAll(
              { address: fixture.first, issuedBefore: Date.now(), attempt: 1, actor: null },
              within(5000),
            ),
          ),
        ).toBe('SESSIONS_UNAVAILABLE');
        expect(await codeOf(away.check(within(5000)))).toBe('SESSIONS_UNAVAILABLE');
      } finally {
        await away.close();
      }
    }, 60_000);
  });
}
