import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type pino } from 'pino';
import { ModuleError } from '../../../module/errors.ts';
import { createMailRefresher, withMailRefresh } from '../../../server/groupOffice/mailRefresh.ts';
import type { AccountApi } from '../../../server/ports/accountApi.ts';
import { Secret } from '../../../server/secret.ts';
import { GroupOfficeDouble } from '../../fixtures/groupOfficeDouble/groupOfficeDouble.ts';
import { NEW, startService } from '../../fixtures/service.ts';

/** Group-Office keeps a copy of each mailbox password for its own mail client: it is renewed, and never in the way of a change. */
const CAROL = 'carol@mail.test';
const OLD = 'Mailpass-1';
const until = async (true_: () => boolean): Promise<void> => {
  for (const end = Date.now() + 10_000; !true_(); await new Promise((resolve) => { setTimeout(resolve, 10); })) if (Date.now() > end) throw new Error('it did not come');
};

let double: GroupOfficeDouble;
let serviceKey: string;
/** The provider's own account API, for the domain mail.test: the mail server takes the password that stands there. */
let provider: Server;
let providerUrl: string;
let calls: { path: string; body: Record<string, string> }[];
let crash: () => void;

beforeEach(async () => {
  calls = [];
  crash = () => undefined;
  double = await GroupOfficeDouble.start();
  double.state.imapDomains.add('mail.test');
  double.state.mailServer.set(CAROL, OLD);
  double.state.addUser({ username: 'alice', email: 'alice@example.test', password: 'Alicepass-1' });
  serviceKey = double.installDropIn({ mayChangeUsers: true });
  provider = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => { text += chunk.toString(); }).on('end', () => {
      const body = (text === '' ? {} : JSON.parse(text)) as Record<string, string>;
      const path = decodeURIComponent(request.url ?? '');
      calls.push({ path, body });
      const answer = (status: number, content: object) => response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(content));
      // docs/account-api.openapi.yaml, as far as a change needs it.
      if (request.method === 'GET') return answer(200, { address: CAROL, enabled: true, passwordChangedAt: null, passwordVersion: `version of ${String(double.state.mailServer.get(CAROL)?.length)}` });
      if (path.endsWith('/verify')) return answer(200, { verified: double.state.mailServer.get(CAROL) === body['password'] });
      if (double.state.mailServer.get(CAROL) !== body['currentPassword']) return answer(403, { code: 'CURRENT_PASSWORD_WRONG' });
      double.state.mailServer.set(CAROL, body['newPassword'] ?? '');
      crash();
      return answer(200, { changed: true, changedAt: Date.now() });
    });
  });
  await new Promise<void>((resolve) => { provider.listen(0, '127.0.0.1', resolve); });
  providerUrl = `http://127.0.0.1:${String((provider.address() as AddressInfo).port)}`;
});
afterEach(async () => {
  await double.stop();
  provider.closeAllConnections();
  await new Promise((resolve) => { provider.close(resolve); });
});

const stored = () => double.state.emailAccounts.find(({ username }) => username === CAROL)?.password;
const refreshes = () => double.seen.filter(({ body }) => JSON.stringify(body).includes('refreshMail'));

/** An account API that writes to the mail server of the double. */
function accounts(outcome: 'done' | 'unknown' | 'refused' = 'done'): AccountApi {
  const write = async (next: Secret) => {
    if (outcome === 'refused') throw new ModuleError('CURRENT_PASSWORD_WRONG');
    double.state.mailServer.set(CAROL, next.reveal());
    if (outcome === 'unknown') throw new ModuleError('ACCOUNTS_OUTCOME_UNKNOWN');
    return { changedAt: null };
  };
  return { changePassword: (_address: string, _current: Secret, next: Secret) => write(next), setPassword: (_address: string, next: Secret) => write(next), close: async () => undefined } as unknown as AccountApi;
}
const call = () => ({ signal: AbortSignal.timeout(5_000) });

describe('withMailRefresh', () => {
  const lines: string[] = [];
  const log = Object.fromEntries(['info', 'warn', 'error'].map((level) => [level, (...said: unknown[]) => { lines.push(`${level} ${JSON.stringify(said)}`); }])) as unknown as pino.Logger;
  const refresher = (retryAfterMs = [20, 20, 20]) => createMailRefresher({ url: double.url, serviceKey, retryAfterMs, timeoutMs: 300 }, log);
  beforeEach(async () => {
    lines.length = 0;
    await double.signIn(CAROL, OLD);
  });

  it.each(['change', 'set'] as const)('renews the copy after a %s', async (how) => {
    const one = refresher();
    const api = withMailRefresh(accounts(), one);
    if (how === 'change') await api.changePassword(CAROL, new Secret(OLD), new Secret(NEW), call());
    else await api.setPassword(CAROL, new Secret(NEW), call());
    await until(() => stored() === NEW);
    await one.close();
    expect(lines.join()).toContain('renewed');
    expect(lines.join()).not.toContain(NEW);
  });

  it('renews it where the write was sent and nobody knows: Group-Office asks the mail server before it stores', async () => {
    const one = refresher();
    await expect(withMailRefresh(accounts('unknown'), one).setPassword(CAROL, new Secret(NEW), call())).rejects.toMatchObject({ code: 'ACCOUNTS_OUTCOME_UNKNOWN' });
    await until(() => stored() === NEW);
    await one.close();
  });

  it('tells nothing after a refused change', async () => {
    const one = refresher();
    await expect(withMailRefresh(accounts('refused'), one).changePassword(CAROL, new Secret('x'), new Secret(NEW), call())).rejects.toMatchObject({ code: 'CURRENT_PASSWORD_WRONG' });
    await one.close();
    expect([refreshes().length, stored()]).toEqual([0, OLD]);
  });

  it.each(['refuse', 'fail', 'hang'] as const)('does not hold up or undo the change while Group-Office does: %s; it is said, and tried again', async (fault) => {
    double.fault = fault;
    const one = refresher();
    await expect(withMailRefresh(accounts(), one).setPassword(CAROL, new Secret(NEW), call())).resolves.toEqual({ changedAt: null });
    await until(() => lines.some((line) => line.includes('not renewed yet')));
    double.fault = 'none';
    await until(() => stored() === NEW);
    await one.close();
  });

  it('gives up after its tries, says what people will see, and the next log-in with the new password renews the copy', async () => {
    double.fault = 'fail';
    const one = refresher();
    await withMailRefresh(accounts(), one).setPassword(CAROL, new Secret(NEW), call());
    await until(() => lines.some((line) => line.startsWith('error') && line.includes('until the user has logged in again')));
    expect(refreshes()).toHaveLength(4);
    double.fault = 'none';
    await one.close();
    expect(stored()).toBe(OLD);
    const session = await double.signIn(CAROL, NEW);
    expect([stored(), await double.mailOpens(session)]).toEqual([NEW, true]);
  });

  it('does not try again what does not heal: a key without the right', async () => {
    double.state.modules.get('mailboxpassword/mailboxpassword')!.managers.clear();
    const one = refresher();
    await withMailRefresh(accounts(), one).setPassword(CAROL, new Secret(NEW), call());
    await until(() => lines.some((line) => line.startsWith('error')));
    expect(refreshes()).toHaveLength(1);
    await one.close();
  });

  it('never tells an older password after a newer one, and stops at once when the service stops', async () => {
    double.fault = 'fail';
    const one = refresher([50, 60_000]);
    const api = withMailRefresh(accounts(), one);
    await api.setPassword(CAROL, new Secret('First-of-two-1'), call());
    await api.setPassword(CAROL, new Secret(NEW), call());
    await until(() => refreshes().length >= 3);
    const since = Date.now();
    await one.close();
    expect(Date.now() - since).toBeLessThan(5_000);
    expect(refreshes().filter(({ body }) => JSON.stringify(body).includes('First-of-two-1'))).toHaveLength(1);
    expect(lines.join()).toContain('the next log-in does it');
  });
});

describe('the whole service, configured for Group-Office', () => {
  const overrides = () => ({
    host: { driver: 'groupOffice', url: double.url, localDomains: ['example.test'] },
    accounts: [
      { driver: 'http', domains: ['mail.test'], preset: 'mailboxPassword', baseUrl: providerUrl, apiKey: 'a-key-of-the-provider' },
      { driver: 'groupOfficeUser', domains: ['example.test'], url: double.url, serviceKey },
    ],
    sessions: [{ driver: 'groupOffice', name: 'web', url: double.url, serviceKey, secondPassMs: 20 }],
    server: { port: 0, publicUrl: double.url },
  });
  type Service = Awaited<ReturnType<typeof startService>>;
  const change = (service: Service, session: { accessToken: string; csrfToken: string }, currentPassword: string) =>
    service.app.inject({
      method: 'POST', url: '/mailbox-password/api/v1/password', payload: { currentPassword, newPassword: NEW },
      headers: { cookie: `accessToken=${session.accessToken}`, 'x-csrf-token': session.csrfToken },
    });
  const userSets = () => double.seen.filter(({ body }) => JSON.stringify(body).includes('"User/set"'));

  it("sends an IMAP user's password to the account API of the domain, never to User/set; a local user's to User/set, never there", async () => {
    const service = await startService({ overrides: overrides() });
    const carol = await double.signIn(CAROL, OLD);
    const answer = await change(service, carol, OLD);
    expect([answer.statusCode, answer.json()]).toEqual([200, expect.objectContaining({ revocation: 'done', ended: { web: 1 } })]);
    expect(double.state.mailServer.get(CAROL)).toBe(NEW);
    expect(calls.some(({ path }) => path.includes(CAROL))).toBe(true);
    expect(userSets()).toEqual([]);
    await until(() => stored() === NEW);
    const alice = await double.signIn('alice', 'Alicepass-1');
    calls.length = 0;
    expect((await change(service, alice, 'Alicepass-1')).statusCode).toBe(200);
    expect(double.state.userByName('alice')!.password).toBe(NEW);
    expect([userSets().length > 0, calls]).toEqual([true, []]);
    await service.stop();
    expect(service.lines.join('')).not.toContain(NEW);
  }, 60_000);

  it('after a crash between the change and everything else: the worker logs out, and the new log-in brings mail back', async () => {
    const service = await startService({ overrides: { ...overrides(), timeouts: { accountsMs: 500, sessionsMs: 5_000, hostMs: 5_000 }, revocation: { firstDelayMs: 10, maxDelayMs: 50, leaseMs: 200, pollMs: 20, alertAfterMs: 60_000 } } });
    const carol = await double.signIn(CAROL, OLD);
    // Written, and then no answer ever: the process "dies" with its memory, the outbox stays.
    const died = new Promise<void>((resolve) => { crash = () => { double.fault = 'refuse'; provider.closeAllConnections(); resolve(); }; });
    const lost = change(service, carol, OLD).catch(() => undefined);
    await died;
    await lost;
    await service.stop();
    double.fault = 'none';
    expect([double.state.mailServer.get(CAROL), stored()]).toEqual([NEW, OLD]);
    const again = await startService({ dataDir: service.dataDir, overrides: { ...overrides(), revocation: { firstDelayMs: 10, maxDelayMs: 50, leaseMs: 200, pollMs: 20, alertAfterMs: 60_000 } } });
    for (const end = Date.now() + 15_000; (await double.alive(carol.accessToken)) && Date.now() < end; await new Promise((resolve) => { setTimeout(resolve, 50); })) await again.worker.runOnce();
    expect(await double.alive(carol.accessToken)).toBe(false);
    const session = await double.signIn(CAROL, NEW);
    expect([stored(), await double.mailOpens(session)]).toEqual([NEW, true]);
    await again.stop();
  }, 60_000);
});
