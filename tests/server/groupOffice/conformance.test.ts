import { pino } from 'pino';
import maildomains from '../../../server/drivers/accounts/groupOfficeMaildomains.ts';
import users from '../../../server/drivers/accounts/groupOfficeUser.ts';
import type { Driver } from '../../../server/drivers/defineDriver.ts';
import sessions from '../../../server/drivers/sessions/groupOffice.ts';
import { GroupOfficeDouble } from '../../fixtures/groupOfficeDouble/groupOfficeDouble.ts';
import { describeAccountApi } from '../../suites/accountApiSuite.ts';
import { describeSessionStore } from '../../suites/sessionStoreSuite.ts';

/** The suites that every driver of these ports passes, against the double that is held to the recordings of a real Group-Office. */
const context = { name: 'web', dataDir: '/nonexistent', clock: { now: () => Date.now() }, log: pino({ level: 'silent' }) };
/** As the wiring does: defaults come from the driver, not from the schema. */
const create = <Port, Options extends object>(driver: Driver<Port, Options>, options: object): Promise<Port> =>
  driver.create(driver.options.validateSync(options, { strict: true, abortEarly: false }) as never, context);
/** Nobody listens there. */
const AWAY = 'http://127.0.0.1:9';
const KEY = 'a-key-that-nobody-asks-for';

describeAccountApi('groupOfficeUser', async () => {
  const double = await GroupOfficeDouble.start();
  double.state.addUser({ username: 'first', email: 'first@example.test', password: 'First-pass-1' });
  double.state.addUser({ username: 'second@example.test', email: 'second@example.test', password: 'Second-pass-2' });
  double.state.addUser({ username: 'locked', email: 'locked@example.test', password: 'Locked-pass-3', enabled: false });
  const serviceKey = double.installDropIn({ mayChangeUsers: true });
  return {
    api: await create(users, { url: double.url, serviceKey, setPassword: true }),
    first: { address: 'first@example.test', password: 'First-pass-1' },
    second: { address: 'second@example.test', password: 'Second-pass-2' },
    locked: { address: 'locked@example.test', password: 'Locked-pass-3' },
    // Group-Office's own least length counts bytes.
    refusesPassword: (password) => Buffer.byteLength(password) < double.state.passwordMinLength,
    unreachable: () => create(users, { url: AWAY, serviceKey: KEY, setPassword: true }),
    teardown: () => double.stop(),
  };
});

describeAccountApi('groupOfficeMaildomains', async () => {
  const double = await GroupOfficeDouble.start();
  const { state } = double;
  state.imapDomains.add('mail.test');
  // A Dovecot with its auth cache on goes on saying yes to the old password for a while.
  state.mailServerCache = new Map();
  state.mailDomains.set('1', { id: '1', domain: 'mail.test', active: true });
  const mailboxes = [['first', 'First-pass-1', true], ['second', 'Second-pass-2', true], ['locked', 'Locked-pass-3', false]] as const;
  for (const [at, [name, password, active]] of mailboxes.entries()) {
    state.mailboxes.set(String(at), { id: String(at), domainId: '1', username: `${name}@mail.test`, password, active, description: name });
  }
  const serviceKey = double.installDropIn();
  state.modules.set('community/maildomains', { id: '77', package: 'community', name: 'maildomains', readers: null, managers: new Set() });
  return {
    api: await create(maildomains, { url: double.url, serviceKey }),
    first: { address: 'first@mail.test', password: 'First-pass-1' },
    second: { address: 'second@mail.test', password: 'Second-pass-2' },
    locked: { address: 'locked@mail.test', password: 'Locked-pass-3' },
    refusesPassword: (password) => Buffer.byteLength(password) < state.passwordMinLength,
    unreachable: () => create(maildomains, { url: AWAY, serviceKey: KEY }),
    teardown: () => double.stop(),
  };
});

describeSessionStore('groupOffice', async () => {
  const double = await GroupOfficeDouble.start();
  const { state } = double;
  const ids = new Map(['first@mail.test', 'second@mail.test', 'alice@example.test', 'bob@example.test'].map((address) => [address, state.addUser({ username: address, password: 'x' }).id]));
  const serviceKey = double.installDropIn();
  return {
    store: await create(sessions, { url: double.url, serviceKey, secondPassMs: 10 }),
    first: 'first@mail.test',
    second: 'second@mail.test',
    choosesIssuedAt: true,
    async open(address, issuedAt) {
      // Group-Office writes the time into the token; a used session stands in its cache besides.
      if (issuedAt !== undefined) state.now = () => issuedAt;
      const { accessToken } = state.addToken({ userId: ids.get(address)! });
      state.now = Date.now;
      await double.alive(accessToken ?? '');
      return () => double.alive(accessToken ?? '');
    },
    unreachable: () => create(sessions, { url: AWAY, serviceKey: KEY }),
    teardown: () => double.stop(),
  };
});
