import { Attribute, Change, Client } from 'ldapts';
import { accountApiOver } from '../../fixtures/accountApiOver.ts';
import { changesUnderLoad } from '../../fixtures/changesUnderLoad.ts';
import { person } from '../../fixtures/directory.ts';
import { GroupOfficeDouble } from '../../fixtures/groupOfficeDouble/groupOfficeDouble.ts';
import { createLdap, searching } from '../../fixtures/ldapApi.ts';
import { startRotated, stopRotated } from '../../fixtures/rotatedService.ts';
import { MAILBOXES } from '../../services/mailBackends.ts';
import { type Slapd, startSlapd } from '../../services/slapd.ts';

jest.setTimeout(600_000);

const SEED = MAILBOXES.map(({ address, password }) => person(address.slice(0, address.indexOf('@')), password)).join('\n');
afterEach(stopRotated);

/** One account API, and what else there is. */
const over = (entry: object, more: object = {}): object => ({ accounts: [{ domains: ['*'], ...entry }], ...more });

/** The three moments of docs/running.md: a second secret at the other side, ours is replaced, the first one goes. */
async function exchange(changing: ReturnType<typeof changesUnderLoad>, steps: { readonly add: () => Promise<unknown>; readonly put: () => Promise<void>; readonly remove: () => Promise<unknown> }): Promise<void> {
  await changing.more();
  for (const step of [steps.add, steps.put, steps.remove]) {
    await step();
    await changing.more();
  }
  const { failures, changes } = await changing.stop();
  expect(failures).toEqual([]);
  expect(changes).toBeGreaterThanOrEqual(8 * MAILBOXES.length);
}

describe('a directory', () => {
  let slapd: Slapd;
  beforeAll(async () => { slapd = await startSlapd({ ldif: SEED }); });
  afterAll(async () => { await slapd.stop(); });

  async function modify(operation: 'add' | 'delete', value: string): Promise<void> {
    const client = new Client({ url: slapd.url });
    await client.bind(slapd.managerDn, slapd.managerPassword);
    await client.modify(slapd.serviceDn, new Change({ operation, modification: new Attribute({ type: 'userPassword', values: [value] }) }));
    await client.unbind();
  }

  it('the service\'s password: two values while it is exchanged; not one change fails', async () => {
    const entry = (bindPassword: string) => ({ driver: 'ldap', ...searching(slapd, { bindPassword }) });
    const { url, put, down } = await startRotated(over(entry(slapd.servicePassword)));
    await exchange(changesUnderLoad({ url, mailboxes: MAILBOXES }), {
      add: () => modify('add', 'second-secret'), put: () => put(over(entry('second-secret'))), remove: () => modify('delete', slapd.servicePassword),
    });
    await put(over(entry(slapd.servicePassword)));
    expect(await down()).toEqual(['accounts']);
  });
});

describe('a provider\'s account API', () => {
  it('its key: two while it is exchanged; not one change fails', async () => {
    const slapd = await startSlapd({ ldif: SEED });
    const keys = new Set(['first-key-of-the-provider']);
    const api = await accountApiOver(await createLdap(searching(slapd)), keys);
    try {
      const entry = (apiKey: string) => ({ ...api.options, apiKey });
      const { url, put, down } = await startRotated(over(entry('first-key-of-the-provider')));
      await exchange(changesUnderLoad({ url, mailboxes: MAILBOXES }), {
        add: () => Promise.resolve(keys.add('second-key-of-the-provider')), put: () => put(over(entry('second-key-of-the-provider'))), remove: () => Promise.resolve(keys.delete('first-key-of-the-provider')),
      });
      await put(over(entry('first-key-of-the-provider')));
      expect(await down()).toEqual(['accounts']);
    } finally {
      await stopRotated();
      await api.stop();
      await slapd.stop();
    }
  });
});

describe('Group-Office', () => {
  it('its service key, of accounts, sessions and the webmail at once: two while it is exchanged; not one change fails and every browser is logged out', async () => {
    const double = await GroupOfficeDouble.start();
    try {
      for (const { address, password } of MAILBOXES) double.state.addUser({ username: address, email: address, password });
      const first = double.installDropIn({ mayChangeUsers: true });
      const serviceUser = [...double.state.tokens.values()].find(({ accessToken }) => accessToken === first)?.userId ?? '';
      let second = '';
      const entry = (serviceKey: string) => ({ driver: 'groupOfficeUser', url: double.url, serviceKey });
      const more = (serviceKey: string) => ({ sessions: [{ driver: 'groupOffice', name: 'web', url: double.url, serviceKey, secondPassMs: 20 }], host: { driver: 'groupOffice', url: double.url } });
      const { url, put, down } = await startRotated(over(entry(first), more(first)));
      const changing = changesUnderLoad({ url, mailboxes: MAILBOXES, async open({ address, password }) {
        const { accessToken } = await double.signIn(address, password);
        return () => double.alive(accessToken);
      } });
      await exchange(changing, {
        add: () => { second = double.state.addToken({ userId: serviceUser, expiresAt: null }).accessToken ?? ''; return Promise.resolve(); },
        put: () => put(over(entry(second), more(second))),
        remove: () => { double.state.deleteTokens(({ accessToken }) => accessToken === first); return Promise.resolve(); },
      });
      await put(over(entry(first), more(first)));
      expect(await down()).toEqual(expect.arrayContaining(['accounts', 'sessions:web']));
    } finally {
      await stopRotated();
      await double.stop();
    }
  });
});
