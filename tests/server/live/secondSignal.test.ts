import { ALICE, NEW } from '../../fixtures/service.ts';
import { startProcess } from '../../fixtures/serviceProcess.ts';
import { MAILBOXES, sqlBackend } from '../../services/mailBackends.ts';
import { sleep, until } from '../../services/process.ts';

jest.setTimeout(300_000);

let backend: Awaited<ReturnType<typeof sqlBackend>>;
beforeAll(async () => { backend = await sqlBackend('mariadb'); await backend.seed(); });
afterAll(async () => { await backend.stop(); });

const JSON_BODY = { 'content-type': 'application/json' };
const logIn = async (url: string, password: string) => {
  const answer = await fetch(`${url}/mailbox-password/panel/api/v1/login`, { method: 'POST', headers: JSON_BODY, body: JSON.stringify({ address: ALICE.address, password }) });
  return { status: answer.status, cookie: (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '', csrf: ((await answer.json()) as { csrfToken?: string }).csrfToken ?? '' };
};

test('mailboxes and state on MariaDB, ended at once in the middle of a change: what is on disk is settled at the next start, and nothing is forgotten', async () => {
  expect(MAILBOXES[0].address).toBe(ALICE.address);
  const configuration = {
    accounts: [backend.accounts], state: { url: backend.database.url }, timeouts: { accountsMs: 2000, sessionsMs: 2000, hostMs: 2000 },
    revocation: { firstDelayMs: 50, maxDelayMs: 200, leaseMs: 500, pollMs: 50, alertAfterMs: 60_000 },
  };
  const first = await startProcess(configuration, { slowChangeMs: 60_000 });
  const session = await logIn(first.url, ALICE.password);
  const changing = fetch(`${first.url}/mailbox-password/panel/api/v1/password`, {
    method: 'POST', headers: { ...JSON_BODY, cookie: session.cookie, 'x-csrf-token': session.csrf }, body: JSON.stringify({ currentPassword: ALICE.password, newPassword: NEW }),
  }).then(() => 'answered', () => 'cut off');
  await first.says('changing');
  first.signal('SIGTERM');
  await first.says('told to end');
  await sleep(200);
  first.signal('SIGTERM');
  expect([await first.exited, await changing]).toEqual([143, 'cut off']);
  const [owed] = await backend.database.query('SELECT state FROM outbox');
  expect(owed).toEqual({ state: 'recorded' });

  const second = await startProcess(configuration);
  await until('that it is settled', async () => (await backend.database.query('SELECT * FROM outbox')).length === 0, 60_000);
  expect(second.text()).toContain('an interrupted change did not happen: nothing is owed');
  // Nothing was written, so nothing has changed, and nobody was logged out.
  expect((await fetch(`${second.url}/mailbox-password/panel/api/v1/session`, { headers: { cookie: session.cookie } })).status).toBe(200);
  expect([(await logIn(second.url, NEW)).status, (await logIn(second.url, ALICE.password)).status]).toEqual([401, 200]);
  second.signal('SIGTERM');
  expect(await second.exited).toBe(0);
});
