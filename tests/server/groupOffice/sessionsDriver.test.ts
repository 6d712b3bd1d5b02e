import { pino } from 'pino';
import driver from '../../../server/drivers/sessions/groupOffice.ts';
import type { DriverContext } from '../../../server/drivers/defineDriver.ts';
import type { Actor } from '../../../server/ports/hostIdentity.ts';
import type { SessionStore } from '../../../server/ports/sessionStore.ts';
import { GroupOfficeDouble } from '../../fixtures/groupOfficeDouble/groupOfficeDouble.ts';

const options = () => ({ signal: AbortSignal.timeout(20_000) });
/** As the wiring does. */
const create = (given: object, context: DriverContext) => driver.create(driver.options.validateSync(given, { strict: true }) as never, context);

describe('sessions/groupOffice', () => {
  let double: GroupOfficeDouble;
  let store: SessionStore;
  let serviceKey: string;
  let now: number;
  const logged: string[] = [];

  beforeEach(async () => {
    double = await GroupOfficeDouble.start();
    now = 1_800_000_000_000;
    double.state.now = () => now;
    double.state.imapDomains.add('mail.test');
    double.state.mailServer.set('carol@mail.test', 'Mailpass-1');
    double.state.mailServer.set('dave@mail.test', 'Mailpass-9');
    serviceKey = double.installDropIn();
    logged.length = 0;
    const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) });
    store = await create({ url: double.url, serviceKey, secondPassMs: 20 }, { name: 'web', dataDir: '/nonexistent', clock: { now: () => now }, log });
  });
  afterEach(async () => {
    await store.close();
    await double.stop();
  });

  const actorOf = (session: { accessToken: string; csrfToken: string }): Actor => ({
    kind: 'owner', address: 'carol@mail.test', sessionId: null, forwarded: { accessToken: session.accessToken, csrfToken: session.csrfToken },
  });
  const revokeAll = (more: Partial<Parameters<SessionStore['revokeAll']>[0]> = {}) =>
    store.revokeAll({ address: 'carol@mail.test', issuedBefore: now, attempt: 1, actor: null, ...more }, options());

  it('lists browsers, one for a browser that is logged in and remembered', async () => {
    await double.signIn('carol@mail.test', 'Mailpass-1', true);
    await double.signIn('dave@mail.test', 'Mailpass-9');
    const list = await store.list('carol@mail.test', options());
    expect(list).toEqual([
      { id: expect.stringMatching(/^s-/) as string, channel: 'web', client: expect.stringContaining('Chrome') as string, remoteAddress: '127.0.0.1', issuedAt: now, lastSeenAt: now },
    ]);
    double.state.deleteTokens(({ passed }) => passed.includes('imap'));
    expect((await store.list('carol@mail.test', options())).map(({ id }) => id[0])).toEqual(['r']);
    await expect(store.list('nobody@mail.test', options())).resolves.toEqual([]);
  });

  it('ends one session and its remember-me cookie; nothing of another mailbox; twice is false', async () => {
    const mine = await double.signIn('carol@mail.test', 'Mailpass-1', true);
    const theirs = await double.signIn('dave@mail.test', 'Mailpass-9');
    await double.alive(mine.accessToken);
    const [session] = await store.list('carol@mail.test', options());
    await expect(store.revoke('dave@mail.test', session!.id, options())).resolves.toBe(false);
    await expect(store.revoke('carol@mail.test', session!.id, options())).resolves.toBe(true);
    await expect(store.revoke('carol@mail.test', session!.id, options())).resolves.toBe(false);
    await expect(store.revoke('carol@mail.test', "x' or 1=1", options())).resolves.toBe(false);
    expect(await double.alive(mine.accessToken)).toBe(false);
    expect(double.state.rememberMe.size).toBe(0);
    expect(await double.alive(theirs.accessToken)).toBe(true);
  });

  it('ends everything there was: warm sessions, sessions that lost their row, remember-me, the log-in cache; and says how many', async () => {
    const warm = await double.signIn('carol@mail.test', 'Mailpass-1', true);
    const rowless = await double.signIn('carol@mail.test', 'Mailpass-1');
    const theirs = await double.signIn('dave@mail.test', 'Mailpass-9');
    for (const { accessToken } of [warm, rowless, theirs]) expect(await double.alive(accessToken)).toBe(true);
    double.state.deleteTokenRows(({ accessToken }) => accessToken === rowless.accessToken);
    double.state.mailServer.set('carol@mail.test', 'New-pass-22');
    now += 1000;
    // Trap 3 at work: the old password still opens a session, 1 s after the change.
    const late = await double.signIn('carol@mail.test', 'Mailpass-1');
    now += 1;
    await expect(revokeAll()).resolves.toEqual({ revoked: { web: 3 } });
    for (const { accessToken } of [warm, rowless, late]) expect(await double.alive(accessToken)).toBe(false);
    expect(await double.alive(theirs.accessToken)).toBe(true);
    expect(double.state.rememberMe.size).toBe(0);
    await expect(double.signIn('carol@mail.test', 'Mailpass-1')).rejects.toThrow('401');
    await expect(double.signIn('carol@mail.test', 'New-pass-22')).resolves.toBeDefined();
    await expect(revokeAll({ attempt: 2 })).resolves.toEqual({ revoked: { web: 0 } });
  });

  it('keeps what was opened with the new password, within the same second and on a late retry', async () => {
    const changedAt = now + 500;
    await double.signIn('carol@mail.test', 'Mailpass-1');
    now = changedAt + 1;
    const fresh = await double.signIn('carol@mail.test', 'Mailpass-1', true);
    await expect(revokeAll({ issuedBefore: changedAt, attempt: 2 })).resolves.toEqual({ revoked: { web: 1 } });
    now += 3_600_000;
    await expect(revokeAll({ issuedBefore: changedAt, attempt: 7 })).resolves.toEqual({ revoked: { web: 0 } });
    expect(await double.alive(fresh.accessToken)).toBe(true);
    expect(double.state.rememberMe.size).toBe(1);
  });

  it('ends what an attacker opens who goes on logging in with the old password and a stolen cookie through it all', async () => {
    double.state.now = Date.now;
    const cookie = (await double.signIn('carol@mail.test', 'Mailpass-1', true)).rememberMe!;
    const opened: string[] = [];
    double.state.underWay = () => new Promise((resolve) => { setTimeout(resolve, 5 + Math.random() * 60); });
    let on = true;
    const attempt = async (body: object): Promise<number> => {
      const answer = await fetch(`${double.url}/api/auth.php`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
      const { accessToken } = (await answer.json()) as { accessToken?: string };
      if (accessToken !== undefined) {
        opened.push(accessToken);
        // Used at once, so that it stands in the cache as well.
        await double.alive(accessToken);
      }
      return answer.status;
    };
    const loop = async (body: () => object): Promise<void> => { while (on) await attempt(body()); };
    const loops = Array.from({ length: 8 }, () => loop(() => ({ username: 'carol@mail.test', password: 'Mailpass-1', rememberLogin: true })));
    const stolen = [0, 1].map(() => loop(() => ({ rememberMeToken: cookie })));
    await new Promise((resolve) => { setTimeout(resolve, 150); });
    double.state.mailServer.set('carol@mail.test', 'New-pass-22');
    const patient = await create({ url: double.url, serviceKey, secondPassMs: 150 }, { name: 'web', dataDir: '/nonexistent', clock: { now: Date.now }, log: pino({ level: 'silent' }) });
    await patient.revokeAll({ address: 'carol@mail.test', issuedBefore: Date.now(), attempt: 1, actor: null }, options());
    await new Promise((resolve) => { setTimeout(resolve, 200); });
    on = false;
    await Promise.all([...loops, ...stolen]);
    expect(opened.length).toBeGreaterThan(8);
    expect((await Promise.all(opened.map((token) => double.alive(token)))).filter(Boolean)).toEqual([]);
    expect(double.state.rememberMe.size).toBe(0);
    expect(await attempt({ username: 'carol@mail.test', password: 'Mailpass-1' })).toBe(401);
    expect(await attempt({ username: 'carol@mail.test', password: 'New-pass-22' })).toBe(201);
    await patient.close();
  }, 60_000);

  it('looks no further for log-ins of the new password, which a calendar program makes all the time', async () => {
    const looks = () => double.seen.filter(({ body }) => JSON.stringify(body).includes('endAll')).length;
    double.faultFor = () => { double.state.passwordLogin('carol@mail.test', 'Mailpass-1'); return true; };
    await revokeAll();
    expect(looks()).toBe(3);
  });

  it('cannot tell who came in while Group-Office was away: keeps them, or ends them where that is configured', async () => {
    for (const [sessionsDuringOutage, survives] of [['keep', true], ['end', false]] as const) {
      const other = await create({ url: double.url, serviceKey, secondPassMs: 0, sessionsDuringOutage }, { name: 'web', dataDir: '/nonexistent', clock: { now: () => now }, log: pino({ level: 'silent' }) });
      const changedAt = now;
      now += 20_000;
      const inBetween = await double.signIn('carol@mail.test', 'Mailpass-1');
      now += 50_000;
      const later = await double.signIn('carol@mail.test', 'Mailpass-1');
      now += 1000;
      await other.revokeAll({ address: 'carol@mail.test', issuedBefore: changedAt, attempt: 2, actor: null }, options());
      expect([sessionsDuringOutage, await double.alive(inBetween.accessToken), await double.alive(later.accessToken)]).toEqual([sessionsDuringOutage, survives, true]);
      await other.close();
    }
  });

  it("reckons with a Group-Office whose clock is ahead or behind: nothing old survives, nothing new dies", async () => {
    for (const skew of [30_000, -30_000]) {
      double.state.now = () => now + skew;
      const other = await create({ url: double.url, serviceKey, secondPassMs: 20 }, { name: 'web', dataDir: '/nonexistent', clock: { now: () => now }, log: pino({ level: 'silent' }) });
      const old = await double.signIn('carol@mail.test', 'Mailpass-1');
      now += 1000;
      const changedAt = now;
      now += 1000;
      const fresh = await double.signIn('carol@mail.test', 'Mailpass-1');
      await other.revokeAll({ address: 'carol@mail.test', issuedBefore: changedAt, attempt: 2, actor: null }, options());
      expect({ skew, old: await double.alive(old.accessToken), fresh: await double.alive(fresh.accessToken) }).toEqual({ skew, old: false, fresh: true });
      await other.close();
    }
  });

  describe('when Group-Office is busy', () => {
    /** Our clock, on which the first answer takes that long. Group-Office, that far behind, reads its own at the beginning or the end of that time. */
    function slowFirst(tookMs: number, reads: 'beginning' | 'end', behindMs = 0, looksBefore = 1): { now(): number } {
      const began = now;
      let looks = 0;
      const moment = () => (looks <= looksBefore ? began : began + tookMs);
      double.state.now = () => (reads === 'end' && looks > 0 ? began + tookMs : moment()) - behindMs;
      return { now: () => (looks++, moment()) };
    }
    const withClock = (clock: { now(): number }) => create({ url: double.url, serviceKey, secondPassMs: 20 }, { name: 'web', dataDir: '/nonexistent', clock, log: pino({ level: 'silent' }) });
    const clockFindings = async (slow: SessionStore) => (await slow.diagnose!({ ...options(), publicUrl: null, basePath: '/mailbox-password', refusedLogIn: null })).filter(({ check }) => check === 'clock');

    it('doctor does not take the time that an answer needs for a difference of the clocks', async () => {
      const slow = await withClock(slowFirst(6_000, 'beginning'));
      expect(await clockFindings(slow)).toEqual([{ level: 'ok', check: 'clock', text: "Group-Office's clock and this machine agree", todo: undefined }]);
      await slow.close();
    });

    it('doctor sees a difference that a slow answer would hide: it asks again, and believes the quickest', async () => {
      const slow = await withClock(slowFirst(60_000, 'end', 30_000));
      expect(await clockFindings(slow)).toEqual([{ level: 'warn', check: 'clock', text: "Group-Office's clock is 30.0 s behind this machine", todo: expect.stringContaining('NTP') as string }]);
      await slow.close();
    });

    it('a late log-out reckons with such a difference: nothing new dies', async () => {
      // The driver looks at its clock once more, whether it has measured lately.
      const clock = slowFirst(60_000, 'end', 30_000, 2);
      const fresh = await double.signIn('carol@mail.test', 'Mailpass-1');
      const slow = await withClock(clock);
      // Changed a second before that log-in, on our clock.
      await slow.revokeAll({ address: 'carol@mail.test', issuedBefore: now - 1_000, attempt: 2, actor: null }, options());
      expect(await double.alive(fresh.accessToken)).toBe(true);
      await slow.close();
    });
  });

  it("tries first with the caller's own session, later with the service key", async () => {
    const session = await double.signIn('carol@mail.test', 'Mailpass-1');
    now += 1;
    double.seen.length = 0;
    await revokeAll({ actor: actorOf(session) });
    const [first, ...looks] = double.seen;
    expect([first?.headers.cookie, first?.headers.authorization]).toEqual([`accessToken=${session.accessToken}`, undefined]);
    // That session is dead now: the looks that follow are the service's.
    expect(looks.map(({ headers }) => [headers.cookie, headers.authorization])).toEqual([[undefined, `Bearer ${serviceKey}`]]);
    expect(await double.alive(session.accessToken)).toBe(false);
    double.seen.length = 0;
    await revokeAll({ actor: actorOf(session), attempt: 2 });
    expect(double.seen.every(({ headers }) => headers.cookie === undefined && headers.authorization === `Bearer ${serviceKey}`)).toBe(true);
  });

  it("uses the service key where the caller's session is dead already, or is somebody else's", async () => {
    const session = await double.signIn('carol@mail.test', 'Mailpass-1');
    const second = await double.signIn('carol@mail.test', 'Mailpass-1');
    double.state.deleteTokens(({ accessToken }) => accessToken === session.accessToken);
    now += 1;
    await expect(revokeAll({ actor: actorOf(session) })).resolves.toEqual({ revoked: { web: 1 } });
    expect(await double.alive(second.accessToken)).toBe(false);
    const dave = await double.signIn('dave@mail.test', 'Mailpass-9');
    now += 1;
    await store.revokeAll({ address: 'carol@mail.test', issuedBefore: now, attempt: 1, actor: { ...actorOf(dave), address: 'dave@mail.test' } }, options());
    expect(await double.alive(dave.accessToken)).toBe(true);
  });

  it('leaves API keys alive and says so', async () => {
    const user = double.state.addUser({ username: 'erin@mail.test' });
    double.state.addToken({ userId: user.id, expiresAt: null });
    await store.revokeAll({ address: 'erin@mail.test', issuedBefore: now, attempt: 1, actor: null }, options());
    expect(double.state.tokens.size).toBe(2);
    expect(logged.join('')).toContain('API keys of the user were left alive');
  });

  it.each(['refuse', 'hang', 'fail', 'hangAfterWrite'] as const)('is SESSIONS_UNAVAILABLE when Group-Office does: %s; the retry ends everything', async (fault) => {
    const session = await double.signIn('carol@mail.test', 'Mailpass-1');
    now += 1;
    double.fault = fault;
    const call = { address: 'carol@mail.test', issuedBefore: now, actor: actorOf(session) };
    await expect(store.revokeAll({ ...call, attempt: 1 }, { signal: AbortSignal.timeout(200) })).rejects.toMatchObject({ code: 'SESSIONS_UNAVAILABLE' });
    await expect(store.list('carol@mail.test', { signal: AbortSignal.timeout(200) })).rejects.toMatchObject({ code: 'SESSIONS_UNAVAILABLE' });
    double.fault = 'none';
    await store.revokeAll({ ...call, attempt: 2, actor: null }, options());
    expect(await double.alive(session.accessToken)).toBe(false);
  });

  it('is SESSIONS_MISCONFIGURED for a key without the manage right, a dead key and a folder that is gone', async () => {
    const module = double.state.modules.get('mailboxpassword/mailboxpassword')!;
    await expect(store.check(options())).resolves.toBeUndefined();
    module.managers.clear();
    await expect(store.check(options())).rejects.toMatchObject({ code: 'SESSIONS_MISCONFIGURED', detail: expect.stringContaining('manage right') as string });
    await expect(revokeAll()).rejects.toMatchObject({ code: 'SESSIONS_MISCONFIGURED' });
    double.state.deleteTokens(() => true);
    await expect(store.check(options())).rejects.toMatchObject({ code: 'SESSIONS_MISCONFIGURED' });
    double.state.modules.clear();
    await expect(store.check(options())).rejects.toMatchObject({ code: 'SESSIONS_MISCONFIGURED', detail: expect.stringContaining('not found') as string });
  });

  it('logs no token', async () => {
    const session = await double.signIn('carol@mail.test', 'Mailpass-1');
    await double.alive(session.accessToken);
    double.state.modules.get('mailboxpassword/mailboxpassword')!.readers = new Set();
    await revokeAll({ actor: actorOf(session) });
    expect(logged.join('')).toContain('refused');
    for (const secret of [session.accessToken, session.csrfToken, serviceKey]) expect(logged.join('')).not.toContain(secret);
  });
});
