import { connect } from 'node:net';
import { pino } from 'pino';
import { loadConfig } from '../../../server/config/loadConfig.ts';
import { startService as serve } from '../../../server/service/service.ts';
import { ALICE, startService, tempFolder } from '../../fixtures/service.ts';

const PANEL = '/mailbox-password/panel/api/v1/login';
let service: Awaited<ReturnType<typeof startService>>;
beforeEach(async () => { service = await startService(); });
afterEach(async () => { await service.stop(); });

const errors = (): unknown[] => service.lines.map((line) => JSON.parse(line) as { level: number }).filter(({ level }) => level >= 50);

test.each([
  ['out of the folder of the static files, encoded', '/mailbox-password/assets/..%2f..%2f..%2fpackage.json', 404, 'NOT_FOUND'],
  ['a NUL', '/mailbox-password/assets/%00.js', 400, 'REQUEST_MALFORMED'],
  ['what cannot be decoded', '/mailbox-password/%zz', 400, 'REQUEST_MALFORMED'],
  ['a surface named like a part of every object', '/mailbox-password/locales/constructor/en.json', 404, 'NOT_FOUND'],
  ['the prototype', '/mailbox-password/locales/__proto__/en.json', 404, 'NOT_FOUND'],
  ['an address that has another method', PANEL, 405, 'METHOD_NOT_ALLOWED'],
])('a hostile address, %s, is refused with a code and alarms nobody', async (_name, url, status, code) => {
  const answer = await service.app.inject({ url });
  expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([status, code]);
  expect(answer.headers).toMatchObject({ 'content-type': expect.stringContaining('application/problem+json') as string, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  expect(answer.headers['x-request-id']).toBe(answer.json<{ requestId: string }>().requestId);
  expect(answer.headers['allow']).toBe(status === 405 ? 'POST' : undefined);
  expect(answer.body).not.toContain('zz');
  expect(errors()).toEqual([]);
});

test.each([
  ['an old address', '/mailbox-password/users/', 404, 'de', 'Das gibt es hier nicht mehr.'],
  ['what cannot be decoded', '/mailbox-password/%zz', 400, 'ar', 'lang="ar" dir="rtl"'],
])('who opens a page and finds none reads a sentence, in the language of the browser: %s', async (_name, url, status, language, said) => {
  const answer = await service.app.inject({ url, headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'accept-language': language } });
  expect(answer.statusCode).toBe(status);
  expect(answer.headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'x-request-id': expect.any(String) as string,
    'content-security-policy': expect.stringContaining("default-src 'none'") as string,
  });
  expect(answer.body).toContain(said);
  expect(answer.body).not.toMatch(/zz|http-equiv|"code"/);
  expect(errors()).toEqual([]);
});

test.each(['/healthz', '/', '/panel', '/.well-known/change-password', '/openapi.json', '/host/demo', '/mailbox-password/%61pi/v1/context'])('%s is kept by no cache', async (url) => {
  expect((await service.app.inject({ url })).headers['cache-control']).toBe('no-store');
});

test('a body that is not UTF-8 is refused: its bytes would all become one character', async () => {
  const payload = Buffer.from(JSON.stringify({ address: ALICE.address, password: 'W\u00fcnder-7' }), 'latin1');
  const answer = await service.app.inject({ method: 'POST', url: PANEL, headers: { 'content-type': 'application/json' }, payload });
  expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([400, 'REQUEST_MALFORMED']);
});

/** What a service says to these bytes until the connection is closed. */
const sent = (url: string, bytes: string): Promise<string> => new Promise((resolve, reject) => {
  let text = '';
  const socket = connect(Number(new URL(url).port), '127.0.0.1', () => { socket.write(bytes); });
  socket.on('data', (part) => { text += String(part); }).on('close', () => { resolve(text); }).on('error', reject);
});

test.each([
  ['a header that is too long', `GET /healthz HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'REQUEST_TOO_LARGE'],
  ['something else than HTTP', '\x16\x03\x01 hello\r\n\r\n', 400, 'REQUEST_MALFORMED'],
  ['an expectation that nobody knows', 'GET /nothing HTTP/1.1\r\nHost: a\r\nExpect: 200-maybe\r\nConnection: close\r\n\r\n', 404, 'NOT_FOUND'],
  ['a tunnel', 'CONNECT 127.0.0.1:25 HTTP/1.1\r\nHost: a\r\n\r\n', 405, 'METHOD_NOT_ALLOWED'],
  ['two lengths', `POST ${PANEL} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400, 'REQUEST_MALFORMED'],
  ['a chunk whose size is no number', `POST ${PANEL} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`, 400, 'REQUEST_MALFORMED'],
  ['a chunk larger than any', `POST ${PANEL} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n0\r\n\r\n`, 400, 'REQUEST_MALFORMED'],
  ['a chunk with an endless extension', `POST ${PANEL} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2;${'x'.repeat(100_000)}\r\n{}\r\n0\r\n\r\n`, 413, 'REQUEST_TOO_LARGE'],
  ['a coding that nobody knows', `POST ${PANEL} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 400, 'REQUEST_MALFORMED'],
  ['two hosts', 'GET /healthz HTTP/1.1\r\nHost: a\r\nhost: a\r\nConnection: close\r\n\r\n', 400, 'REQUEST_MALFORMED'],
  ['two hosts, of which a page of the first asks', `POST ${PANEL} HTTP/1.1\r\nHost: evil.test\r\nHost: a\r\nOrigin: http://evil.test\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`, 400, 'REQUEST_MALFORMED'],
  ['two hosts in one field', 'GET /healthz HTTP/1.1\r\nHost: a, evil.test\r\nConnection: close\r\n\r\n', 400, 'REQUEST_MALFORMED'],
  ['a host that is none', 'GET /healthz HTTP/1.1\r\nHost: a/b@c d\r\nConnection: close\r\n\r\n', 400, 'REQUEST_MALFORMED'],
  ['a target of another host', `POST http://a${PANEL} HTTP/1.1\r\nHost: evil.test\r\nOrigin: http://evil.test\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`, 400, 'REQUEST_MALFORMED'],
  ['a path out of the folder of the static files', 'GET /mailbox-password/assets/../../../package.json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 404, 'NOT_FOUND'],
])('bytes that no browser sends are refused with a code: %s', async (_name, bytes, status, code) => {
  const failed: string[] = [];
  const running = await serve(loadConfig({ overrides: { dataDir: tempFolder(), server: { port: 0, drainMs: 0 } } }), pino({ level: 'error' }, { write: (line: string) => { failed.push(line); } }));
  try {
    const answer = await sent(running.url, bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${String(status)} `));
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))).toMatchObject({ code, changed: 'no' });
    expect(failed).toEqual([]);
  } finally {
    await running.stop();
  }
});

test.each([
  ['a name and a port', 'GET /healthz HTTP/1.1\r\nHost: Mail.Example.test:8080'], ['an IPv6 address', 'GET /healthz HTTP/1.1\r\nHost: [::1]:8080'], ['an empty one', 'GET /healthz HTTP/1.1\r\nHost: '],
  ['a target with the same host', 'GET http://Mail.example.test/healthz HTTP/1.1\r\nHost: mail.example.test'], ['none, before HTTP/1.1', 'GET /healthz HTTP/1.0'],
])('one host is taken: %s', async (_name, head) => {
  const running = await serve(loadConfig({ overrides: { dataDir: tempFolder(), server: { port: 0, drainMs: 0 } } }), pino({ level: 'silent' }));
  try {
    expect(await sent(running.url, `${head}\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
  } finally {
    await running.stop();
  }
});

test('bytes that cannot be read, behind a request that is under way, are never taken for the answer to that one', async () => {
  const running = await serve(loadConfig({ overrides: { dataDir: tempFolder(), server: { port: 0, drainMs: 0 } } }), pino({ level: 'silent' }));
  try {
    const body = JSON.stringify({ address: ALICE.address, password: 'Wrong-guess-1' });
    expect(await sent(running.url, `POST ${PANEL} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}\x16\x03 hello\r\n\r\n`)).not.toMatch(/ 400 /);
  } finally {
    await running.stop();
  }
});
