import { pino } from 'pino';
import maildomains from '../../../server/drivers/accounts/groupOfficeMaildomains.ts';
import users from '../../../server/drivers/accounts/groupOfficeUser.ts';
import type { Driver } from '../../../server/drivers/defineDriver.ts';
import type { AccountApi } from '../../../server/ports/accountApi.ts';
import { Secret } from '../../../server/secret.ts';
import { GroupOfficeDouble } from '../../fixtures/groupOfficeDouble/groupOfficeDouble.ts';

const options = (ms = 3_000) => ({ signal: AbortSignal.timeout(ms) });
const secret = (text: string) => new Secret(text);
const context = { name: 'accounts', dataDir: '/nonexistent', clock: { now: () => Date.now() }, log: pino({ level: 'silent' }) };
const HOSTILE = ['a:b@x.test', '*', 'a*@x.test', ')(uid=*', '%', "' OR 1=1 --", 'a\nb@x.test', 'a\0b@x.test', '', 'x'.repeat(300), '@', 'ä@x.test'];

/** As the wiring does. */
const create = <Options extends object>(driver: Driver<AccountApi, Options>, given: object) => driver.create(driver.options.validateSync(given, { strict: true }) as never, context);

let double: GroupOfficeDouble;
let accounts: AccountApi;
beforeEach(async () => {
  double = await GroupOfficeDouble.start();
});
afterEach(async () => {
  await accounts.close();
  await double.stop();
});

/** No session or cached log-in of the driver's own making stays behind. */
function expectNothingLeft(username: string): void {
  const user = double.state.userByName(username);
  expect([...double.state.tokens.values()].filter(({ userId, expiresAt }) => userId === user?.id && expiresAt !== null)).toEqual([]);
  expect([...double.state.loginCache.values()].filter(({ userId }) => userId === user?.id)).toEqual([]);
}

const isSetCall = ({ body }: { body: unknown }) => JSON.stringify(body).includes('/set"');

describe('accounts/groupOfficeUser', () => {
  const ALICE = 'alice@example.test';

  beforeEach(async () => {
    double.state.addUser({ username: 'alice', email: ALICE, password: 'Alicepass-1' });
    double.state.addUser({ username: 'bob', email: 'bob@example.test', password: 'Bobpass-11', enabled: false });
    double.state.addUser({ username: 'otto', email: 'otto@example.test', password: 'Ottopass-1', otp: true });
    double.state.imapDomains.add('mail.test');
    double.state.mailServer.set('carol@mail.test', 'Mailpass-1');
    double.state.addUser({ username: 'carol@mail.test' });
    const serviceKey = double.installDropIn({ mayChangeUsers: true });
    accounts = await users.create({ url: double.url, host: null, serviceKey, setPassword: true }, context);
  });

  it('tells the recovery address and the language, for notices', async () => {
    Object.assign(double.state.userByName('alice')!, { recoveryEmail: 'alice@elsewhere.test', language: 'nl' });
    await expect(accounts.find(ALICE, options())).resolves.toMatchObject({ address: ALICE, recoveryAddress: 'alice@elsewhere.test', language: 'nl' });
  });

  it('verifies, and leaves no session and no cached log-in behind', async () => {
    await expect(accounts.verifyPassword(ALICE, secret('Alicepass-1'), options())).resolves.toBe(true);
    expectNothingLeft('alice');
    for (const [address, password] of [[ALICE, 'wrong'], [ALICE, ''], ['nobody@example.test', 'x'], ['bob@example.test', 'Bobpass-11'], ['carol@mail.test', 'Mailpass-1']] as const) {
      if (password !== '') await expect(accounts.verifyPassword(address, secret(password), options())).resolves.toBe(false);
    }
  });

  it('verifies somebody with a second factor, and takes back the half log-in', async () => {
    await expect(accounts.verifyPassword('otto@example.test', secret('Ottopass-1'), options())).resolves.toBe(true);
    expectNothingLeft('otto');
  });

  describe('somebody with a second factor', () => {
    const otto = () => double.state.userByName('otto')!;
    const change = (current: string, api = accounts) => api.changePassword('otto@example.test', secret(current), secret('New-pass-22'), options());

    it('is changed by the service, after the password was verified; no half log-in stays', async () => {
      await change('Ottopass-1');
      expect(otto().password).toBe('New-pass-22');
      expectNothingLeft('otto');
      await expect(accounts.verifyPassword('otto@example.test', secret('Ottopass-1'), options())).resolves.toBe(false);
    });

    it('is refused with a wrong current password, and by a change that came in between', async () => {
      await expect(change('wrong')).rejects.toMatchObject({ code: 'CURRENT_PASSWORD_WRONG' });
      double.faultFor = (request) => {
        if (isSetCall(request) && otto().password === 'Ottopass-1') {
          otto().password = 'Elsewhere-3';
          double.state.changed('User');
        }
        return true;
      };
      await expect(change('Ottopass-1')).rejects.toMatchObject({ code: 'CURRENT_PASSWORD_WRONG' });
      expect(otto().password).toBe('Elsewhere-3');
    });

    it('is refused with a code where the service may not set, or the user is an administrator', async () => {
      otto().isAdmin = true;
      await expect(change('Ottopass-1')).rejects.toMatchObject({ code: 'ACCOUNT_NOT_CHANGEABLE' });
      otto().isAdmin = false;
      const without = await create(users, { url: double.url, serviceKey: double.installDropIn() });
      await expect(change('Ottopass-1', without)).rejects.toMatchObject({ code: 'ACCOUNT_NOT_CHANGEABLE' });
      await without.close();
      expect(otto().password).toBe('Ottopass-1');
      expectNothingLeft('otto');
    });
  });

  describe('somebody who is to choose a new password', () => {
    const alice = () => double.state.userByName('alice')!;
    const change = (current: string, next: string, api = accounts) => api.changePassword(ALICE, secret(current), secret(next), options());

    it('is told, verified and changed; then the mark is gone', async () => {
      alice().forcePasswordChange = true;
      await expect(accounts.find(ALICE, options())).resolves.toMatchObject({ changeRequired: true });
      await expect(accounts.verifyPassword(ALICE, secret('Alicepass-1'), options())).resolves.toBe(true);
      await change('Alicepass-1', 'New-pass-22');
      expect(alice()).toMatchObject({ password: 'New-pass-22', forcePasswordChange: false });
      expectNothingLeft('alice');
    });

    it('can do so at the log-in itself where the service may not set, and is told of every refusal', async () => {
      const without = await create(users, { url: double.url, serviceKey: double.installDropIn() });
      expect(without.abilities.requireChange).toBe(false);
      expect(await without.find(ALICE, options())).not.toHaveProperty('changeRequired');
      await expect(without.requireChange?.(ALICE, true, options())).rejects.toMatchObject({ code: 'OPERATION_NOT_SUPPORTED' });
      alice().forcePasswordChange = true;
      await expect(without.find(ALICE, options())).resolves.toMatchObject({ changeRequired: true });
      await expect(change('wrong', 'New-pass-22', without)).rejects.toMatchObject({ code: 'CURRENT_PASSWORD_WRONG' });
      for (const refused of ['abc', 'Alicepass-1']) await expect(change('Alicepass-1', refused, without)).rejects.toMatchObject({ code: 'PASSWORD_REJECTED_BY_SERVER' });
      expect(alice()).toMatchObject({ password: 'Alicepass-1', forcePasswordChange: true });
      expectNothingLeft('alice');
      await change('Alicepass-1', 'New-pass-22', without);
      expect(alice()).toMatchObject({ password: 'New-pass-22', forcePasswordChange: false });
      expectNothingLeft('alice');
      Object.assign(alice(), { forcePasswordChange: true, otp: true });
      await expect(change('New-pass-22', 'Third-pass-3', without)).rejects.toMatchObject({ code: 'ACCOUNT_NOT_CHANGEABLE' });
      expect(alice().password).toBe('New-pass-22');
      await without.close();
    });

    it('keeps the mark where the password is refused, and where it was there already; nobody is marked by a refusal', async () => {
      const set = (next: string) => accounts.setPassword(ALICE, secret(next), { ...options(), requireChange: true });
      await expect(set('abc')).rejects.toMatchObject({ code: 'PASSWORD_REJECTED_BY_SERVER' });
      expect(alice()).toMatchObject({ password: 'Alicepass-1', forcePasswordChange: false });
      alice().forcePasswordChange = true;
      await expect(set('abc')).rejects.toMatchObject({ code: 'PASSWORD_REJECTED_BY_SERVER' });
      expect(alice()).toMatchObject({ password: 'Alicepass-1', forcePasswordChange: true });
      await set('Set-pass-44');
      expect(alice()).toMatchObject({ password: 'Set-pass-44', forcePasswordChange: true });
    });

    it.each([1, 2])('has the mark put back where PHP died after it was taken away (requests that fail: %d)', async (failing) => {
      alice().forcePasswordChange = true;
      let left = failing;
      double.fault = 'dieAfterFirst';
      double.faultFor = (request) => isSetCall(request) && left-- > 0;
      await expect(accounts.setPassword(ALICE, secret('Set-pass-44'), { ...options(), requireChange: true })).rejects.toMatchObject({ code: 'ACCOUNTS_OUTCOME_UNKNOWN' });
      expect(alice()).toMatchObject({ password: 'Alicepass-1', forcePasswordChange: true });
    });

    it('is no administrator, no user of a mail server, and needs the right to change users', async () => {
      alice().isAdmin = true;
      await expect(accounts.requireChange?.(ALICE, true, options())).rejects.toMatchObject({ code: 'ACCOUNT_NOT_CHANGEABLE' });
      alice().isAdmin = false;
      await expect(accounts.requireChange?.('carol@mail.test', true, options())).rejects.toMatchObject({ code: 'ACCOUNT_NOT_CHANGEABLE' });
      double.state.userByName('mailbox-password')!.mayChangeUsers = false;
      double.state.usersVisible = true;
      for (const run of [() => accounts.requireChange?.(ALICE, true, options()), () => accounts.setPassword(ALICE, secret('Set-pass-44'), options())]) {
        await expect(run()).rejects.toMatchObject({ code: 'ACCOUNTS_MISCONFIGURED' });
      }
      expect(alice()).toMatchObject({ password: 'Alicepass-1', forcePasswordChange: false });
    });
  });

  it('changes; the old password is refused at once, not after a minute', async () => {
    await double.signIn('alice', 'Alicepass-1');
    await accounts.changePassword(ALICE, secret('Alicepass-1'), secret('New-pass-22'), options());
    await expect(accounts.verifyPassword(ALICE, secret('Alicepass-1'), options())).resolves.toBe(false);
    await expect(accounts.verifyPassword(ALICE, secret('New-pass-22'), options())).resolves.toBe(true);
    await expect(double.signIn('alice', 'Alicepass-1')).rejects.toThrow('401');
    double.state.deleteTokens(({ expiresAt }) => expiresAt !== null);
    await accounts.changePassword(ALICE, secret('New-pass-22'), secret('Alicepass-1'), options());
    expectNothingLeft('alice');
  });

  it('does not believe a cached log-in with a password that is no longer the one', async () => {
    await double.signIn('alice', 'Alicepass-1');
    double.state.userByName('alice')!.password = 'Elsewhere-3';
    await expect(accounts.verifyPassword(ALICE, secret('Alicepass-1'), options())).resolves.toBe(false);
    double.state.passwordLogin('alice', 'Elsewhere-3');
    await expect(accounts.changePassword(ALICE, secret('Alicepass-1'), secret('New-pass-22'), options())).rejects.toMatchObject({ code: 'CURRENT_PASSWORD_WRONG' });
    expect(double.state.userByName('alice')!.password).toBe('Elsewhere-3');
  });

  it.each([['wrong'], ['']])('refuses the current password %j and changes nothing', async (current) => {
    await expect(accounts.changePassword(ALICE, secret(current), secret('New-pass-22'), options())).rejects.toMatchObject({ code: 'CURRENT_PASSWORD_WRONG' });
    expect(double.state.userByName('alice')!.password).toBe('Alicepass-1');
    expect(double.seen.some(isSetCall)).toBe(false);
  });

  it('never sends User/set for a user of the mail server', async () => {
    for (const run of [
      () => accounts.changePassword('carol@mail.test', secret('Mailpass-1'), secret('New-pass-22'), options()),
      () => accounts.setPassword('carol@mail.test', secret('New-pass-22'), options()),
    ]) await expect(run()).rejects.toMatchObject({ code: 'ACCOUNT_NOT_CHANGEABLE' });
    expect(double.seen.some(isSetCall)).toBe(false);
    await expect(accounts.find('carol@mail.test', options())).resolves.toBeNull();
  });

  it('counts bytes: bcrypt looks at 72, so 73 are refused before anything is sent', async () => {
    const fits = `${'ü'.repeat(35)}x1`;
    await accounts.changePassword(ALICE, secret('Alicepass-1'), secret(fits), options());
    await expect(accounts.verifyPassword(ALICE, secret(fits), options())).resolves.toBe(true);
    double.seen.length = 0;
    await expect(accounts.changePassword(ALICE, secret(fits), secret(`${'ü'.repeat(36)}x`), options())).rejects.toMatchObject({ code: 'PASSWORD_TOO_LONG_FOR_SCHEME', params: { maxBytes: 72 } });
    await expect(accounts.setPassword(ALICE, secret(`${'ü'.repeat(36)}x`), options())).rejects.toMatchObject({ code: 'PASSWORD_TOO_LONG_FOR_SCHEME' });
    expect(double.seen).toEqual([]);
  });

  it("passes on Group-Office's own refusal", async () => {
    await expect(accounts.changePassword(ALICE, secret('Alicepass-1'), secret('abc'), options())).rejects.toMatchObject({ code: 'PASSWORD_REJECTED_BY_SERVER' });
    await expect(accounts.setPassword(ALICE, secret('abc'), options())).rejects.toMatchObject({ code: 'PASSWORD_REJECTED_BY_SERVER' });
    expect(double.state.userByName('alice')!.password).toBe('Alicepass-1');
  });

  it('lets one of two changes at once win, in one process and in two', async () => {
    const second = await users.create({ url: double.url, host: null, serviceKey: double.installDropIn(), setPassword: false }, context);
    const results = await Promise.allSettled([
      accounts.changePassword(ALICE, secret('Alicepass-1'), secret('First-pass-1'), options()),
      accounts.changePassword(ALICE, secret('Alicepass-1'), secret('Second-pass-2'), options()),
      second.changePassword(ALICE, secret('Alicepass-1'), secret('Third-pass-3'), options()),
    ]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const winner = ['First-pass-1', 'Second-pass-2', 'Third-pass-3'][results.findIndex(({ status }) => status === 'fulfilled')];
    expect(double.state.userByName('alice')!.password).toBe(winner);
    await second.close();
  });

  it('does not overwrite a change that came in just before the write, though the cache would still let the old password through', async () => {
    let once = true;
    double.faultFor = (request) => {
      if (once && isSetCall(request)) {
        once = false;
        double.state.passwordLogin('alice', 'Alicepass-1');
        double.state.userByName('alice')!.password = 'Elsewhere-3';
        double.state.changed('User');
      }
      return true;
    };
    await expect(accounts.changePassword(ALICE, secret('Alicepass-1'), secret('New-pass-22'), options())).rejects.toMatchObject({ code: 'CURRENT_PASSWORD_WRONG' });
    expect(double.state.userByName('alice')!.password).toBe('Elsewhere-3');
  });

  it('is not stopped by changes of other users, which count in the same state', async () => {
    let left = 2;
    double.faultFor = (request) => {
      if (isSetCall(request) && left-- > 0) double.state.changed('User');
      return true;
    };
    await accounts.changePassword(ALICE, secret('Alicepass-1'), secret('New-pass-22'), options());
    expect(double.state.userByName('alice')!.password).toBe('New-pass-22');
  });

  it('sets as an administrator may, and only where that is switched on', async () => {
    await accounts.setPassword(ALICE, secret('Set-pass-44'), options());
    await expect(accounts.verifyPassword(ALICE, secret('Set-pass-44'), options())).resolves.toBe(true);
    await expect(accounts.setPassword('nobody@example.test', secret('Set-pass-44'), options())).rejects.toMatchObject({ code: 'ACCOUNT_NOT_FOUND' });
    const without = await users.create({ url: double.url, host: null, serviceKey: double.installDropIn(), setPassword: false }, context);
    expect(without.abilities.setPassword).toBe(false);
    await expect(without.setPassword(ALICE, secret('Set-pass-55'), options())).rejects.toMatchObject({ code: 'OPERATION_NOT_SUPPORTED' });
    await without.close();
  });

  it.each(['refuse', 'fail', 'hang'] as const)('is ACCOUNTS_UNAVAILABLE while nothing was written and Group-Office does: %s', async (fault) => {
    double.fault = fault;
    await expect(accounts.verifyPassword(ALICE, secret('Alicepass-1'), options(200))).rejects.toMatchObject({ code: 'ACCOUNTS_UNAVAILABLE' });
    await expect(accounts.changePassword(ALICE, secret('Alicepass-1'), secret('New-pass-22'), options(200))).rejects.toMatchObject({ code: 'ACCOUNTS_UNAVAILABLE' });
    await expect(accounts.find(ALICE, options(200))).rejects.toMatchObject({ code: 'ACCOUNTS_UNAVAILABLE' });
    expect(double.state.userByName('alice')!.password).toBe('Alicepass-1');
  });

  it('is ACCOUNTS_OUTCOME_UNKNOWN when the write was sent and no answer came', async () => {
    double.fault = 'hangAfterWrite';
    double.faultFor = isSetCall;
    await expect(accounts.changePassword(ALICE, secret('Alicepass-1'), secret('New-pass-22'), options(400))).rejects.toMatchObject({ code: 'ACCOUNTS_OUTCOME_UNKNOWN' });
    double.fault = 'none';
    await expect(accounts.verifyPassword(ALICE, secret('New-pass-22'), options())).resolves.toBe(true);
  });

  it.each(HOSTILE)('knows nobody called %j', async (name) => {
    await expect(accounts.find(name, options())).resolves.toBeNull();
    await expect(accounts.setPassword(name, secret('New-pass-22'), options())).rejects.toMatchObject({ code: 'ACCOUNT_NOT_FOUND' });
  });

  it('refuses what it cannot do', async () => {
    await expect(accounts.listDomains('', options())).rejects.toMatchObject({ code: 'OPERATION_NOT_SUPPORTED' });
    await expect(accounts.listMailboxes({ domain: 'x', search: '', cursor: null, limit: 1 }, options())).rejects.toMatchObject({ code: 'OPERATION_NOT_SUPPORTED' });
  });

  it('checks its key', async () => {
    await expect(accounts.check(options())).resolves.toBeUndefined();
    double.state.modules.get('mailboxpassword/mailboxpassword')!.managers.clear();
    await expect(accounts.check(options())).rejects.toMatchObject({ code: 'ACCOUNTS_MISCONFIGURED' });
  });
});

describe('accounts/groupOfficeMaildomains', () => {
  const CAROL = 'carol@mail.test';

  beforeEach(async () => {
    const { state } = double;
    state.imapDomains.add('mail.test');
    state.imapDomains.add('second.test');
    state.mailDomains.set('1', { id: '1', domain: 'mail.test', active: true });
    state.mailDomains.set('2', { id: '2', domain: 'second.test', active: true });
    for (let n = 1; n <= 5; n++) {
      state.mailboxes.set(String(n), { id: String(n), domainId: '1', username: `user${n}@mail.test`, password: `User-pass-${n}`, active: true, description: `User ${n}` });
    }
    state.mailboxes.set('6', { id: '6', domainId: '1', username: CAROL, password: 'Mailpass-1', active: true, description: 'Carol' });
    state.mailboxes.set('7', { id: '7', domainId: '2', username: 'off@second.test', password: 'Offpass-11', active: false, description: '' });
    const serviceKey = double.installDropIn();
    state.modules.set('community/maildomains', { id: '77', package: 'community', name: 'maildomains', readers: null, managers: new Set() });
    accounts = await maildomains.create({ url: double.url, host: null, serviceKey }, context);
  });

  it('lists domains and pages of mailboxes', async () => {
    await expect(accounts.listDomains('', options())).resolves.toEqual(['mail.test', 'second.test']);
    await expect(accounts.listDomains('SECOND', options())).resolves.toEqual(['second.test']);
    const names: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<AccountApi['listMailboxes']>> = await accounts.listMailboxes({ domain: 'mail.test', search: '', cursor, limit: 4 }, options());
      names.push(...page.mailboxes.map(({ address }) => address));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(names).toEqual([CAROL, 'user1@mail.test', 'user2@mail.test', 'user3@mail.test', 'user4@mail.test', 'user5@mail.test']);
    await expect(accounts.listMailboxes({ domain: 'mail.test', search: 'user 3', cursor: null, limit: 4 }, options())).resolves.toMatchObject({ mailboxes: [{ address: 'user3@mail.test' }], nextCursor: null });
    await expect(accounts.listMailboxes({ domain: 'nowhere.test', search: '', cursor: null, limit: 4 }, options())).resolves.toEqual({ mailboxes: [], nextCursor: null });
    await expect(accounts.listMailboxes({ domain: 'mail.test', search: '', cursor: 'x', limit: 4 }, options())).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    await expect(accounts.find('off@second.test', options())).resolves.toMatchObject({ enabled: false });
  });

  it('verifies against the mailbox, changes it, and the old password is refused at once', async () => {
    await expect(accounts.verifyPassword('CAROL@mail.test', secret('Mailpass-1'), options())).resolves.toBe(true);
    await expect(accounts.verifyPassword('off@second.test', secret('Offpass-11'), options())).resolves.toBe(false);
    await expect(accounts.verifyPassword('nobody@mail.test', secret('x'), options())).resolves.toBe(false);
    await double.signIn(CAROL, 'Mailpass-1');
    await accounts.changePassword(CAROL, secret('Mailpass-1'), secret('New-pass-22'), options());
    expect(double.state.mailboxes.get('6')!.password).toBe('New-pass-22');
    await expect(double.signIn(CAROL, 'Mailpass-1')).rejects.toThrow('401');
    await expect(accounts.changePassword(CAROL, secret('Mailpass-1'), secret('Third-pass-3'), options())).rejects.toMatchObject({ code: 'CURRENT_PASSWORD_WRONG' });
    await expect(accounts.changePassword('nobody@mail.test', secret('x'), secret('Third-pass-3'), options())).rejects.toMatchObject({ code: 'CURRENT_PASSWORD_WRONG' });
  });

  it('sets, refuses what Group-Office refuses, and knows who is not there', async () => {
    await accounts.setPassword(CAROL, secret('Set-pass-44'), options());
    expect(double.state.mailboxes.get('6')!.password).toBe('Set-pass-44');
    await expect(accounts.setPassword(CAROL, secret('abc'), options())).rejects.toMatchObject({ code: 'PASSWORD_REJECTED_BY_SERVER' });
    await expect(accounts.setPassword('nobody@mail.test', secret('Set-pass-44'), options())).rejects.toMatchObject({ code: 'ACCOUNT_NOT_FOUND' });
  });

  it('lets one of two changes at once win', async () => {
    const results = await Promise.allSettled(['First-pass-1', 'Second-pass-2'].map((next) => accounts.changePassword(CAROL, secret('Mailpass-1'), secret(next), options())));
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it.each(HOSTILE)('knows nobody called %j', async (name) => {
    await expect(accounts.find(name, options())).resolves.toBeNull();
    await expect(accounts.setPassword(name, secret('New-pass-22'), options())).rejects.toMatchObject({ code: 'ACCOUNT_NOT_FOUND' });
  });

  it('is ACCOUNTS_OUTCOME_UNKNOWN when the write was sent and no answer came, ACCOUNTS_UNAVAILABLE when nothing was', async () => {
    double.fault = 'hangAfterWrite';
    double.faultFor = isSetCall;
    await expect(accounts.setPassword(CAROL, secret('New-pass-22'), options(300))).rejects.toMatchObject({ code: 'ACCOUNTS_OUTCOME_UNKNOWN' });
    double.faultFor = () => true;
    double.fault = 'refuse';
    await expect(accounts.setPassword(CAROL, secret('New-pass-33'), options(300))).rejects.toMatchObject({ code: 'ACCOUNTS_UNAVAILABLE' });
  });

  it('says when the module or the right is missing', async () => {
    await expect(accounts.check(options())).resolves.toBeUndefined();
    double.state.modules.delete('community/maildomains');
    await expect(accounts.check(options())).rejects.toMatchObject({ code: 'ACCOUNTS_MISCONFIGURED' });
  });
});
