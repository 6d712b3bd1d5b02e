import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ModuleError, type ErrorCode } from '../../module/errors.ts';
import type { AccountApi } from '../../server/ports/accountApi.ts';
import { Secret } from '../../server/secret.ts';
import { HOSTILE_NAMES } from './hostileNames.ts';

export interface SeededMailbox {
  readonly address: string;
  readonly password: string;
}

export interface AccountApiFixture {
  readonly api: AccountApi;
  /** Two mailboxes of the same domain that exist, are enabled, and belong to this suite alone. */
  readonly first: SeededMailbox;
  readonly second: SeededMailbox;
  /** A mailbox that exists and may not log in; left out where the back end knows no such thing. */
  readonly locked?: SeededMailbox;
  /** The same driver pointed at a back end that does not answer; left out where there is no back end to be away. */
  readonly unreachable?: () => Promise<AccountApi>;
  /** Passwords the driver cannot tell apart from others, if any: left out of the suite (for example bcrypt over 72 bytes). */
  readonly maxPasswordBytes?: number;
  /** Passwords that this back end would take for something else: they must be refused, with PASSWORD_REJECTED_BY_SERVER. */
  readonly refusesPassword?: (password: string) => boolean;
  /** The driver compares `expectedVersion` within its write; where it cannot, the caller's own turn has to do. */
  readonly comparesVersion?: boolean;
  readonly teardown?: () => Promise<void>;
}

const within = (ms = 20_000) => ({ signal: AbortSignal.timeout(ms) });
const secret = (value: string) => new Secret(value);

/** The code with which a promise rejects; fails where it resolves or rejects with anything but a ModuleError. */
export async function codeOf(promise: Promise<unknown>): Promise<ErrorCode> {
  const outcome = await promise.then(
    () => 'resolved' as const,
    (error: unknown) => error,
  );
  if (!(outcome instanceof ModuleError)) throw new Error(`expected a ModuleError, got: ${String(outcome)}`);
  return outcome.code;
}

const REFUSED_UNKNOWN: readonly ErrorCode[] = ['ACCOUNT_NOT_FOUND', 'CURRENT_PASSWORD_WRONG'];

/** The conformance suite of every account driver. `setup` runs once; the tests change the seeded passwords as they go. */
export function describeAccountApi(name: string, setup: () => Promise<AccountApiFixture>): void {
  describe(`account API: ${name}`, () => {
    let fixture: AccountApiFixture;
    let api: AccountApi;
    /** What each mailbox's password is by now. */
    const current = new Map<string, string>();
    let serial = 0;
    const fresh = () => `Fresh-Pass/${(serial += 1)}-${Math.floor(performance.now())}`;

    beforeAll(async () => {
      fixture = await setup();
      api = fixture.api;
      for (const mailbox of [fixture.first, fixture.second]) current.set(mailbox.address, mailbox.password);
    }, 120_000);

    afterAll(async () => {
      await (api as AccountApi | undefined)?.close();
      await (fixture as AccountApiFixture | undefined)?.teardown?.();
    }, 60_000);

    /** Changes or sets by what the driver can do; every driver can do one of them. */
    const renew = async (address: string, next: string) => {
      const was = current.get(address) ?? '';
      const receipt = api.abilities.changePassword
        ? await api.changePassword(address, secret(was), secret(next), within())
        : await api.setPassword(address, secret(next), within());
      current.set(address, next);
      return receipt;
    };

    it('passes its own check', async () => {
      await expect(api.check(within())).resolves.toBeUndefined();
    });

    it('verifies the current password anew, unless its version says that it is the one that was verified', async () => {
      if (api.abilities.provesByVersion !== true) return;
      const { address } = fixture.first;
      const before = await api.passwordVersion(address, within());
      await renew(address, fresh());
      const now = await api.passwordVersion(address, within());
      const wrong = (verifiedVersion: string | null) => codeOf(api.changePassword(address, secret('Never-was-this-1'), secret(fresh()), { ...within(), verifiedVersion }));
      expect(now).not.toBe(before);
      expect([await wrong(before), await wrong(null), await wrong('')]).toEqual(['CURRENT_PASSWORD_WRONG', 'CURRENT_PASSWORD_WRONG', 'CURRENT_PASSWORD_WRONG']);
      const [was, next] = [current.get(address) ?? '', fresh()];
      await api.changePassword(address, secret(was), secret(next), { ...within(), verifiedVersion: now });
      current.set(address, next);
      expect(await api.verifyPassword(address, secret(next), within())).toBe(true);
      const { locked } = fixture;
      if (locked !== undefined) {
        const verifiedVersion = await api.passwordVersion(locked.address, within());
        expect(await codeOf(api.changePassword(locked.address, secret(locked.password), secret(fresh()), { ...within(), verifiedVersion }))).toBe('CURRENT_PASSWORD_WRONG');
      }
      expect(await codeOf(api.changePassword(`nobody-${address}`, secret('x'), secret(fresh()), { ...within(), verifiedVersion: now }))).toBe('CURRENT_PASSWORD_WRONG');
    });

    it('can change or set a password', () => {
      expect(api.abilities.changePassword || api.abilities.setPassword).toBe(true);
    });

    it('refuses with a code what it cannot do (I8)', async () => {
      const { first } = fixture;
      const { abilities } = api;
      if (!abilities.verifyPassword)
        expect(await codeOf(api.verifyPassword(first.address, secret('x'), within()))).toBe('OPERATION_NOT_SUPPORTED');
      if (!abilities.changePassword)
        expect(await codeOf(api.changePassword(first.address, secret('x'), secret('y'), within()))).toBe(
          'OPERATION_NOT_SUPPORTED',
        );
      if (!abilities.setPassword)
        expect(await codeOf(api.setPassword(first.address, secret('y'), within()))).toBe('OPERATION_NOT_SUPPORTED');
      if (!abilities.listDomains)
        expect(await codeOf(api.listDomains('', within()))).toBe('OPERATION_NOT_SUPPORTED');
      if (!abilities.listMailboxes)
        expect(
          await codeOf(api.listMailboxes({ domain: 'x', search: '', cursor: null, limit: 10 }, within())),
        ).toBe('OPERATION_NOT_SUPPORTED');
    });

    it('finds a mailbox and not another', async () => {
      const found = await api.find(fixture.first.address, within());
      expect(found?.address.toLowerCase()).toBe(fixture.first.address.toLowerCase());
      expect(found?.enabled).toBe(true);
      expect(await api.find('nobody-of-that-name@example.test', within())).toBeNull();
    });

    it('verifies the right password and no other', async () => {
      if (!api.abilities.verifyPassword) return;
      const { first, second } = fixture;
      expect(await api.verifyPassword(first.address, secret(current.get(first.address) ?? ''), within())).toBe(true);
      for (const wrong of ['', ' ', 'wrong', `${current.get(first.address)} `, current.get(second.address) ?? '', '0', '\u{1F600}'])
        expect(await api.verifyPassword(first.address, secret(wrong), within())).toBe(false);
    });

    it('says false for an unknown mailbox and for a locked one', async () => {
      if (!api.abilities.verifyPassword) return;
      expect(await api.verifyPassword('nobody-of-that-name@example.test', secret('whatever'), within())).toBe(false);
      const { locked } = fixture;
      if (locked) expect(await api.verifyPassword(locked.address, secret(locked.password), within())).toBe(false);
    });

    it('changes: the new password counts, the old one does not, another mailbox is untouched', async () => {
      const { first, second } = fixture;
      const old = current.get(first.address) ?? '';
      const next = fresh();
      const before = Date.now();
      const receipt = await renew(first.address, next);
      if (receipt.changedAt !== null) expect(Math.abs(receipt.changedAt - before)).toBeLessThan(60_000);
      if (!api.abilities.verifyPassword) return;
      expect(await api.verifyPassword(first.address, secret(next), within())).toBe(true);
      expect(await api.verifyPassword(first.address, secret(old), within())).toBe(false);
      expect(await api.verifyPassword(second.address, secret(current.get(second.address) ?? ''), within())).toBe(true);
    });

    it('refuses a change with a wrong current password and changes nothing (I4)', async () => {
      if (!api.abilities.changePassword) return;
      const { first } = fixture;
      for (const wrong of ['', 'wrong', `${current.get(first.address)}x`])
        expect(await codeOf(api.changePassword(first.address, secret(wrong), secret(fresh()), within()))).toBe(
          'CURRENT_PASSWORD_WRONG',
        );
      if (api.abilities.verifyPassword)
        expect(await api.verifyPassword(first.address, secret(current.get(first.address) ?? ''), within())).toBe(true);
    });

    it('refuses to change or set for a mailbox that is not there', async () => {
      const nobody = 'nobody-of-that-name@example.test';
      if (api.abilities.changePassword)
        expect(REFUSED_UNKNOWN).toContain(
          await codeOf(api.changePassword(nobody, secret('x'), secret(fresh()), within())),
        );
      if (api.abilities.setPassword)
        expect(await codeOf(api.setPassword(nobody, secret(fresh()), within()))).toBe('ACCOUNT_NOT_FOUND');
      expect(await api.find(nobody, within())).toBeNull();
    });

    it('refuses a change of a locked mailbox', async () => {
      const { locked } = fixture;
      if (!locked || !api.abilities.changePassword) return;
      expect(['ACCOUNT_LOCKED', 'CURRENT_PASSWORD_WRONG']).toContain(
        await codeOf(api.changePassword(locked.address, secret(locked.password), secret(fresh()), within())),
      );
    });

    it('lets one of several changes at the same time win, and tells the others', async () => {
      if (!api.abilities.changePassword) return;
      const { first } = fixture;
      const was = current.get(first.address) ?? '';
      const wanted = Array.from({ length: 6 }, fresh);
      const outcomes = await Promise.all(
        wanted.map((next) =>
          api.changePassword(first.address, secret(was), secret(next), within()).then(
            () => 'changed' as const,
            (error: unknown) => (error instanceof ModuleError ? error.code : String(error)),
          ),
        ),
      );
      const winners = wanted.filter((_, index) => outcomes[index] === 'changed');
      expect(winners).toHaveLength(1);
      current.set(first.address, winners[0] ?? '');
      for (const outcome of outcomes)
        expect(['changed', 'ACCOUNT_CHANGED_MEANWHILE', 'CURRENT_PASSWORD_WRONG']).toContain(outcome);
      if (!api.abilities.verifyPassword) return;
      for (const next of wanted)
        expect(await api.verifyPassword(first.address, secret(next), within())).toBe(next === winners[0]);
    });

    it('has a version that changes with the password and only with it', async () => {
      const { first } = fixture;
      const version = await api.passwordVersion(first.address, within());
      if (version === null) return;
      expect(await api.passwordVersion(first.address, within())).toBe(version);
      await renew(first.address, fresh());
      const later = await api.passwordVersion(first.address, within());
      expect(later).not.toBe(version);
      expect(later).not.toBeNull();
      // Opaque: nothing that a password could be guessed against without the back end.
      expect(later).not.toMatch(/\$argon2|\$2[aby]\$|\$6\$|\$5\$|\{/u);
      expect((later ?? '').length).toBeLessThanOrEqual(255);
    });

    it('sets without the current password', async () => {
      if (!api.abilities.setPassword) return;
      const { second } = fixture;
      const next = fresh();
      await api.setPassword(second.address, secret(next), within());
      const old = current.get(second.address) ?? '';
      current.set(second.address, next);
      if (!api.abilities.verifyPassword) return;
      expect(await api.verifyPassword(second.address, secret(next), within())).toBe(true);
      expect(await api.verifyPassword(second.address, secret(old), within())).toBe(false);
    });

    it('sets only while the expected version is still there', async () => {
      const { second } = fixture;
      const version = await api.passwordVersion(second.address, within());
      if (fixture.comparesVersion !== true) return;
      expect(version).not.toBeNull();
      const [one, two] = [fresh(), fresh()];
      const outcomes = await Promise.all([one, two].map((next) => api.setPassword(second.address, secret(next), { ...within(), expectedVersion: version }).then(() => 'set', (error: unknown) => (error as ModuleError).code)));
      expect([...outcomes].sort()).toEqual(['ACCOUNT_CHANGED_MEANWHILE', 'set']);
      const won = outcomes[0] === 'set' ? one : two;
      current.set(second.address, won);
      expect(await codeOf(api.setPassword(second.address, secret(fresh()), { ...within(), expectedVersion: version }))).toBe('ACCOUNT_CHANGED_MEANWHILE');
      if (api.abilities.verifyPassword) expect(await api.verifyPassword(second.address, secret(won), within())).toBe(true);
    });

    it('asks for a new password at the next log-in where it can, and forgets it with the change', async () => {
      const { first, second } = fixture;
      const required = async (address: string) => (await api.find(address, within()))?.changeRequired ?? false;
      if (api.abilities.requireChange !== true) {
        if (api.requireChange !== undefined) expect(await codeOf(api.requireChange(first.address, true, within()))).toBe('OPERATION_NOT_SUPPORTED');
        return;
      }
      expect(await required(first.address)).toBe(false);
      for (let n = 0; n < 2; n += 1) await api.requireChange?.(first.address, true, within());
      expect([await required(first.address), await required(second.address)]).toEqual([true, false]);
      if (api.abilities.verifyPassword) expect(await api.verifyPassword(first.address, secret(current.get(first.address) ?? ''), within())).toBe(true);
      await renew(first.address, fresh());
      expect(await required(first.address)).toBe(false);
      await api.requireChange?.(first.address, true, within());
      await api.requireChange?.(first.address, false, within());
      expect(await required(first.address)).toBe(false);
      if (api.abilities.setPassword) {
        // Twice in a row, too: a back end may take a mark that was there already for none.
        for (const asked of [true, true, false]) {
          const next = fresh();
          await api.setPassword(first.address, secret(next), { ...within(), requireChange: asked });
          current.set(first.address, next);
          expect(await required(first.address)).toBe(asked);
        }
      }
      expect(await codeOf(api.requireChange?.('nobody-of-that-name@example.test', true, within()) ?? Promise.resolve())).toBe('ACCOUNT_NOT_FOUND');
    });

    it.each([
      ['blanks at both ends', '  Padded Pass-1  '],
      ['quotes and back slashes', `Q'"\\\`;--/*Pass-1`],
      ['a colon and braces', '{PLAIN}a:B:c:1'],
      ['a per cent sign', '%s%d%u-Pass1'],
      ['an emoji', 'Pass-\u{1F600}\u{1F469}‍\u{1F4BB}-1'],
      ['letters beyond Latin', 'Пароль-密码-1Aa'],
      ['128 code points', `Aa1!${'x'.repeat(124)}`],
    ])('takes a password with %s unchanged', async (_label, next) => {
      const limit = fixture.maxPasswordBytes ?? api.abilities.maxPasswordBytes;
      if (limit !== null && Buffer.byteLength(next) > limit) return;
      const { second } = fixture;
      if (fixture.refusesPassword?.(next) === true) {
        expect(await codeOf(renew(second.address, next))).toBe('PASSWORD_REJECTED_BY_SERVER');
        return;
      }
      await renew(second.address, next);
      if (!api.abilities.verifyPassword) return;
      expect(await api.verifyPassword(second.address, secret(next), within())).toBe(true);
      expect(await api.verifyPassword(second.address, secret(next.slice(0, -1)), within())).toBe(false);
      if (next !== next.trim())
        expect(await api.verifyPassword(second.address, secret(next.trim()), within())).toBe(false);
    });

    it('refuses a password over the bytes that it can take, never cuts it', async () => {
      const limit = api.abilities.maxPasswordBytes;
      if (limit === null) return;
      const long = `Aa1!${'x'.repeat(limit - 3)}`;
      const { second } = fixture;
      expect(await codeOf(renew(second.address, long))).toBe('PASSWORD_TOO_LONG_FOR_SCHEME');
      if (api.abilities.verifyPassword)
        expect(await api.verifyPassword(second.address, secret(current.get(second.address) ?? ''), within())).toBe(true);
    });

    describe.each(HOSTILE_NAMES)('a name with %s', (_label, hostile) => {
      it('is nobody, in every operation', async () => {
        expect(await api.find(hostile, within())).toBeNull();
        const { first, second } = fixture;
        for (const mailbox of [first, second]) {
          const password = current.get(mailbox.address) ?? '';
          if (api.abilities.verifyPassword)
            expect(await api.verifyPassword(hostile, secret(password), within())).toBe(false);
          if (api.abilities.changePassword)
            expect(REFUSED_UNKNOWN).toContain(
              await codeOf(api.changePassword(hostile, secret(password), secret('Taken-Over-1'), within())),
            );
        }
        if (api.abilities.setPassword)
          expect(await codeOf(api.setPassword(hostile, secret('Taken-Over-1'), within()))).toBe('ACCOUNT_NOT_FOUND');
        if (api.abilities.listDomains) expect(Array.isArray(await api.listDomains(hostile, within()))).toBe(true);
        if (api.abilities.listMailboxes)
          expect(
            (await api.listMailboxes({ domain: hostile, search: '', cursor: null, limit: 10 }, within())).mailboxes,
          ).toEqual([]);
      });
    });

    it('left both mailboxes alone while hostile names were tried', async () => {
      if (!api.abilities.verifyPassword) return;
      for (const [address, password] of current) {
        expect(await api.verifyPassword(address, secret(password), within())).toBe(true);
        expect(await api.verifyPassword(address, secret('Taken-Over-1'), within())).toBe(false);
      }
    });

    it('lists domains and mailboxes, by search and page by page', async () => {
      const { first, second } = fixture;
      const domain = first.address.slice(first.address.lastIndexOf('@') + 1);
      if (api.abilities.listDomains) {
        expect(await api.listDomains('', within())).toContain(domain);
        expect(await api.listDomains('no-such-domain-of-that-name', within())).toEqual([]);
      }
      if (!api.abilities.listMailboxes) return;
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<AccountApi['listMailboxes']>> = await api.listMailboxes(
          { domain, search: '', cursor, limit: 1 },
          within(),
        );
        expect(page.mailboxes.length).toBeLessThanOrEqual(1);
        seen.push(...page.mailboxes.map((mailbox) => mailbox.address.toLowerCase()));
        cursor = page.nextCursor;
      } while (cursor !== null && seen.length < 1000);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen).toEqual(expect.arrayContaining([first.address.toLowerCase(), second.address.toLowerCase()]));
      const local = first.address.slice(0, first.address.indexOf('@'));
      const hit = await api.listMailboxes({ domain, search: local, cursor: null, limit: 50 }, within());
      expect(hit.mailboxes.map((mailbox) => mailbox.address.toLowerCase())).toContain(first.address.toLowerCase());
      for (const wild of ['%', '_', '*'])
        expect(
          (await api.listMailboxes({ domain, search: wild, cursor: null, limit: 50 }, within())).mailboxes,
        ).toEqual([]);
    });

    it('rejects at once with an aborted signal, and changes nothing', async () => {
      const { first } = fixture;
      const aborted = { signal: AbortSignal.abort() };
      expect(await codeOf(api.find(first.address, aborted))).toBe('ACCOUNTS_UNAVAILABLE');
      const password = current.get(first.address) ?? '';
      if (api.abilities.verifyPassword)
        expect(await codeOf(api.verifyPassword(first.address, secret(password), aborted))).toBe('ACCOUNTS_UNAVAILABLE');
      if (api.abilities.changePassword)
        expect(
          await codeOf(api.changePassword(first.address, secret(password), secret('Taken-Over-1'), aborted)),
        ).toBe('ACCOUNTS_UNAVAILABLE');
      if (api.abilities.verifyPassword)
        expect(await api.verifyPassword(first.address, secret(password), within())).toBe(true);
    });

    it('says unavailable, never "wrong", where the back end does not answer', async () => {
      if (!fixture.unreachable) return;
      const away = await fixture.unreachable();
      const { first } = fixture;
      const password = secret(current.get(first.address) ?? '');
      try {
        expect(await codeOf(away.find(first.address, within(5000)))).toBe('ACCOUNTS_UNAVAILABLE');
        expect(await codeOf(away.check(within(5000)))).toBe('ACCOUNTS_UNAVAILABLE');
        if (away.abilities.verifyPassword)
          expect(await codeOf(away.verifyPassword(first.address, password, within(5000)))).toBe('ACCOUNTS_UNAVAILABLE');
        if (away.abilities.changePassword)
          expect(['ACCOUNTS_UNAVAILABLE', 'ACCOUNTS_OUTCOME_UNKNOWN']).toContain(
            await codeOf(away.changePassword(first.address, password, secret(fresh()), within(5000))),
          );
      } finally {
        await away.close();
      }
    }, 60_000);
  });
}
