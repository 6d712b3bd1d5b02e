import { pino } from 'pino';
import driver from '../../../../server/drivers/accounts/ldap.ts';
import type { AccountApi } from '../../../../server/ports/accountApi.ts';
import { person } from '../../../fixtures/directory.ts';
import { freePort } from '../../../services/process.ts';
import { type Slapd, startSlapd } from '../../../services/slapd.ts';
import { describeAccountApi } from '../../../suites/accountApiSuite.ts';

const lines: string[] = [];
const context = { name: 'ldap', dataDir: '/nowhere', clock: { now: () => Date.now() }, log: pino({ level: 'trace' }, { write: (line: string) => { lines.push(line); } }) };
const create = (options: object): Promise<AccountApi> => driver.create(driver.options.validateSync(options, { strict: true, abortEarly: false }) as never, context);

const ALICE = { address: 'alice@example.test', password: 'Wonder-land-7' };
const BOB = { address: 'bob@example.test', password: 'Builder-can-8' };
const CAROL = { address: 'carol@example.test', password: 'Singing-bells-9' };
const LOCKED = 'pwdAccountLockedTime: 000001010000Z\n';
const PEOPLE = `${person('alice', ALICE.password)}
${person('bob', BOB.password)}
${person('carol', CAROL.password, LOCKED)}`;

const searching = (slapd: Slapd, more: object = {}) => ({
  url: slapd.url, bindDn: slapd.serviceDn, bindPassword: slapd.servicePassword, base: `ou=people,${slapd.baseDn}`, filter: '(&(objectClass=inetOrgPerson)(mail={address}))', ...more,
});

const POLICIES = 'pwdLockout: TRUE\npwdMaxFailure: 1000\npwdAllowUserChange: TRUE\npwdSafeModify: FALSE';
/** The service may also write the mark. */
const MARKING = `access to attrs=userPassword,pwdReset by self write by dn.base="cn=service,dc=example,dc=test" write by anonymous auth by * none
access to * by dn.base="cn=service,dc=example,dc=test" read by self read by * none`;

const WAYS: readonly (readonly [string, (slapd: Slapd) => object])[] = [
  ['plain, on this machine, asks for new passwords', (slapd) => searching(slapd, { requireChange: true })],
  ['where the policy marks every set', (slapd) => searching(slapd, { requireChange: true, dn: undefined })],
  ['StartTLS', (slapd) => searching(slapd, { url: `ldap://localhost:${String(slapd.port)}`, startTls: true, caFile: slapd.certificate })],
  ['LDAPS, DN template', (slapd) => ({ url: `ldaps://localhost:${String(slapd.tlsPort)}`, caFile: slapd.certificate, bindDn: slapd.serviceDn, bindPassword: slapd.servicePassword,
    dn: `uid={local},ou=people,${slapd.baseDn}`, base: `ou=people,${slapd.baseDn}` })],
];
for (const [name, options] of WAYS) {
  describeAccountApi(`ldap, ${name}`, async () => {
    const slapd = await startSlapd({ ldif: PEOPLE, policy: name.includes('marks every set') ? `${POLICIES}\npwdMustChange: TRUE` : POLICIES, tls: true, access: MARKING });
    return {
      api: await create(options(slapd)), first: ALICE, second: BOB, locked: CAROL, comparesVersion: true,
      unreachable: async () => create({ ...options(slapd), url: `ldap://127.0.0.1:${String(await freePort())}`, startTls: false, caFile: undefined }),
      teardown: () => slapd.stop(),
    };
  });
}
