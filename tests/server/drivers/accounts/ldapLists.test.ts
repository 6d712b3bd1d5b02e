import { Attribute, Change, Client } from 'ldapts';
import { pino } from 'pino';
import driver from '../../../../server/drivers/accounts/ldap.ts';
import type { AccountApi, MailboxPage, MailboxQuery } from '../../../../server/ports/accountApi.ts';
import { person } from '../../../fixtures/directory.ts';
import { type Slapd, startSlapd } from '../../../services/slapd.ts';

const DOMAIN = 'example.test';
const context = { name: 'ldap', dataDir: '/nowhere', clock: { now: () => Date.now() }, log: pino({ level: 'silent' }) };
const at = (...names: string[]): string[] => names.map((name) => `${name}@${DOMAIN}`);
const shown = ({ mailboxes }: MailboxPage): string[] => mailboxes.map(({ address }) => address);

let slapd: Slapd;
let manager: Client;
const open: AccountApi[] = [];
const dn = (uid: string): string => `uid=${uid},ou=people,${slapd.baseDn}`;
const add = (uid: string, cn = uid): Promise<void> => manager.add(dn(uid), { objectClass: 'inetOrgPerson', uid, cn, sn: 'Example', mail: `${uid}@${DOMAIN}` });
const replace = (uid: string, type: string, value: string): Promise<void> =>
  manager.modify(dn(uid), [new Change({ operation: 'replace', modification: new Attribute({ type, values: [value] }) })]);

/** Another node, or this one after a restart: it holds nothing yet. */
async function node() {
  const api = await driver.create(driver.options.validateSync({
    url: slapd.url, bindDn: slapd.serviceDn, bindPassword: slapd.servicePassword, base: `ou=people,${slapd.baseDn}`, filter: '(&(objectClass=inetOrgPerson)(mail={address}))',
    attributes: { enabled: 'employeeType' },
  }, { strict: true }) as never, context);
  open.push(api);
  return { api, page: (query: Partial<MailboxQuery> = {}) => api.listMailboxes({ domain: DOMAIN, search: '', cursor: null, limit: 2, ...query }, { signal: AbortSignal.timeout(20_000) }) };
}

describe('lists of an LDAP directory', () => {
  beforeEach(async () => {
    slapd = await startSlapd({ ldif: ['b', 'd', 'f', 'h', 'j'].map((uid) => person(uid, 'Some-word-1', `cn: Team ${uid < 'g' ? 'one' : 'two'}`)).join('\n') });
    manager = new Client({ url: slapd.url });
    await manager.bind(slapd.managerDn, slapd.managerPassword);
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((api) => api.close()));
    await manager.unbind();
    await slapd.stop();
  });

  it('cuts the pages that follow from what the first one read; a first page always reads anew', async () => {
    const { page } = await node();
    const first = await page();
    expect(shown(first)).toEqual(at('b', 'd'));
    await add('e');
    const second = await page({ cursor: first.nextCursor });
    expect(shown(second)).toEqual(at('f', 'h'));
    const third = await page({ cursor: second.nextCursor });
    expect([shown(third), third.nextCursor]).toEqual([at('j'), null]);
    await add('a');
    const again = await page();
    expect(shown(again)).toEqual(at('a', 'b'));
    const next = await page({ cursor: again.nextCursor });
    expect(shown(next)).toEqual(at('d', 'e'));
  });

  it('reads anew for a cursor of a list that is not held: another node, a restart, one that was closed', async () => {
    const [here, there] = [await node(), await node()];
    const { nextCursor: cursor } = await here.page();
    expect(shown(await there.page({ cursor }))).toEqual(shown(await here.page({ cursor })));
    await add('e');
    // What it read for this very page is held there as well.
    expect(shown(await there.page({ cursor }))).toEqual(at('f', 'h'));
    expect(shown(await (await node()).page({ cursor }))).toEqual(at('e', 'f'));
    await here.api.close();
    expect(shown(await here.page({ cursor }))).toEqual(at('e', 'f'));
  });

  it('shows what an entry says now, on every page; one that went away or is renamed is left out', async () => {
    const { page } = await node();
    const { nextCursor: cursor } = await page();
    await replace('f', 'employeeType', 'closed');
    await replace('h', 'cn', 'Hedda');
    expect((await page({ cursor })).mailboxes).toMatchObject([{ address: `f@${DOMAIN}`, enabled: false }, { address: `h@${DOMAIN}`, enabled: true, displayName: 'Hedda' }]);
    await manager.del(dn('f'));
    const short = await page({ cursor });
    expect(shown(short)).toEqual(at('h'));
    expect(shown(await page({ cursor: short.nextCursor }))).toEqual(at('j'));
    await replace('h', 'mail', `c@${DOMAIN}`);
    const none = await page({ cursor });
    expect(shown(none)).toEqual([]);
    expect(shown(await page({ cursor: none.nextCursor }))).toEqual(at('j'));
    await replace('b', 'employeeType', 'closed');
    expect((await page()).mailboxes).toMatchObject([{ address: `b@${DOMAIN}`, enabled: false }, { address: `c@${DOMAIN}` }]);
  });

  it('keeps two searches, and two domains, apart', async () => {
    await manager.add(dn('x'), { objectClass: 'inetOrgPerson', uid: 'x', cn: 'x', sn: 'Example', mail: ['x@other.test', `x@sub.${DOMAIN}`] });
    for (const uid of ['y', 'z']) await manager.add(dn(uid), { objectClass: 'inetOrgPerson', uid, cn: uid, sn: 'Example', mail: `${uid}@other.test` });
    const { page } = await node();
    const all = await page({ limit: 1 });
    const team = await page({ search: 'team one', limit: 1 });
    const others = await page({ domain: 'other.test', limit: 1 });
    expect([all, team, others].map(shown)).toEqual([at('b'), at('b'), ['x@other.test']]);
    await add('c', 'Team one');
    expect(shown(await page({ cursor: all.nextCursor, limit: 9 }))).toEqual(at('d', 'f', 'h', 'j'));
    expect(shown(await page({ search: 'team one', cursor: team.nextCursor, limit: 9 }))).toEqual(at('d', 'f'));
    expect(shown(await page({ domain: 'other.test', cursor: others.nextCursor, limit: 9 }))).toEqual(['y@other.test', 'z@other.test']);
    // Not read before, so nothing is held of it.
    expect(shown(await page({ search: 'team', cursor: team.nextCursor, limit: 9 }))).toEqual(at('c', 'd', 'f', 'h', 'j'));
  });

  it('decides by the directory, whatever a list holds', async () => {
    const { api, page } = await node();
    const { nextCursor: cursor } = await page();
    await manager.del(dn('f'));
    await replace('h', 'employeeType', 'closed');
    await page({ cursor });
    const call = { signal: AbortSignal.timeout(20_000) };
    expect(await api.find(`f@${DOMAIN}`, call)).toBeNull();
    expect(await api.find(`h@${DOMAIN}`, call)).toMatchObject({ enabled: false });
  });
});
