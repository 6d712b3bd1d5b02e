import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AccountApi } from '../../../../server/ports/accountApi.ts';
import { Secret } from '../../../../server/secret.ts';
import { person } from '../../../fixtures/directory.ts';
import { createLdap, searching } from '../../../fixtures/ldapApi.ts';
import { type Slapd, startSlapd } from '../../../services/slapd.ts';
import { tcpTap } from '../../../services/tcpTap.ts';
import { codeOf } from '../../../suites/accountApiSuite.ts';

const within = (ms = 20_000) => ({ signal: AbortSignal.timeout(ms) });
const secret = (value: string) => new Secret(value);
const OLD = 'Old-one-1';
const mailbox = (uid: string) => `${uid}@example.test`;

const POLICIES: Readonly<Record<string, string>> = {
  safe: 'pwdSafeModify: TRUE', history: 'pwdInHistory: 3', young: 'pwdMinAge: 3600', short: 'pwdCheckQuality: 2\npwdMinLength: 20', long: 'pwdCheckQuality: 2\npwdMaxLength: 10',
  lock: 'pwdLockout: TRUE\npwdMaxFailure: 2\npwdLockoutDuration: 600', fixed: 'pwdAllowUserChange: FALSE', reset: 'pwdMustChange: TRUE',
  expired: 'pwdMaxAge: 1\npwdGraceAuthNLimit: 0', grace: 'pwdMaxAge: 1\npwdGraceAuthNLimit: 2',
};
const LONG_AGO = 'pwdChangedTime: 20200101000000Z\n';
const recently = (): string => `pwdChangedTime: ${new Date().toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z\n`;
const more = (name: string): string => (['expired', 'grace'].includes(name) ? LONG_AGO : name === 'young' ? recently() : name === 'reset' ? 'pwdReset: TRUE\n' : '');

describe('what a password policy says (ppolicy)', () => {
  let slapd: Slapd;
  let api: AccountApi;
  beforeAll(async () => {
    const names = Object.keys(POLICIES);
    slapd = await startSlapd({
      policy: 'pwdAllowUserChange: TRUE',
      ldif: [
        ...names.map((name) => `dn: cn=${name},ou=policies,dc=example,dc=test\nobjectClass: pwdPolicy\nobjectClass: device\ncn: ${name}\npwdAttribute: userPassword\n${POLICIES[name] ?? ''}\n`),
        ...names.map((name) => person(name, OLD, `pwdPolicySubentry: cn=${name},ou=policies,dc=example,dc=test\n${more(name)}`)),
        person('plain', OLD), person('gone', OLD, 'pwdAccountLockedTime: 000001010000Z\n'), person('bare', OLD).replace(/userPassword.*\n/, ''),
      ].join('\n'),
    });
    api = await createLdap(searching(slapd));
  }, 60_000);
  afterAll(async () => { await slapd.stop(); });

  const change = (uid: string, current: string, next: string) => codeOf(api.changePassword(mailbox(uid), secret(current), secret(next), within()));
  const accepts = (uid: string, password: string) => api.verifyPassword(mailbox(uid), secret(password), within());

  it.each([
    ['history', 'the same again', OLD, 'PASSWORD_IN_HISTORY'],
    ['young', 'too soon after the last one', 'New-one-2', 'PASSWORD_CHANGE_TOO_SOON'],
    ['short', 'too short for the directory', 'New-one-2', 'PASSWORD_REJECTED_BY_SERVER'],
    ['long', 'too long for the directory', 'New-one-2-that-is-long', 'PASSWORD_REJECTED_BY_SERVER'],
    ['fixed', 'not to be changed by its owner', 'New-one-2', 'ACCOUNT_NOT_CHANGEABLE'],
  ])('%s: %s', async (uid, _label, next, code) => {
    expect(await change(uid, OLD, next)).toBe(code);
    expect(await accepts(uid, OLD)).toBe(true);
  });

  it('applies to the service as well, unless the directory exempts it', async () => {
    const set = (uid: string, next: string) => codeOf(api.setPassword(mailbox(uid), secret(next), within()));
    expect(await set('history', OLD)).toBe('PASSWORD_IN_HISTORY');
    expect(await set('short', 'New-one-2')).toBe('PASSWORD_REJECTED_BY_SERVER');
    // Set to ask for the old password always: the service has none to give.
    expect(await set('safe', 'New-one-2')).toBe('ACCOUNTS_MISCONFIGURED');
    const root = await createLdap(searching(slapd, { bindDn: slapd.managerDn, bindPassword: slapd.managerPassword }));
    await root.setPassword(mailbox('safe'), secret('New-one-2'), within());
    expect(await accepts('safe', 'New-one-2')).toBe(true);
    await api.changePassword(mailbox('safe'), secret('New-one-2'), secret('New-one-3'), within());
    expect(await accepts('safe', 'New-one-3')).toBe(true);
  });

  it('a mailbox locked after wrong tries looks like a wrong password; an administrator\'s new one lets in again', async () => {
    for (let time = 0; time < 3; time += 1) expect(await accepts('lock', 'wrong')).toBe(false);
    expect(await accepts('lock', OLD)).toBe(false);
    expect(await change('lock', OLD, 'New-one-2')).toBe('CURRENT_PASSWORD_WRONG');
    // The directory answers "locked" without looking at the password: the time is spent on the decoy.
    const tap = await tcpTap(slapd.port);
    const decoyDn = `uid=bare,ou=people,${slapd.baseDn}`;
    expect(await (await createLdap(searching(slapd, { url: `ldap://127.0.0.1:${String(tap.port)}`, decoyDn }))).verifyPassword(mailbox('lock'), secret(OLD), within())).toBe(false);
    expect(tap.sent().includes(decoyDn)).toBe(true);
    await tap.stop();
    await api.setPassword(mailbox('lock'), secret('New-one-3'), within());
    expect(await accepts('lock', 'New-one-3')).toBe(true);
  });

  it('after a reset the owner is let in and can change', async () => {
    expect(await accepts('reset', OLD)).toBe(true);
    await api.changePassword(mailbox('reset'), secret(OLD), secret('New-one-2'), within());
    expect([await accepts('reset', 'New-one-2'), await accepts('reset', OLD)]).toEqual([true, false]);
  });

  it('expired: nobody is let in; with grace log-ins left, one to verify and one to change are enough', async () => {
    expect(await accepts('expired', OLD)).toBe(false);
    expect(await change('expired', OLD, 'New-one-2')).toBe('CURRENT_PASSWORD_WRONG');
    expect(await accepts('grace', OLD)).toBe(true);
    await api.changePassword(mailbox('grace'), secret(OLD), secret('New-one-2'), within());
    expect(await accepts('grace', 'New-one-2')).toBe(true);
  });

  it('locked for good and without a password: false, and not enabled where the directory says so', async () => {
    expect([await accepts('gone', OLD), await accepts('bare', OLD)]).toEqual([false, false]);
    expect([(await api.find(mailbox('gone'), within()))?.enabled, (await api.find(mailbox('plain'), within()))?.enabled]).toEqual([false, true]);
  });

  it('tells when the password was changed: the end of that second', async () => {
    await api.changePassword(mailbox('plain'), secret(OLD), secret('New-one-2'), within());
    const told = (await api.find(mailbox('plain'), within()))?.passwordChangedAt ?? 0;
    expect(told % 1000).toBe(999);
    expect(Math.abs(told - Date.now())).toBeLessThan(10_000);
    await api.setPassword(mailbox('plain'), secret(OLD), within());
  });

  it('has a version also where the service may not read the hashes', async () => {
    const blind = await startSlapd({
      ldif: `${person('alice', OLD)}\n${person('bob', OLD)}`,
      access: 'access to attrs=userPassword by self =xw by dn.base="cn=service,dc=example,dc=test" =xw by anonymous auth by * none\naccess to * by dn.base="cn=service,dc=example,dc=test" read by self read by * none',
    });
    const own = await createLdap(searching(blind));
    // From a first change on: what was loaded with slapadd has no time of change.
    await own.changePassword(mailbox('alice'), secret(OLD), secret('New-one-2'), within());
    const before = await own.passwordVersion(mailbox('alice'), within());
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    await new Promise((resolve) => { setTimeout(resolve, 1100); });
    await own.verifyPassword(mailbox('alice'), secret('wrong'), within());
    expect(await own.passwordVersion(mailbox('alice'), within())).toBe(before);
    await own.setPassword(mailbox('alice'), secret('New-one-3'), within());
    expect(await own.passwordVersion(mailbox('alice'), within())).not.toBe(before);
    await blind.stop();
  });

  it('says as much to the directory for a mailbox that is not there, is locked or has a wrong password (I7)', async () => {
    const requests = async (address: string, password: string): Promise<number> => {
      const tap = await tcpTap(slapd.port);
      const tapped = await createLdap(searching(slapd, { url: `ldap://127.0.0.1:${String(tap.port)}` }));
      expect(await tapped.verifyPassword(address, secret(password), within())).toBe(false);
      await tap.stop();
      // BindRequest of LDAP version 3, by name.
      return tap.sent().toString('latin1').split('\x02\x01\x03\x04').length - 1;
    };
    const wrong = await requests(mailbox('plain'), 'wrong');
    expect(wrong).toBe(2);
    for (const [uid, password] of [['nobody', 'wrong'], ['gone', OLD], ['gone', 'wrong'], ['plain', ''], ['plain', '\ud800'], ['bare', 'wrong']] as const)
      expect([uid, await requests(mailbox(uid), password)]).toEqual([uid, wrong]);
  });

  it('the entry of somebody whose password nobody knows is asked in place of one that is not there', async () => {
    const tap = await tcpTap(slapd.port);
    const decoyDn = `uid=bare,ou=people,${slapd.baseDn}`;
    const tapped = await createLdap(searching(slapd, { url: `ldap://127.0.0.1:${String(tap.port)}`, decoyDn }));
    expect(await tapped.verifyPassword(mailbox('nobody'), secret('wrong'), within())).toBe(false);
    expect(tap.sent().includes(decoyDn)).toBe(true);
    await tap.stop();
  });

  it('never takes an empty password for a log-in, where the directory would', async () => {
    const open = await startSlapd({ ldif: person('alice', OLD), extra: 'allow bind_anon_dn bind_anon_cred' });
    const tap = await tcpTap(open.port);
    const own = await createLdap(searching(open, { url: `ldap://127.0.0.1:${String(tap.port)}` }));
    expect(await own.verifyPassword(mailbox('alice'), secret(''), within())).toBe(false);
    expect(await codeOf(own.changePassword(mailbox('alice'), secret(''), secret('New-one-2'), within()))).toBe('CURRENT_PASSWORD_WRONG');
    // And no new one: the directory would make one up.
    for (const next of ['', 'a\0b', '\udc00'])
      expect(await codeOf(own.changePassword(mailbox('alice'), secret(OLD), secret(next), within()))).toBe('PASSWORD_REJECTED_BY_SERVER');
    expect(await codeOf(own.setPassword(mailbox('alice'), secret(''), within()))).toBe('PASSWORD_REJECTED_BY_SERVER');
    // A simple bind with a name and nothing behind it: context tag 0, length 0.
    expect(tap.sent().includes(Buffer.from([0x80, 0x00]))).toBe(false);
    expect(await own.verifyPassword(mailbox('alice'), secret(OLD), within())).toBe(true);
    await tap.stop();
    await open.stop();
  });

  it('tells the loser where another node was faster between log-in and change', async () => {
    const other = await createLdap(searching(slapd));
    const codes = await Promise.all(Array.from({ length: 4 }, (_, index) => (index % 2 === 0 ? api : other).changePassword(mailbox('plain'), secret(OLD), secret(`Race-${String(index)}`), within())
      .then(() => 'changed', (error: unknown) => (error as { code: string }).code)));
    // In one process one wins. Two nodes can both have been let in before either wrote: then the last one counts, and both log out.
    expect(codes.filter((code) => code === 'changed').length).toBeLessThanOrEqual(2);
    for (const code of codes) expect(['changed', 'ACCOUNT_CHANGED_MEANWHILE', 'CURRENT_PASSWORD_WRONG']).toContain(code);
    const works = await Promise.all(codes.map((_, index) => accepts('plain', `Race-${String(index)}`)));
    expect(works.filter(Boolean)).toHaveLength(1);
    expect(codes[works.indexOf(true)]).toBe('changed');
  });
});
