import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AccountApi } from '../../../../server/ports/accountApi.ts';
import { Secret } from '../../../../server/secret.ts';
import { person } from '../../../fixtures/directory.ts';
import { createLdap, ldapProblems, searching } from '../../../fixtures/ldapApi.ts';
import { NEW, startService, tempFolder } from '../../../fixtures/service.ts';
import { type Slapd, startSlapd } from '../../../services/slapd.ts';
import { hashAdministratorPassword } from '../../../../server/panels/administrators.ts';
import { codeOf } from '../../../suites/accountApiSuite.ts';
import { call, enterAdmin, enterUser } from '../../panels/panelClient.ts';

const within = (ms = 20_000) => ({ signal: AbortSignal.timeout(ms) });
const ALICE = { address: 'alice@example.test', password: 'Wonder-land-7' };
const BOB = { address: 'bob@example.test', password: 'Builder-can-8' };

describe('ldap: what the directory tells and keeps of an owner', () => {
  let slapd: Slapd;
  let api: AccountApi;
  beforeAll(async () => {
    slapd = await startSlapd({
      policy: 'pwdAllowUserChange: TRUE',
      ldif: [
        person('alice', ALICE.password, 'preferredLanguage: de-AT, en;q=0.5\nlabeledURI: alice@home.test\n'), person('bob', BOB.password, 'preferredLanguage: en;q=0.2, pt_BR;q=0.9\nlabeledURI: bob@example.test\n'),
        person('carol', 'x', 'preferredLanguage: *\nlabeledURI: not an address\nlabeledURI: carol@home.test\n'),
      ].join('\n'),
      access: `access to attrs=userPassword,pwdReset by self write by dn.base="cn=service,dc=example,dc=test" write by anonymous auth by * none
access to * by dn.base="cn=service,dc=example,dc=test" read by self read by * none`,
    });
    api = await createLdap(searching(slapd, { requireChange: true, attributes: { recoveryAddress: 'labeledURI', language: 'preferredLanguage' } }));
  }, 60_000);
  afterAll(async () => { await slapd.stop(); });

  it('the recovery address and the language that is wanted most', async () => {
    const told = async (uid: string) => { const { recoveryAddress, language } = await api.find(`${uid}@example.test`, within()) ?? {}; return [recoveryAddress, language]; };
    expect(await told('alice')).toEqual(['alice@home.test', 'de-AT']);
    // The mailbox itself is no other address.
    expect(await told('bob')).toEqual([undefined, 'pt-BR']);
    expect(await told('carol')).toEqual(['carol@home.test', undefined]);
  });

  it('the mark needs a service that may write it: else refused, and nothing is set', async () => {
    expect(ldapProblems(searching(slapd, { requireChange: true, allowSet: false }))).toMatch(/requireChange/);
    const without = await createLdap(searching(slapd));
    expect(await codeOf(without.requireChange?.(BOB.address, true, within()) ?? Promise.resolve())).toBe('OPERATION_NOT_SUPPORTED');
    expect(await codeOf(without.setPassword(BOB.address, new Secret(NEW), { ...within(), requireChange: true }))).toBe('OPERATION_NOT_SUPPORTED');
    const strict = await startSlapd({ ldif: person('bob', BOB.password) });
    const own = await createLdap(searching(strict, { requireChange: true }));
    expect(await codeOf(own.requireChange?.(BOB.address, true, within()) ?? Promise.resolve())).toBe('ACCOUNTS_MISCONFIGURED');
    expect(await codeOf(own.setPassword(BOB.address, new Secret(NEW), { ...within(), requireChange: true }))).toBe('ACCOUNTS_MISCONFIGURED');
    expect(await own.verifyPassword(BOB.address, new Secret(BOB.password), within())).toBe(true);
    await strict.stop();
  });

  it('a password that the directory refuses leaves no mark behind', async () => {
    const short = await startSlapd({
      ldif: person('bob', BOB.password), policy: 'pwdCheckQuality: 2\npwdMinLength: 20',
      access: 'access to attrs=userPassword,pwdReset by self write by dn.base="cn=service,dc=example,dc=test" write by anonymous auth\naccess to * by dn.base="cn=service,dc=example,dc=test" read by self read',
    });
    const own = await createLdap(searching(short, { requireChange: true }));
    expect(await codeOf(own.setPassword(BOB.address, new Secret('short'), { ...within(), requireChange: true }))).toBe('PASSWORD_REJECTED_BY_SERVER');
    expect((await own.find(BOB.address, within()))?.changeRequired).toBe(false);
    await short.stop();
  });

  it('of two nodes that set one mailbox for two administrators at once, one is told', async () => {
    const nodes = [api, await createLdap(searching(slapd, { requireChange: true }))];
    for (let round = 0; round < 10; round += 1) {
      const version = await api.passwordVersion(BOB.address, within());
      const outcomes = await Promise.all(nodes.map((node, n) => node.setPassword(BOB.address, new Secret(`Round-${String(round)}-${String(n)}`), { ...within(), expectedVersion: version }).then(() => 'set', (error: unknown) => (error as { code: string }).code)));
      expect(outcomes.sort()).toEqual(['ACCOUNT_CHANGED_MEANWHILE', 'set']);
    }
    // Something else in the entry, written between reading and setting, is no other password.
    const version = await api.passwordVersion(BOB.address, within());
    await api.requireChange?.(BOB.address, true, within());
    await api.setPassword(BOB.address, new Secret(BOB.password), { ...within(), expectedVersion: version });
  });

  it('in the panels: the directory itself lets the owner do nothing else; we log in, offer the change alone, and after it everything is free', async () => {
    const options = { ...searching(slapd, { requireChange: true }), driver: 'ldap', domains: ['*'] };
    const service = await startService({ overrides: { accounts: [options], administrators: [{ name: 'chief', passwordHash: await hashAdministratorPassword('Chief-of-all-1'), domains: ['*'] }] } });
    const { app } = service;
    const admin = await enterAdmin(app, { name: 'chief', password: 'Chief-of-all-1' });
    const mailbox = async () => (await call(app, admin, 'GET', `/admin/api/v1/mailbox?address=${ALICE.address}`)).body as Record<string, unknown>;
    expect((await mailbox())['changeRequired']).toBe(false);
    expect((await call(app, admin, 'POST', '/admin/api/v1/mailbox/require-change', { address: ALICE.address, required: true })).status).toBe(200);
    expect((await mailbox())['changeRequired']).toBe(true);
    expect((await enterUser(app, { ...ALICE, password: 'wrong' })).status).toBe(401);
    const user = await enterUser(app, ALICE);
    expect([user.status, user.body['changeRequired']]).toEqual([200, true]);
    expect((await call(app, user, 'GET', '/panel/api/v1/devices')).body).toMatchObject({ code: 'PASSWORD_CHANGE_REQUIRED' });
    expect((await call(app, user, 'POST', '/panel/api/v1/password', { currentPassword: 'wrong', newPassword: NEW })).body).toMatchObject({ code: 'CURRENT_PASSWORD_WRONG' });
    expect((await call(app, user, 'POST', '/panel/api/v1/password', { currentPassword: ALICE.password, newPassword: NEW })).status).toBe(200);
    expect((await mailbox())['changeRequired']).toBe(false);
    const after = await enterUser(app, { ...ALICE, password: NEW });
    expect([after.status, after.body['changeRequired']]).toEqual([200, false]);
    expect((await call(app, after, 'GET', '/panel/api/v1/devices')).status).toBe(200);
    await service.stop();
  }, 60_000);

  it('of two nodes on which the owner changes at once, one is told', async () => {
    const overrides = { accounts: [{ ...searching(slapd), driver: 'ldap', domains: ['*'] }] };
    const dataDir = tempFolder();
    const nodes = [await startService({ dataDir, overrides }), await startService({ dataDir, overrides })];
    let current = NEW;
    for (let round = 0; round < 8; round += 1) {
      const users = await Promise.all(nodes.map(({ app }) => enterUser(app, { ...ALICE, password: current })));
      const wanted = nodes.map((_, n) => `Round!Harvest-${String(round)}${String(n)}`);
      const answers = await Promise.all(nodes.map(({ app }, n) => call(app, users[n] ?? { cookie: '', csrf: '' }, 'POST', '/panel/api/v1/password', { currentPassword: current, newPassword: wanted[n] })));
      const won = answers.filter(({ status }) => status === 200).length;
      expect([round, won]).toEqual([round, 1]);
      for (const { status, body } of answers) if (status !== 200) expect(['ACCOUNT_CHANGED_MEANWHILE', 'CURRENT_PASSWORD_WRONG', 'AUTHENTICATION_REQUIRED']).toContain(body['code']);
      current = wanted[answers.findIndex(({ status }) => status === 200)] ?? '';
    }
    for (const node of nodes) await node.stop();
  }, 120_000);
});
