import { ConfigError, loadConfig } from '../../../server/config/loadConfig.ts';
import { clientAddress, trustedProxies } from '../../../server/http/trustedProxies.ts';
import { ALICE, NEW, startService, tempFolder } from '../../fixtures/service.ts';

const PROXY = '10.1.2.3';
const CLIENT = '192.0.2.7';

/** The address and the request id under which one wrong log-in was logged. */
async function seen(trustProxy: boolean | string[], peer: string, headers: Record<string, string>) {
  const service = await startService({ overrides: { server: { port: 0, trustProxy }, dataDir: tempFolder() } });
  try {
    await service.app.inject({ method: 'POST', url: '/mailbox-password/panel/api/v1/login', remoteAddress: peer, headers, payload: { address: 'alice@example.test', password: 'Wrong-guess-1' } });
    const line = service.lines.map((text) => JSON.parse(text) as Record<string, unknown>).find(({ msg }) => msg === 'request refused');
    return { remoteAddress: line?.['remoteAddress'], requestId: line?.['requestId'] };
  } finally {
    await service.stop();
  }
}

test.each<[string, boolean | string[], string, string, string]>([
  ['nobody is believed', false, PROXY, CLIENT, PROXY],
  ['the proxy is believed', ['10.0.0.0/8'], PROXY, CLIENT, CLIENT],
  ['who is no proxy is not', ['10.0.0.0/8'], '198.51.100.9', CLIENT, '198.51.100.9'],
  ['what the client made up before the proxy added its line', ['10.0.0.0/8'], PROXY, `203.0.113.5, ${CLIENT}`, CLIENT],
  ['a chain of two proxies', [PROXY, '10.9.9.9'], PROXY, `203.0.113.5, ${CLIENT}, 10.9.9.9`, CLIENT],
  ['IPv4 that comes as IPv6', ['10.0.0.0/8'], `::ffff:${PROXY}`, CLIENT, CLIENT],
  ['IPv6', ['2001:db8::/32'], '2001:db8::1', '2001:db9::1', '2001:db9::1'],
])('forwarded address: %s', async (_name, trustProxy, peer, forwarded, expected) => {
  expect((await seen(trustProxy, peer, { 'x-forwarded-for': forwarded })).remoteAddress).toBe(expected);
  // Who is refused before the web framework looks is called the same.
  expect(clientAddress({ headers: { 'x-forwarded-for': forwarded }, socket: { remoteAddress: peer } } as never, trustedProxies(trustProxy))).toBe(expected);
});

/** What a stranger claims; each time another, to be a new client at every try. */
const claimed = (n: number): string => `203.0.113.${String(n)}`;
const LOGIN = '/mailbox-password/panel/api/v1/login';

test.each([
  ['behind two proxies that are believed', '10.9.9.9', (n: number) => `${claimed(n)}, ${CLIENT}, ${PROXY}`],
  ['past them, with their addresses in what is claimed', CLIENT, (n: number) => `${claimed(n)}, ${PROXY}`],
])('%s, nobody chooses the address that tries are counted for, and that the history and the notice name', async (_name, peer, forwarded) => {
  const told: unknown[] = [];
  const service = await startService({
    overrides: { server: { port: 0, trustProxy: [PROXY, '10.9.9.9'] }, dataDir: tempFolder(), rateLimit: { wrongPasswordsPerAddress: { points: 3, windowSeconds: 900 } } },
    decorate: (wiring) => ({ ...wiring, notices: { ...wiring.notices, draft: (occasion) => { told.push(occasion.remoteAddress); return wiring.notices.draft(occasion); } } }),
  });
  let n = 0;
  const send = (url: string, payload: object, headers: Record<string, string> = {}) => {
    n += 1;
    return service.app.inject({ method: 'POST', url, remoteAddress: peer, headers: { 'x-forwarded-for': forwarded(n), ...headers }, payload });
  };
  try {
    const login = await send(LOGIN, ALICE);
    const cookie = login.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    const changed = await send('/mailbox-password/panel/api/v1/password', { currentPassword: ALICE.password, newPassword: NEW }, { cookie, 'x-csrf-token': login.json<{ csrfToken: string }>().csrfToken });
    expect([login.statusCode, changed.statusCode]).toEqual([200, 200]);
    expect(told).toEqual([CLIENT]);
    const statuses: number[] = [];
    for (const name of ['one', 'two', 'three', 'four']) statuses.push((await send(LOGIN, { address: `${name}@example.test`, password: 'Wrong-guess-1' })).statusCode);
    expect(statuses).toEqual([401, 401, 401, 429]);
    const { events } = await service.wiring.audit.read({ domains: null, cursor: null, limit: 20 });
    expect(events.length).toBeGreaterThan(4);
    expect(new Set(events.map(({ remoteAddress }) => remoteAddress))).toEqual(new Set([CLIENT]));
  } finally {
    await service.stop();
  }
});

test('the request id is the proxy\'s, never a stranger\'s', async () => {
  const headers = { 'x-request-id': 'proxy-request-0001' };
  expect((await seen(['10.0.0.0/8'], PROXY, headers)).requestId).toBe('proxy-request-0001');
  expect((await seen(['10.0.0.0/8'], CLIENT, headers)).requestId).not.toBe('proxy-request-0001');
});

test('text that is no address is nobody', () => {
  expect([undefined, '', 'x', '10.0.0.1 '].map(trustedProxies(['0.0.0.0/0', '::/0']))).toEqual([false, false, false, false]);
});

test.each([['"127.0.0.1"'], ['[localhost]'], ['[10.0.0.0/33]'], ['[1]'], ['null']])('server.trustProxy: %s does not start', (value) => {
  let problems: readonly string[] = [];
  try {
    loadConfig({ environment: { MAILBOX_PASSWORD__SERVER__TRUSTPROXY: value } });
  } catch (error) {
    if (error instanceof ConfigError) ({ problems } = error);
  }
  expect(problems.join('\n')).toMatch(/^server\.trustProxy/);
});
