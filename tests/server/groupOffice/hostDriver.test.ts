import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { lookAtDrivers } from '../../../server/cli/doctor/lookAtDrivers.ts';
import { loadConfig } from '../../../server/config/loadConfig.ts';
import driver from '../../../server/drivers/hosts/groupOffice.ts';
import type { HostIdentity, IdentityRequest } from '../../../server/ports/hostIdentity.ts';
import { configFile } from '../../fixtures/cli.ts';
import { GroupOfficeDouble } from '../../fixtures/groupOfficeDouble/groupOfficeDouble.ts';

const options = () => ({ signal: AbortSignal.timeout(2_000) });
const context = { name: 'groupOffice', dataDir: '/nonexistent', clock: { now: () => Date.now() }, log: pino({ level: 'silent' }) };

describe('hosts/groupOffice', () => {
  let double: GroupOfficeDouble;
  let host: HostIdentity;
  let session: { accessToken: string; csrfToken: string };

  const create = (more: object = {}) => driver.create(driver.options.validateSync({ url: double.url, ...more }, { strict: true }) as never, context);

  beforeEach(async () => {
    double = await GroupOfficeDouble.start();
    double.state.imapDomains.add('mail.test');
    double.state.mailServer.set('carol@mail.test', 'Mailpass-1');
    double.state.addUser({ username: 'alice', email: 'alice@example.test', password: 'Alicepass-1' });
    double.installDropIn();
    session = await double.signIn('carol@mail.test', 'Mailpass-1');
    double.seen.length = 0;
    host = await create();
  });
  afterEach(async () => {
    await host.close();
    await double.stop();
  });

  const request = (more: Partial<IdentityRequest> = {}): IdentityRequest => ({
    method: 'POST',
    headers: { 'x-csrf-token': session.csrfToken, host: 'mail.example.test', 'user-agent': 'Browser/1' },
    cookies: { accessToken: session.accessToken },
    remoteAddress: '192.0.2.7',
    ...more,
  });

  it('tells the mailbox, the session, the directory and the user, and forwards what Group-Office must see', async () => {
    const actor = await host.authenticate(request({ cookies: { accessToken: session.accessToken, goRememberMe: 'not-forwarded', groupoffice: 'php1', other: 'x' } }), options());
    const userId = double.state.userByName('carol@mail.test')!.id;
    expect(actor).toMatchObject({ kind: 'owner', address: 'carol@mail.test', directory: 'imap', userId, sessionId: expect.stringMatching(/^s-[0-9a-f]{32}$/) as string });
    expect(actor!.forwarded).toEqual({ accessToken: session.accessToken, csrfToken: session.csrfToken, host: 'mail.example.test', userAgent: 'Browser/1', remoteAddress: '192.0.2.7', phpSession: 'php1' });
    expect(double.seen).toHaveLength(1);
    expect(double.seen[0]!.headers).toMatchObject({
      cookie: `accessToken=${session.accessToken}`, 'x-csrf-token': session.csrfToken, host: 'mail.example.test', 'user-agent': 'Browser/1', 'x-forwarded-for': '192.0.2.7',
    });
  });

  it('doctor says where nobody may log in to the Admin Panel, and not where its system administrators may', async () => {
    const panels = async (more: object, hash?: string): Promise<readonly string[]> => {
      const config = loadConfig({ file: configFile({
        host: { driver: 'groupOffice', url: double.url, ...more },
        ...(hash !== undefined && { administrators: [{ name: 'anna', passwordHash: hash, domains: ['*'] }] }),
      }).file });
      const sections = await lookAtDrivers(config, { dataDir: '/nowhere', clock: { now: () => Date.now() }, log: pino({ level: 'silent' }) }, { publicUrl: null, basePath: '/mailbox-password', refusedLogIn: null }, null, () => undefined);
      return sections.flatMap(({ findings }) => findings).filter(({ check }) => check === 'panels').map(({ level }) => level);
    };
    expect(await panels({})).toEqual(['warn']);
    expect(await panels({ administratorDomains: ['mail.test'] })).toEqual([]);
    expect(await panels({}, '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$Yf2fJ0FsUKdZ3m6jcVCC7PgN9CQ3Bqnc9mYkY3DEnEo')).toEqual([]);
  });

  it('lets its system administrators into the Admin Panel only where the operator says so, and only while they are that', async () => {
    expect(host.administrator).toBeUndefined();
    await host.close();
    host = await create({ administratorDomains: ['mail.test'] });
    const ofAll = await create({ administratorDomains: ['*'] });
    // The panel's own token, which Group-Office does not know, does not matter.
    const asks = (accessToken: string, from = host) => from.administrator?.(request({ cookies: { accessToken }, headers: { 'x-csrf-token': 'of-the-panel' } }), options());
    expect(await asks(session.accessToken)).toBeNull();
    expect(await asks('not-a-session')).toBeNull();
    double.state.addUser({ username: 'Root', email: 'root@mail.test', password: 'Rootpass-1', isAdmin: true });
    const root = await double.signIn('Root', 'Rootpass-1');
    expect(await asks(root.accessToken)).toEqual({ name: 'Root', domains: ['mail.test'] });
    expect(await asks(root.accessToken, ofAll)).toEqual({ name: 'Root', domains: null });
    const user = double.state.userByName('Root')!;
    Object.assign(user, { isAdmin: false });
    expect(await asks(root.accessToken)).toBeNull();
    await ofAll.close();
    await double.stop();
    await expect(asks(root.accessToken)).rejects.toMatchObject({ code: 'HOST_UNAVAILABLE' });
    double = await GroupOfficeDouble.start();
  });

  it('sends its own Host where one is configured', async () => {
    await host.close();
    host = await create({ host: 'office.example.test' });
    await host.authenticate(request(), options());
    expect(double.seen[0]!.headers.host).toBe('office.example.test');
  });

  it.each([
    ['no cookie', {}],
    ['an empty cookie', { accessToken: '' }],
    ['a cookie that would break the header', { accessToken: 'a; goRememberMe=b' }],
    ['a line break', { accessToken: 'a\r\nX-Evil: 1' }],
    ['a token nobody has', { accessToken: 'bogus' }],
  ])('answers null for %s', async (_, cookies) => {
    await expect(host.authenticate(request({ cookies }), options())).resolves.toBeNull();
  });

  it('tells a missing or wrong CSRF token from a dead session, which Group-Office does not', async () => {
    for (const headers of [{}, { 'x-csrf-token': 'wrong' }]) {
      await expect(host.authenticate(request({ headers }), options())).rejects.toMatchObject({ code: 'CSRF_TOKEN_INVALID' });
    }
    double.state.deleteTokens(() => true);
    await expect(host.authenticate(request({ headers: { 'x-csrf-token': 'wrong' } }), options())).resolves.toBeNull();
    await expect(host.authenticate(request(), options())).resolves.toBeNull();
  });

  it('needs no CSRF token for reading', async () => {
    for (const headers of [{}, { 'x-csrf-token': 'wrong' }]) {
      await expect(host.authenticate(request({ method: 'GET', headers }), options())).resolves.toMatchObject({ address: 'carol@mail.test', forwarded: { csrfToken: session.csrfToken } });
    }
  });

  it('is the recorded whoami: 401 without cookie, 401 or refused without CSRF token, identity with both', async () => {
    for (const [name, status] of [['no-cookie', 401], ['no-csrf', 401], ['ok', 200]] as const) {
      const file = join(process.cwd(), `tests/fixtures/groupOfficeDouble/recordings/05-node-whoami-${name}.json`);
      const recorded = JSON.parse(readFileSync(file, 'utf8')) as { request: { headers: Record<string, string> }; response: { status: number; body: { username?: string } } };
      expect(recorded.response.status).toBe(status);
      const cookies = recorded.request.headers['Cookie'] === undefined ? {} : { accessToken: session.accessToken };
      const headers = recorded.request.headers['X-CSRF-Token'] === undefined ? {} : { 'x-csrf-token': session.csrfToken };
      const answer = await host.authenticate(request({ cookies, headers }), options()).then((actor) => actor?.address ?? null, (error: { code: string }) => error.code);
      expect(answer).toBe({ 'no-cookie': null, 'no-csrf': 'CSRF_TOKEN_INVALID', ok: recorded.response.body.username ?? 'missing' }[name]);
    }
  });

  it('does not take a local user for the owner of a mailbox elsewhere', async () => {
    session = await double.signIn('alice', 'Alicepass-1');
    const alice = double.state.userByName('alice')!;
    // Every local user may write somebody's address into the e-mail field ...
    alice.email = 'victim@mail.test';
    await expect(host.authenticate(request(), options())).rejects.toMatchObject({ code: 'ACCOUNT_NOT_CHANGEABLE' });
    // ... or take it as the user name, after which Group-Office itself calls the account an IMAP one.
    alice.username = 'victim@mail.test';
    await expect(host.authenticate(request(), options())).rejects.toMatchObject({ code: 'ACCOUNT_NOT_CHANGEABLE' });
  });

  it('takes the address of a local user in the domains that Group-Office keeps itself', async () => {
    await host.close();
    host = await create({ localDomains: ['example.test'] });
    session = await double.signIn('alice', 'Alicepass-1');
    await expect(host.authenticate(request(), options())).resolves.toMatchObject({ address: 'alice@example.test', directory: 'local' });
  });

  it.each(['refuse', 'hang', 'fail'] as const)('is HOST_UNAVAILABLE, never "nobody", when Group-Office does: %s', async (fault) => {
    double.fault = fault;
    await expect(host.authenticate(request(), { signal: AbortSignal.timeout(200) })).rejects.toMatchObject({ code: 'HOST_UNAVAILABLE' });
  });

  it('is FORBIDDEN for somebody without the module right, and says so where the folder is gone', async () => {
    double.state.modules.get('mailboxpassword/mailboxpassword')!.readers = new Set();
    await expect(host.authenticate(request(), options())).rejects.toMatchObject({ code: 'FORBIDDEN' });
    double.state.modules.clear();
    await expect(host.authenticate(request(), options())).rejects.toMatchObject({ code: 'HOST_UNAVAILABLE', detail: expect.stringContaining('not found') as string });
    await expect(host.check(options())).rejects.toMatchObject({ code: 'HOST_UNAVAILABLE' });
  });

  it('checks that Group-Office answers and the drop-in is there', async () => {
    await expect(host.check(options())).resolves.toBeUndefined();
    await double.stop();
    await expect(host.check(options())).rejects.toMatchObject({ code: 'HOST_UNAVAILABLE' });
  });

  it("makes the browser forget all of Group-Office's cookies", () => {
    expect(host.clearedCookies().map((cookie) => cookie.split('=')[0])).toEqual(['accessToken', 'goRememberMe', 'groupoffice']);
    for (const cookie of host.clearedCookies()) expect(cookie).toMatch(/; Path=\/; Max-Age=0; HttpOnly; SameSite=Lax$/);
  });

  it('never puts a token into an error', async () => {
    double.fault = 'fail';
    const error = await host.authenticate(request(), options()).catch((caught: Error) => caught);
    for (let at: unknown = error; at instanceof Error; at = at.cause) {
      expect(`${at.message} ${at.stack ?? ''} ${JSON.stringify(at)}`).not.toContain(session.accessToken);
    }
  });

  it.each([[{}], [{ url: 'ftp://x' }], [{ url: 'http://x', password: 'y' }], [{ url: 'http://x', host: 'a b' }]])('refuses the options %j', (bad) => {
    expect(() => driver.options.validateSync(bad, { strict: true })).toThrow();
  });
});
