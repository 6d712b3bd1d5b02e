import { ModuleError } from '../../../module/errors.ts';
import type { Wiring } from '../../../server/wiring.ts';
import { ALICE, change, logIn, NEW, startService } from '../../fixtures/service.ts';

jest.setTimeout(60_000);

type Line = Record<string, unknown>;
const linesOf = (lines: readonly string[], msg: string): Line[] => lines.map((line) => JSON.parse(line) as Line).filter((line) => line['msg'] === msg);
const PROXY_ID = 'proxy-4711.abc_D';

test('one line per change: request, surface, mailbox, outcome, what was ended by channel, what is pending, and the hops', async () => {
  const down: readonly string[] = ['mail'];
  const decorate = (wiring: Wiring): Wiring => ({ ...wiring, stores: [...wiring.stores, {
    ...wiring.stores[0] as Wiring['stores'][number], name: 'mail', channels: ['imap' as const, 'pop3' as const], close: () => Promise.resolve(),
    revokeAll: () => Promise.reject(new ModuleError(down.includes('mail') ? 'SESSIONS_UNAVAILABLE' : 'INTERNAL')),
  }] });
  const { app, lines, stop } = await startService({ decorate });
  const browser = await logIn(app, ALICE);
  const refused = await change(app, browser, { currentPassword: 'wrong', newPassword: NEW });
  const done = await change(app, browser, { currentPassword: ALICE.password, newPassword: NEW });
  expect(linesOf(lines, 'password change')).toMatchObject([
    { level: 30, requestId: refused.headers['x-request-id'], outcome: 'CURRENT_PASSWORD_WRONG', surface: 'account-section', address: ALICE.address, ended: {}, pending: [] },
    {
      level: 30, requestId: done.headers['x-request-id'], outcome: 'pending', surface: 'account-section', address: ALICE.address, by: ALICE.address, remoteAddress: '127.0.0.1',
      ended: { web: 1 }, pending: ['imap', 'pop3'],
      hops: { verify: expect.any(Number) as number, record: expect.any(Number) as number, change: expect.any(Number) as number, confirm: expect.any(Number) as number, revoke: expect.any(Number) as number, audit: expect.any(Number) as number },
    },
  ]);
  await stop();
});

test('one line per problem, with the id that the answer bears in its header and its body', async () => {
  const { app, lines, stop } = await startService();
  const answer = await app.inject('/no/such/page?password=x');
  const { requestId, code } = answer.json<{ requestId: string; code: string }>();
  expect([code, answer.headers['x-request-id']]).toEqual(['NOT_FOUND', requestId]);
  expect(linesOf(lines, 'request refused')).toEqual([expect.objectContaining({ requestId, code, status: 404, method: 'GET', route: 'none', remoteAddress: '127.0.0.1' })]);
  expect(lines.join('')).not.toContain('no/such');
  await stop();
});

test('a failure of a server is a line of level error that says why; the answer does not', async () => {
  const decorate = (wiring: Wiring): Wiring => ({ ...wiring, accounts: { ...wiring.accounts, verifyPassword: () => Promise.reject(new ModuleError('ACCOUNTS_UNAVAILABLE', { detail: 'the-database is away' })) } });
  const { app, lines, stop } = await startService({ decorate });
  const answer = await app.inject({ method: 'POST', url: '/host/login', payload: ALICE });
  expect([answer.statusCode, answer.body.includes('the-database')]).toEqual([503, false]);
  expect(linesOf(lines, 'request failed')).toMatchObject([{ level: 50, code: 'ACCOUNTS_UNAVAILABLE', requestId: answer.headers['x-request-id'], detail: 'ACCOUNTS_UNAVAILABLE: the-database is away' }]);
  await stop();
});

test.each([
  ['a proxy that is believed', true, PROXY_ID, true],
  ['anybody else', false, PROXY_ID, false],
  ['a believed proxy that hands on a line break', true, 'abc\r\nSet-Cookie: x', false],
  ['a believed proxy that hands on a novel', true, 'x'.repeat(65), false],
])('the id of %s', async (_who, trustProxy, given, isTaken) => {
  const { app, lines, stop } = await startService({ overrides: { server: { port: 0, trustProxy } } });
  const answer = await app.inject({ url: '/nothing', headers: { 'x-request-id': given } });
  expect(answer.headers['x-request-id'] === given).toBe(isTaken);
  expect(linesOf(lines, 'request refused')[0]?.['requestId']).toBe(answer.headers['x-request-id']);
  await stop();
});
