import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { ALICE, NEW } from '../../fixtures/service.ts';
import { enter, startProcess } from '../../fixtures/serviceProcess.ts';
import { sleep } from '../../services/process.ts';

jest.setTimeout(120_000);

/** The lines of requests that were refused with this code. */
const refusals = (text: string, wanted: string) => text.split('\n').filter((line) => line.includes('request refused')).map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ code: own }) => own === wanted);

const DUTCH = JSON.parse(readFileSync('locales/nl.json', 'utf8')) as Record<string, string>;
const code = async (answer: Response): Promise<string> => ((await answer.json()) as { code: string }).code;

test('a change under way when SIGTERM comes is finished, and the exit code is 0', async () => {
  const service = await startProcess({}, { slowChangeMs: 1500 });
  const browser = await enter(service.url);
  const changing = browser.change(ALICE.password, NEW);
  await service.says('changing');
  service.signal('SIGTERM');
  const answer = await changing;
  expect([answer.status, await answer.json()]).toMatchObject([200, { revocation: 'done' }]);
  expect(await service.exited).toBe(0);
  expect(service.text()).toContain('"outcome":"done"');
  await expect(fetch(`${service.url}/healthz`)).rejects.toThrow();
});

test('while it drains, /readyz says no and changes are still served; then the listener is gone', async () => {
  const service = await startProcess({ server: { drainMs: 3000 } });
  const browser = await enter(service.url);
  expect((await fetch(`${service.url}/readyz/self`)).status).toBe(200);
  service.signal('SIGTERM');
  await service.says('told to end');
  const began = Date.now();
  const ready = await fetch(`${service.url}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([503, { status: 'not ready', down: ['shutting-down'] }]);
  expect((await fetch(`${service.url}/readyz/self`)).status).toBe(503);
  expect((await fetch(`${service.url}/healthz`)).headers.get('connection')).toBe('close');
  expect((await browser.change(ALICE.password, NEW)).status).toBe(200);
  expect(await service.exited).toBe(0);
  expect(Date.now() - began).toBeGreaterThan(2000);
});

test('what comes on an open connection after the listener closed is refused: SHUTTING_DOWN, with when to come back', async () => {
  const service = await startProcess({}, { slowChangeMs: 2000 });
  const browser = await enter(service.url);
  const { hostname, port } = new URL(service.url);
  const socket = connect(Number(port), hostname);
  let answers = '';
  socket.on('data', (chunk) => { answers += chunk.toString(); });
  const post = (body: string) => `POST /mailbox-password/api/v1/password HTTP/1.1\r\nHost: ${hostname}:${port}\r\nCookie: ${browser.cookie}\r\nX-CSRF-Token: ${browser.csrfToken}\r\nContent-Type: application/json\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`;
  socket.write(post(JSON.stringify({ currentPassword: ALICE.password, newPassword: NEW })));
  await service.says('changing');
  service.signal('SIGTERM');
  await service.says('no new requests');
  socket.write(post(JSON.stringify({ currentPassword: NEW, newPassword: 'Third!Harvest44' })));
  expect(await service.exited).toBe(0);
  expect(answers).toMatch(/^HTTP\/1\.1 200 /);
  expect(answers).toMatch(/HTTP\/1\.1 503 [\s\S]*Retry-After: 5[\s\S]*"code":"SHUTTING_DOWN"/);
  expect(answers.match(/"revocation":"done"/g)).toHaveLength(1);
  expect(refusals(service.text(), 'SHUTTING_DOWN')).toEqual([expect.objectContaining({ status: 503, method: 'POST', route: '/mailbox-password/api/v1/password', remoteAddress: '127.0.0.1' })]);
});

test('what does not end is cut off at the hard deadline: exit code 1, and said', async () => {
  const service = await startProcess({ server: { shutdownMs: 500 } }, { slowChangeMs: 30_000 });
  const browser = await enter(service.url);
  const changing = browser.change(ALICE.password, NEW).then(() => 'answered', () => 'cut off');
  await service.says('changing');
  service.signal('SIGTERM');
  expect(await service.exited).toBe(1);
  expect(await changing).toBe('cut off');
  expect(service.text()).toContain('requests were cut off');
});

test('a second signal ends it at once', async () => {
  const service = await startProcess({}, { slowChangeMs: 30_000 });
  const browser = await enter(service.url);
  void browser.change(ALICE.password, NEW).catch(() => undefined);
  await service.says('changing');
  service.signal('SIGTERM');
  await service.says('told to end');
  await sleep(100);
  service.signal('SIGTERM');
  expect(await service.exited).toBe(143);
});

test('a change goes on to its end where its browser went away before the service ended', async () => {
  const service = await startProcess({}, { slowChangeMs: 1500 });
  const browser = await enter(service.url);
  const gone = new AbortController();
  void fetch(`${service.url}/mailbox-password/api/v1/password`, {
    method: 'POST', signal: gone.signal, headers: { 'content-type': 'application/json', cookie: browser.cookie, 'x-csrf-token': browser.csrfToken },
    body: JSON.stringify({ currentPassword: ALICE.password, newPassword: NEW }),
  }).catch(() => undefined);
  await service.says('changing');
  gone.abort();
  service.signal('SIGTERM');
  expect(await service.exited).toBe(0);
  expect(service.text()).toMatch(/"outcome":"done".*"password change"/);
});

test('what is refused because too much is under way is OVERLOADED; the watchers are still answered', async () => {
  const service = await startProcess({ server: { maxConcurrentRequests: 1, trustProxy: ['127.0.0.1'] } }, { slowChangeMs: 2000 });
  const browser = await enter(service.url);
  const changing = browser.change(ALICE.password, NEW);
  await service.says('changing');
  const refused = await fetch(`${service.url}/login`, { headers: { 'x-forwarded-for': '203.0.113.9, 198.51.100.4', 'x-request-id': 'proxy-4711.abc' } });
  await fetch(`${service.url}/no/such/page`);
  await fetch(`${service.url}/mailbox-password/locales/admin/nl-1.json?x=1`);
  expect([refused.status, refused.headers.get('retry-after'), await code(refused)]).toEqual([503, '5', 'OVERLOADED']);
  expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
  expect((await changing).status).toBe(200);
  expect((await fetch(`${service.url}/login`)).status).toBe(200);
  expect(refusals(service.text(), 'OVERLOADED').map(({ requestId, method, route, remoteAddress }) => [requestId, method, route, remoteAddress])).toEqual([
    ['proxy-4711.abc', 'GET', '/login', '198.51.100.4'], [expect.any(String), 'GET', 'none', '127.0.0.1'], [expect.any(String), 'GET', '/mailbox-password/locales/:surface/:file', '127.0.0.1'],
  ]);
  service.signal('SIGTERM');
  expect(await service.exited).toBe(0);
});

test('who opens a page meanwhile is shown a page, in the browser\'s language, that loads itself again; programs get the code', async () => {
  const service = await startProcess({ server: { maxConcurrentRequests: 1 } }, { slowChangeMs: 3000 });
  const browser = await enter(service.url);
  const { hostname, port } = new URL(service.url);
  const socket = connect(Number(port), hostname);
  let answers = '';
  socket.on('data', (chunk) => { answers += chunk.toString(); });
  const changing = browser.change(ALICE.password, NEW);
  await service.says('changing');
  const page = (language: string) => fetch(`${service.url}/mailbox-password/panel/`, { headers: { accept: 'text/html', 'accept-language': language } });
  const [dutch, arabic] = [await page('nl-BE, en;q=0.5'), await page('ar')];
  const text = await dutch.text();
  expect([dutch.status, dutch.headers.get('content-type'), dutch.headers.get('retry-after'), dutch.headers.get('cache-control')]).toEqual([503, 'text/html; charset=utf-8', '5', 'no-store']);
  expect(text).toContain('<html lang="nl" dir="ltr">');
  expect(text).toContain('<meta http-equiv="refresh" content="5">');
  expect(text).toContain(DUTCH['error.OVERLOADED']);
  expect(dutch.headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
  expect(await arabic.text()).toContain('<html lang="ar" dir="rtl">');
  // What a script of ours asks for, and what a form would send.
  for (const answer of [await fetch(`${service.url}/mailbox-password/panel/`), await fetch(`${service.url}/mailbox-password/panel/`, { method: 'POST', headers: { accept: 'text/html' } })]) expect(await code(answer)).toBe('OVERLOADED');

  // Begun before the listener closes, whole only afterwards.
  const [begun, rest] = [`GET /mailbox-password/panel/ HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAccept: text/html,*/*;q=0.8\r\n`, 'Accept-Language: nl\r\n\r\n'];
  socket.write(begun);
  await sleep(200);
  service.signal('SIGTERM');
  await service.says('no new requests');
  socket.write(rest);
  expect((await changing).status).toBe(200);
  expect(await service.exited).toBe(0);
  expect(answers).toMatch(/^HTTP\/1\.1 503 [\s\S]*Retry-After: 5[\s\S]*<html lang="nl" dir="ltr">/);
  expect(answers).toContain(DUTCH['error.SHUTTING_DOWN']);
});
