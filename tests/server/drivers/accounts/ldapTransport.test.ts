import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { FilterParser, EqualityFilter, SubstringFilter } from 'ldapts';
import { parse } from 'yaml';
import driver from '../../../../server/drivers/accounts/ldap.ts';
import { parseGeneralizedTime } from '../../../../server/ldap/ldapEntry.ts';
import { escapeDnValue, escapeFilterValue, fillDn } from '../../../../server/ldap/ldapTemplate.ts';
import { passwordModifyValue } from '../../../../server/ldap/passwordModify.ts';
import { Secret } from '../../../../server/secret.ts';
import { person } from '../../../fixtures/directory.ts';
import { createLdap, ldapProblems, searching } from '../../../fixtures/ldapApi.ts';
import { freePort } from '../../../services/process.ts';
import { type Slapd, startSlapd } from '../../../services/slapd.ts';
import { tcpGate } from '../../../services/tcpGate.ts';
import { tcpTap } from '../../../services/tcpTap.ts';
import { codeOf } from '../../../suites/accountApiSuite.ts';

const within = (ms = 20_000) => ({ signal: AbortSignal.timeout(ms) });
const secret = (value: string) => new Secret(value);
const ALICE = 'alice@example.test';
const OLD = 'Wonder-land-7';
const NEW = 'Fresh!Harvest42';
const EXOP = '1.3.6.1.4.1.4203.1.11.1';
const START_TLS = '1.3.6.1.4.1.1466.20037';

describe('ldap, the way to the directory', () => {
  let slapd: Slapd;
  let plain: Slapd;
  beforeAll(async () => {
    slapd = await startSlapd({ tls: true, ldif: person('alice', OLD) });
    plain = await startSlapd({ ldif: person('alice', OLD), ppolicy: false });
  }, 60_000);
  afterAll(async () => { await slapd.stop(); await plain.stop(); });

  const ways = (): [string, object][] => [
    ['StartTLS', { url: `ldap://localhost:${String(slapd.port)}`, startTls: true }],
    ['LDAPS', { url: `ldaps://localhost:${String(slapd.tlsPort)}` }],
  ];

  it('says nothing of a password in the clear over StartTLS and LDAPS', async () => {
    for (const [port, way] of [[slapd.port, { startTls: true }], [slapd.tlsPort, {}]] as const) {
      const tap = await tcpTap(port);
      const api = await createLdap(searching(slapd, { url: `${port === slapd.port ? 'ldap' : 'ldaps'}://localhost:${String(tap.port)}`, caFile: slapd.certificate, ...way }));
      expect(await api.verifyPassword(ALICE, secret(OLD), within())).toBe(true);
      expect(tap.sent().length).toBeGreaterThan(300);
      for (const word of [OLD, slapd.servicePassword, 'cn=service', ALICE]) expect(tap.sent().includes(word)).toBe(false);
      await tap.stop();
    }
  });

  it('refuses a certificate that it has no reason to trust, and one for another name, before it says who it is', async () => {
    for (const [, way] of ways()) {
      const unknown = await createLdap(searching(slapd, way));
      expect(await codeOf(unknown.check(within()))).toBe('ACCOUNTS_MISCONFIGURED');
      expect(await codeOf(unknown.verifyPassword(ALICE, secret(OLD), within()))).toBe('ACCOUNTS_MISCONFIGURED');
      expect(await codeOf(unknown.setPassword(ALICE, secret(NEW), within()))).toBe('ACCOUNTS_MISCONFIGURED');
      await (await createLdap(searching(slapd, { ...way, caFile: slapd.certificate }))).check(within());
    }
    // The certificate is for localhost and 127.0.0.1.
    for (const [port, way, scheme] of [[slapd.port, { startTls: true }, 'ldap'], [slapd.tlsPort, {}, 'ldaps']] as const) {
      const tap = await tcpTap(port, undefined, '127.0.0.2');
      const elsewhere = await createLdap(searching(slapd, { ...way, url: `${scheme}://127.0.0.2:${String(tap.port)}`, caFile: slapd.certificate }));
      expect(await codeOf(elsewhere.verifyPassword(ALICE, secret(OLD), within()))).toBe('ACCOUNTS_MISCONFIGURED');
      expect(tap.connections()).toBe(1);
      await tap.stop();
    }
    expect(await codeOf(createLdap(searching(slapd, { url: `ldaps://localhost:${String(slapd.tlsPort)}`, caFile: '/nowhere/ca.pem' })))).toBe('ACCOUNTS_MISCONFIGURED');
  });

  it('does not go on in the clear where the server refuses StartTLS', async () => {
    const tap = await tcpTap(plain.port);
    const api = await createLdap(searching(plain, { url: `ldap://localhost:${String(tap.port)}`, startTls: true }));
    expect(await codeOf(api.verifyPassword(ALICE, secret(OLD), within()))).toBe('ACCOUNTS_MISCONFIGURED');
    expect(tap.sent().includes(START_TLS)).toBe(true);
    for (const word of [OLD, plain.servicePassword]) expect(tap.sent().includes(word)).toBe(false);
    await tap.stop();
  });

  it('takes nothing for an answer that was slipped in before TLS', async () => {
    const sockets = new Set<Socket>();
    // In front of the real directory; behind its "StartTLS granted" it puts, in the clear, the start of a "bind: success".
    const server: Server = createServer((client) => {
      const behind = createConnection(slapd.port, '127.0.0.1');
      for (const socket of [client, behind]) {
        sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => { client.destroy(); behind.destroy(); });
      }
      client.pipe(behind);
      behind.once('data', (granted) => {
        client.write(Buffer.concat([granted, Buffer.from([0x30, 0x0c, 0x02, 0x01, 0x02, 0x61, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04])]));
        behind.pipe(client);
      });
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    const { port } = server.address() as { port: number };
    const api = await createLdap(searching(slapd, { url: `ldap://localhost:${String(port)}`, startTls: true, caFile: slapd.certificate }));
    expect(await codeOf(api.verifyPassword(ALICE, secret(OLD), within()))).toBe('ACCOUNTS_MISCONFIGURED');
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => { server.close(resolve); });
  });

  it('tells "away" from "wrong", and both from "badly set up"', async () => {
    const away = await createLdap(searching(slapd, { url: `ldap://127.0.0.1:${String(await freePort())}` }));
    for (const attempt of [away.verifyPassword(ALICE, secret(OLD), within()), away.setPassword(ALICE, secret(NEW), within()), away.passwordVersion(ALICE, within()), away.listDomains('', within())])
      expect(await codeOf(attempt)).toBe('ACCOUNTS_UNAVAILABLE');
    const badly = (more: object) => createLdap(searching(slapd, more));
    for (const more of [{ bindPassword: 'wrong' }, { bindDn: 'cn=nobody,dc=example,dc=test' }, { base: 'ou=nowhere,dc=example,dc=test' }]) {
      expect(await codeOf((await badly(more)).check(within()))).toBe('ACCOUNTS_MISCONFIGURED');
      expect(await codeOf((await badly(more)).verifyPassword(ALICE, secret(OLD), within()))).toBe('ACCOUNTS_MISCONFIGURED');
    }
  });

  it('a directory that stops answering: nothing changed where the change was not sent, "unknown" where it was', async () => {
    const silent = async (after: string) => {
      const tap = await tcpTap(plain.port, after);
      return { tap, api: await createLdap(searching(plain, { url: `ldap://127.0.0.1:${String(tap.port)}`, connectTimeoutMs: 60_000 })) };
    };
    const early = await silent('inetOrgPerson');
    const began = Date.now();
    expect(await codeOf(early.api.changePassword(ALICE, secret(OLD), secret(NEW), within(400)))).toBe('ACCOUNTS_UNAVAILABLE');
    expect(Date.now() - began).toBeLessThan(3000);
    const late = await silent(EXOP);
    expect(await codeOf(late.api.changePassword(ALICE, secret(OLD), secret(NEW), within(400)))).toBe('ACCOUNTS_OUTCOME_UNKNOWN');
    const direct = await createLdap(searching(plain));
    // It had arrived.
    expect(await direct.verifyPassword(ALICE, secret(NEW), within())).toBe(true);
    expect(await codeOf(late.api.setPassword(ALICE, secret(OLD), within(400)))).toBe('ACCOUNTS_OUTCOME_UNKNOWN');
    expect(await direct.verifyPassword(ALICE, secret(OLD), within())).toBe(true);
    await early.tap.stop();
    await late.tap.stop();
  });

  it('a change that waits for another one is given up in time, and is not made later', async () => {
    const tap = await tcpTap(plain.port, EXOP);
    const api = await createLdap(searching(plain, { url: `ldap://127.0.0.1:${String(tap.port)}` }));
    const first = codeOf(api.setPassword(ALICE, secret(OLD), within(1500)));
    const began = Date.now();
    expect(await codeOf(api.setPassword(ALICE, secret('Never-set-1'), within(200)))).toBe('ACCOUNTS_UNAVAILABLE');
    expect(Date.now() - began).toBeLessThan(1300);
    expect(await first).toBe('ACCOUNTS_OUTCOME_UNKNOWN');
    await new Promise((resolve) => { setTimeout(resolve, 100); });
    expect(tap.sent().includes('Never-set-1')).toBe(false);
    await tap.stop();
  });

  it('a connection that breaks in the middle is not opened again', async () => {
    const gate = await tcpGate(plain.port);
    const api = await createLdap(searching(plain, { url: `ldap://127.0.0.1:${String(gate.port)}` }));
    gate.shut();
    expect(await codeOf(api.find(ALICE, within()))).toBe('ACCOUNTS_UNAVAILABLE');
    gate.open();
    expect((await api.find(ALICE, within()))?.address).toBe(ALICE);
    await gate.stop();
  });

  it('does not follow references to other servers', async () => {
    const stranger = await tcpTap(plain.port);
    const referring = await startSlapd({ ldif: `${person('alice', OLD)}
dn: ou=away,ou=people,dc=example,dc=test
objectClass: referral
objectClass: extensibleObject
ou: away
ref: ldap://127.0.0.1:${String(stranger.port)}/ou=people,dc=example,dc=test
` });
    const api = await createLdap(searching(referring));
    expect(await api.verifyPassword(ALICE, secret(OLD), within())).toBe(true);
    expect((await api.listMailboxes({ domain: 'example.test', search: '', cursor: null, limit: 10 }, within())).mailboxes).toHaveLength(1);
    const inside = await createLdap(searching(referring, { base: 'ou=away,ou=people,dc=example,dc=test' }));
    for (const attempt of [inside.find(ALICE, within()), inside.verifyPassword(ALICE, secret(OLD), within())]) expect(await codeOf(attempt)).toBe('ACCOUNTS_MISCONFIGURED');
    expect(stranger.connections()).toBe(0);
    await referring.stop();
    await stranger.stop();
  });

  it('shows no password in an error or in a request that is written out', async () => {
    const request = { value: passwordModifyValue({ dn: 'uid=a', current: secret(OLD), next: secret(NEW) }) };
    expect(request.value.includes(NEW)).toBe(true);
    expect(JSON.stringify(request)).toBe('{"value":"[secret]"}');
    const tap = await tcpTap(plain.port, EXOP);
    const api = await createLdap(searching(plain, { url: `ldap://127.0.0.1:${String(tap.port)}`, bindPassword: plain.servicePassword }));
    const error: unknown = await api.changePassword(ALICE, secret(OLD), secret(NEW), within(300)).catch((thrown: unknown) => thrown);
    for (const word of [OLD, NEW, plain.servicePassword]) expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(word);
    await tap.stop();
    await (await createLdap(searching(plain))).setPassword(ALICE, secret(OLD), within());
  });
});

describe('ldap, what is looked for', () => {
  let slapd: Slapd;
  beforeAll(async () => {
    const many = Array.from({ length: 620 }, (_, index) => person(`user${String(index).padStart(3, '0')}`, 'x', '', `user${String(index).padStart(3, '0')}@many.test`));
    slapd = await startSlapd({
      extra: 'sizelimit size.soft=500 size.hard=500 size.prtotal=unlimited',
      ldif: `${person('alice', OLD, 'employeeType: no\n')}\n${person('bob', OLD, 'employeeType: active\n')}\n${person('straße', OLD, '', 'strasse@example.test')}
${person('double1', OLD, '', 'double@example.test')}\n${person('double2', OLD, '', 'double@example.test')}
dn: ou=example.test,dc=example,dc=test
objectClass: organizationalUnit
ou: example.test

dn: uid=o'neil\\2c \\22x\\22,ou=example.test,dc=example,dc=test
objectClass: inetOrgPerson
uid: o'neil, "x"
cn: O Neil
sn: Neil
userPassword: ${OLD}

dn: uid=dora,ou=example.test,dc=example,dc=test
objectClass: inetOrgPerson
uid: dora
cn: Dora Example
sn: Dora
userPassword: ${OLD}

${many.join('\n')}`,
    });
  }, 60_000);
  afterAll(async () => { await slapd.stop(); });

  it('an entry that a directory takes for the same name is not the same mailbox', async () => {
    const api = await createLdap(searching(slapd));
    // RFC 4518 maps full-width letters and drops what has no width; the sessions of "alice" would stay.
    for (const name of ['\uff41lice@example.test', 'al\u00adice@example.test', ' alice@example.test', 'alice@example.test ']) {
      expect([name, await api.find(name, within())]).toEqual([name, null]);
      expect(await api.verifyPassword(name, secret(OLD), within())).toBe(false);
    }
    expect((await api.find('ALICE@Example.Test', within()))?.address).toBe(ALICE);
    const byDn = await createLdap({ url: slapd.url, bindDn: slapd.serviceDn, bindPassword: slapd.servicePassword, dn: `uid={local},ou=people,${slapd.baseDn}` });
    expect([await byDn.find('\uff41lice@example.test', within()), (await byDn.find(ALICE, within()))?.address]).toEqual([null, ALICE]);
    expect([byDn.abilities.listMailboxes, byDn.abilities.listDomains]).toEqual([false, false]);
  });

  it('two entries for one address are an error', async () => {
    const api = await createLdap(searching(slapd));
    const attempts = [api.find('double@example.test', within()), api.verifyPassword('double@example.test', secret(OLD), within()), api.setPassword('double@example.test', secret(NEW), within())];
    expect(await Promise.all(attempts.map((attempt) => codeOf(attempt)))).toEqual(attempts.map(() => 'ACCOUNT_AMBIGUOUS'));
  });

  it('an attribute tells who may log in', async () => {
    const api = await createLdap(searching(slapd, { attributes: { enabled: 'employeeType' }, enabledValues: ['Active'] }));
    expect([await api.verifyPassword(ALICE, secret(OLD), within()), await api.verifyPassword('bob@example.test', secret(OLD), within()), await api.verifyPassword('strasse@example.test', secret(OLD), within())]).toEqual([false, true, true]);
    expect((await api.find(ALICE, within()))?.enabled).toBe(false);
  });

  it('a tree by domain, with names that hold only the part before the @', async () => {
    const api = await createLdap({
      url: slapd.url, bindDn: slapd.serviceDn, bindPassword: slapd.servicePassword, base: `ou={domain},${slapd.baseDn}`, filter: '(uid={local})', attributes: { local: 'uid' },
      listDomains: { base: slapd.baseDn, attribute: 'ou', filter: '(ou=*.*)' },
    });
    await api.check(within());
    expect(await api.listDomains('', within())).toEqual(['example.test']);
    expect((await api.listMailboxes({ domain: 'example.test', search: 'DORA', cursor: null, limit: 5 }, within())).mailboxes).toEqual([{ address: 'dora@example.test', enabled: true, passwordChangedAt: null, displayName: 'Dora Example' }]);
    expect((await api.listMailboxes({ domain: 'other.test', search: '', cursor: null, limit: 5 }, within())).mailboxes).toEqual([]);
    await api.changePassword('dora@example.test', secret(OLD), secret(NEW), within());
    expect([await api.verifyPassword('dora@example.test', secret(NEW), within()), await api.verifyPassword('dora@other.test', secret(NEW), within())]).toEqual([true, false]);
  });

  it('lists more than the directory gives at once, page by page, and says so where it gets only part', async () => {
    const api = await createLdap(searching(slapd));
    const first = await api.listMailboxes({ domain: 'many.test', search: '', cursor: null, limit: 600 }, within());
    const second = await api.listMailboxes({ domain: 'many.test', search: '', cursor: first.nextCursor, limit: 600 }, within());
    expect([first.mailboxes.length, second.mailboxes.length, second.nextCursor]).toEqual([600, 20, null]);
    expect(second.mailboxes[0]?.address).toBe('user600@many.test');
    expect((await api.listMailboxes({ domain: 'many.test', search: 'user61', cursor: null, limit: 600 }, within())).mailboxes).toHaveLength(10);
    expect(await api.listDomains('MANY', within())).toEqual(['many.test']);
    const small = await startSlapd({ extra: 'sizelimit size.soft=5 size.hard=5 size.prtotal=5', ldif: Array.from({ length: 9 }, (_, index) => person(`user${String(index)}`, 'x')).join('\n') });
    expect(await codeOf((await createLdap(searching(small))).listMailboxes({ domain: 'example.test', search: '', cursor: null, limit: 5 }, within()))).toBe('ACCOUNTS_MISCONFIGURED');
    await small.stop();
  });

  it('without an entry of its own it searches anonymously and sets nothing', async () => {
    const open = await startSlapd({ ldif: person('alice', OLD), access: 'access to attrs=userPassword by self write by anonymous auth\naccess to * by * read' });
    const api = await createLdap({ url: open.url, base: `ou=people,${open.baseDn}`, filter: '(mail={address})' });
    expect(api.abilities.setPassword).toBe(false);
    expect(await codeOf(api.setPassword(ALICE, secret(NEW), within()))).toBe('OPERATION_NOT_SUPPORTED');
    await api.changePassword(ALICE, secret(OLD), secret(NEW), within());
    expect(await api.verifyPassword(ALICE, secret(NEW), within())).toBe(true);
    const reader = await createLdap(searching(open, { allowSet: false }));
    expect([reader.abilities.setPassword, await codeOf(reader.setPassword(ALICE, secret(OLD), within()))]).toEqual([false, 'OPERATION_NOT_SUPPORTED']);
    await open.stop();
  });

  it('a bcrypt limit of the directory is kept', async () => {
    const api = await createLdap(searching(slapd, { maxPasswordBytes: 72 }));
    expect(await codeOf(api.setPassword(ALICE, secret('x'.repeat(73)), within()))).toBe('PASSWORD_TOO_LONG_FOR_SCHEME');
  });
});

describe('ldap, escaping and configuration', () => {
  it('a value stays a value in a filter (RFC 4515)', () => {
    for (const value of ['*', '(x)', 'a)(uid=*', '\\', '\0', '\\2a', 'ä€\u{1F600}', ' x ']) {
      const filter = FilterParser.parseString(`(mail=${escapeFilterValue(value)})`);
      expect(filter).toBeInstanceOf(EqualityFilter);
      expect((filter as EqualityFilter).value).toBe(value);
    }
    expect(FilterParser.parseString(`(mail=*${escapeFilterValue('*')})`)).toMatchObject({ final: '*', any: [], initial: '' } satisfies Partial<SubstringFilter>);
  });

  it('a value stays a value in a DN (RFC 4514)', () => {
    expect(fillDn('uid={local},ou={domain},dc=x', { local: 'a,ou=admins', domain: '#b+c="d"' })).toBe('uid=a\\2cou\\3dadmins,ou=\\23b\\2bc\\3d\\22d\\22,dc=x');
    expect([escapeDnValue(' a '), escapeDnValue('\\;<>\0'), escapeDnValue('ä'), escapeDnValue(' ')]).toEqual(['\\20a\\20', '\\5c\\3b\\3c\\3e\\00', 'ä', '\\20']);
  });

  it('reads times', () => {
    expect(parseGeneralizedTime('20261124221314Z')).toBe(Date.UTC(2026, 10, 24, 22, 13, 14, 999));
    expect(parseGeneralizedTime('20261124221314.058778Z')).toBe(Date.UTC(2026, 10, 24, 22, 13, 14, 58));
    expect([parseGeneralizedTime(undefined), parseGeneralizedTime('yesterday')]).toEqual([null, null]);
  });

  const FINE = { url: 'ldaps://ldap.example.com', base: 'ou=people,dc=example,dc=com', filter: '(mail={address})' };
  it.each([
    ['plain to another machine', { ...FINE, url: 'ldap://ldap.example.com' }, /insecure/],
    ['something else than a directory', { ...FINE, url: 'https://ldap.example.com' }, /ldaps:/],
    ['a password in the URL', { ...FINE, url: 'ldaps://a:b@ldap.example.com' }, /ldaps:/],
    ['StartTLS inside TLS', { ...FINE, startTls: true }, /startTls/],
    ['a name without a password', { ...FINE, bindDn: 'cn=x' }, /together/],
    ['setting as nobody', { ...FINE, allowSet: true }, /allowSet/],
    ['neither filter nor dn', { url: FINE.url, base: FINE.base }, /filter, or dn/],
    ['both', { ...FINE, dn: 'uid={local},dc=x' }, /filter, or dn/],
    ['a filter that is the same for everybody', { ...FINE, filter: '(objectClass=*)' }, /\{address\}/],
    ['an unknown placeholder', { ...FINE, filter: '(mail={user})' }, /braces/],
    ['no filter at all', { ...FINE, filter: '(mail={address}' }, /RFC 4515/],
    ['local names without a domain', { ...FINE, filter: '(uid={local})', attributes: { local: 'uid' } }, /domain/],
    ['an unknown key', { ...FINE, verify: false }, /verify/],
  ])('does not start with %s', (_label, options, problem) => { expect(ldapProblems(options)).toMatch(problem); });

  it('starts where it is encrypted, on this machine, or expressly insecure', () => {
    for (const more of [{}, { url: 'ldap://ldap.example.com', startTls: true }, { url: 'ldap://127.0.0.1:3389' }, { url: 'ldap://[::1]' }, { url: 'ldap://ldap.example.com', insecure: true }]) expect(ldapProblems({ ...FINE, ...more })).toBe('');
  });

  it('the page names every option, and its examples start', () => {
    const page = readFileSync(join(__dirname, '../../../../docs/drivers/accounts-ldap.md'), 'utf8');
    for (const key of Object.keys(driver.options.fields)) expect(page).toContain(`\`${key}\``);
    for (const block of page.matchAll(/```yaml\n([\s\S]*?)```/g)) {
      const entry = (parse(block[1] ?? '') as { accounts: Record<string, unknown>[] }).accounts[0] ?? {};
      const own = Object.fromEntries(Object.entries(entry).filter(([key]) => !['driver', 'domains', 'verify'].includes(key)));
      expect(ldapProblems({ ...own, ...(own.bindPassword !== undefined && { bindPassword: 'x' }) })).toBe('');
    }
  });
});
