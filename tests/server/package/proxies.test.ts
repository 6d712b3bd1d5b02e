import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { DEFAULT_CONFIG } from '../../../module/config/configSchema.ts';
import { proxyLines } from '../../../server/groupOffice/proxyLines.ts';
import { ALICE, NEW, startService, tempFolder } from '../../fixtures/service.ts';
import { freePort } from '../../services/process.ts';
import { type Answer, ask, startWebServer, webServerPorts, type WebServer } from '../../services/webServer.ts';

const PANEL = '/mailbox-password/panel/api/v1';
const SPOOFED = { 'x-forwarded-for': '203.0.113.5', 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'http', 'x-request-id': 'made-up-by-a-client', forwarded: 'for=203.0.113.5' };

describe.each(['nginx', 'apache'] as const)('behind %s, as a path of the webmail\'s host', (kind) => {
  let service: Awaited<ReturnType<typeof startService>>;
  let web: WebServer;
  beforeAll(async () => {
    const ports = await webServerPorts();
    const port = await freePort();
    const overrides = { dataDir: tempFolder(), server: { port, publicUrl: `https://127.0.0.1:${String(ports.https)}`, trustProxy: ['127.0.0.1'] } };
    service = await startService({ overrides });
    await service.app.listen({ host: '127.0.0.1', port });
    web = await startWebServer(kind, port, ports);
  });
  afterAll(async () => {
    await web.stop();
    await service.stop();
  });

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    ask(`${web.https}${path}`, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', origin: web.https, ...headers } });
  const logIn = async (password: string, headers: Record<string, string> = {}) => {
    const answer = await post(`${PANEL}/login`, { address: ALICE.address, password }, headers);
    const [cookie = ''] = answer.header('set-cookie');
    return { status: answer.status, cookie: cookie.split(';')[0] ?? '', attributes: cookie, csrf: answer.status === 200 ? (JSON.parse(answer.text) as { csrfToken: string }).csrfToken : '' };
  };

  test('the webmail and the panel are one host; what only an operator needs is not reachable', async () => {
    expect((await ask(`${web.https}/`)).text).toBe('the webmail');
    const page = await ask(`${web.https}/mailbox-password/panel/`);
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('/mailbox-password/assets/')]);
    const script = /src="([^"]+)"/.exec(page.text)?.[1] ?? '';
    expect(script).toMatch(/^\/mailbox-password\/assets\/user-panel/);
    expect((await ask(`${web.https}/mailbox-password/locales/user-panel/en.json`)).status).toBe(200);
    expect((await ask(`${web.https}/mailbox-password`)).header('location').join()).toMatch(/\/mailbox-password\/panel\/$/);
    for (const path of ['/healthz', '/readyz', '/metrics', '/openapi.json', '/mailbox-password/../metrics', '/mailbox-password/%2e%2e/metrics']) expect([path, (await ask(web.https + path)).status]).not.toEqual([path, 200]);
  });

  test('a script comes as the service compressed it, once, though the web server compresses too; what it keeps for later it asks for by the same mark', async () => {
    const url = web.https + (/src="([^"]+)"/.exec((await ask(`${web.https}/mailbox-password/panel/`)).text)?.[1] ?? '');
    const [plain, zipped, smallest] = [await ask(url), await ask(url, { headers: { 'accept-encoding': 'gzip' } }), await ask(url, { headers: { 'accept-encoding': 'gzip, deflate, br, zstd' } })];
    expect([plain, zipped, smallest].map((one) => one.header('content-encoding'))).toEqual([[], ['gzip'], ['br']]);
    expect([gunzipSync(zipped.bytes).equals(plain.bytes), brotliDecompressSync(smallest.bytes).equals(plain.bytes)]).toEqual([true, true]);
    for (const one of [plain, zipped, smallest]) {
      expect([one.header('vary').join().toLowerCase(), one.header('content-type').join(), one.header('cache-control')]).toEqual([expect.stringContaining('accept-encoding'), expect.stringMatching(/javascript; charset=utf-8$/), ['public, max-age=31536000, immutable']]);
    }
    expect((await ask(url, { headers: { 'accept-encoding': 'br', 'if-none-match': smallest.header('etag').join() } })).status).toBe(304);
  });

  test('every security header is there once, and is the service\'s own', async () => {
    for (const path of ['/mailbox-password/panel/', `${PANEL}/session`]) {
      const answer = await ask(web.https + path);
      const direct = await service.app.inject({ url: path });
      for (const name of ['content-security-policy', 'x-frame-options', 'x-content-type-options', 'strict-transport-security', 'referrer-policy', 'cross-origin-opener-policy'])
        expect([path, name, answer.header(name)]).toEqual([path, name, [direct.headers[name]]]);
    }
  });

  test('http leads to https', async () => {
    const answer = await ask(`${web.http}/mailbox-password/panel/`);
    expect([answer.status, answer.header('location')]).toEqual([301, [`${web.https}/mailbox-password/panel/`]]);
  });

  test('what a client claims of its address, its host and its request\'s name is not believed', async () => {
    service.lines.length = 0;
    expect((await logIn('Wrong-guess-1', SPOOFED)).status).toBe(401);
    const line = service.lines.map((text) => JSON.parse(text) as Record<string, string>).find(({ code }) => code === 'CREDENTIALS_WRONG');
    expect(line).toMatchObject({ remoteAddress: '127.0.0.2' });
    expect(line?.['requestId']).not.toBe(SPOOFED['x-request-id']);
    expect(service.lines.join('')).not.toMatch(/203\.0\.113\.5|evil\.test/);
  });

  test('a whole change: log in, change, logged out everywhere, the new password works; its words are in no log of the web server', async () => {
    const { status, cookie, attributes, csrf } = await logIn(ALICE.password, SPOOFED);
    expect([status, attributes]).toEqual([200, expect.stringMatching(/^__Host-mailbox_user_panel=.*; Secure/)]);
    const change = () => post(`${PANEL}/password`, { currentPassword: ALICE.password, newPassword: NEW }, { cookie, 'x-csrf-token': csrf, ...SPOOFED });
    const foreign = await post(`${PANEL}/password`, { currentPassword: ALICE.password, newPassword: NEW }, { cookie, 'x-csrf-token': csrf, origin: 'https://evil.test' });
    expect([foreign.status, foreign.text]).toEqual([403, expect.stringContaining('ORIGIN_NOT_ALLOWED')]);
    const changed = await change();
    expect([changed.status, changed.text]).toEqual([200, expect.stringContaining('"revocation":"done"')]);
    expect((await change()).status).toBe(401);
    expect([(await logIn(ALICE.password)).status, (await logIn(NEW)).status]).toEqual([401, 200]);
    const [event] = (await service.wiring.audit.read({ domains: null, address: ALICE.address, limit: 1, cursor: null, actor: '', outcome: 'done', from: undefined, to: undefined } as never)).events;
    expect(event).toMatchObject({ remoteAddress: '127.0.0.2' });
    const logs = web.accessLog() + web.errorLog();
    expect(logs).toContain(`${PANEL}/password`);
    for (const secret of [ALICE.password, NEW, 'Wrong-guess-1', csrf, cookie]) expect(logs).not.toContain(secret);
  });

  test('too large is told by a code, always; nothing of it is kept in a file', async () => {
    const send = (bytes: number) => post(`${PANEL}/login`, { address: ALICE.address, password: 'x'.repeat(bytes) });
    const code = ({ status, text }: { status: number; text: string }): unknown => [status, text.startsWith('{') ? (JSON.parse(text) as { code: string }).code : text];
    // What the service itself takes gets to it.
    expect(code(await send(16_000))).toEqual([422, 'REQUEST_INVALID']);
    for (const bytes of [17_000, 40_000, 100_000, 1_048_576]) {
      const answer = await send(bytes);
      expect([bytes, code(answer)]).toEqual([bytes, [413, 'REQUEST_TOO_LARGE']]);
      if (kind === 'nginx') expect(answer.header('content-type')).toEqual(['application/problem+json']);
    }
    if (kind === 'nginx') expect(readdirSync(join(web.folder, 'body'))).toEqual([]);
    expect(web.errorLog()).not.toContain('buffered to a temporary file');
  });

  test('no connection is turned into another protocol', async () => {
    const answer = await ask(`${web.https}/mailbox-password/panel/`, { headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' } });
    expect(answer.status).toBe(200);
  });
});

test.each(['nginx', 'apache'] as const)('another path than ours behind %s: the printed lines lead there, page, assets, API and redirects', async (kind) => {
  const [ports, port, basePath] = [await webServerPorts(), await freePort(), '/secure/pw'];
  const service = await startService({ overrides: { dataDir: tempFolder(), server: { port, basePath, publicUrl: `https://127.0.0.1:${String(ports.https)}`, trustProxy: ['127.0.0.1'] } } });
  await service.app.listen({ host: '127.0.0.1', port });
  const web = await startWebServer(kind, port, ports, basePath);
  try {
    const page = await ask(`${web.https}${basePath}/panel/`);
    const script = /src="([^"]+)"/.exec(page.text)?.[1] ?? '';
    expect([page.status, script]).toEqual([200, expect.stringMatching(/^\/secure\/pw\/assets\/user-panel/)]);
    expect((await ask(web.https + script)).status).toBe(200);
    expect((await ask(web.https + basePath)).header('location').join()).toMatch(/\/secure\/pw\/panel\/$/);
    const large = await ask(`${web.https}${basePath}/panel/api/v1/login`, { method: 'POST', headers: { 'content-type': 'application/json', origin: web.https }, body: JSON.stringify({ address: ALICE.address, password: 'x'.repeat(40_000) }) });
    expect([large.status, large.text]).toEqual([413, expect.stringContaining('REQUEST_TOO_LARGE')]);
    const login = await ask(`${web.https}${basePath}/panel/api/v1/login`, { method: 'POST', headers: { 'content-type': 'application/json', origin: web.https }, body: JSON.stringify(ALICE) });
    expect(login.status).toBe(200);
    expect((await ask(`${web.https}/mailbox-password/panel/`)).status).toBe(404);
  } finally {
    await web.stop();
    await service.stop();
  }
}, 60_000);

test.each(['nginx', 'apache'] as const)('%s, while the service restarts: what did not reach it is SHUTTING_DOWN, which pages send again; what may have been done never is', async (kind) => {
  const [ports, port] = [await webServerPorts(), await freePort()];
  const web = await startWebServer(kind, port, ports);
  const post = () => ask(`${web.https}${PANEL}/password`, { method: 'POST', headers: { 'content-type': 'application/json', origin: web.https }, body: '{"newPassword":"x"}' });
  // As the service goes where it is killed in the middle of a change: it took the request, and the connection ends.
  const taken: string[] = [];
  const breaks = createServer((socket) => { socket.on('data', (chunk: Buffer) => { taken.push(chunk.toString()); socket.destroy(); }).on('error', () => undefined); });
  try {
    for (const answer of [await post(), await ask(`${web.https}${PANEL}/session`)]) {
      expect([answer.status, JSON.parse(answer.text)]).toMatchObject([503, { code: 'SHUTTING_DOWN', changed: 'no', retryable: true }]);
    }
    const page = (method = 'GET') => ask(`${web.https}/mailbox-password/panel/`, { method, headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
    const loadsItselfAgain = (answer: Answer) => [answer.header('content-type').join().toLowerCase().replace(/ /g, ''), answer.text];
    // Its text is plain ASCII: Apache's default charset says as much.
    const shown = [expect.stringMatching(/^text\/html;charset=/), expect.stringMatching(/^<!doctype html><html lang="en">.*http-equiv="refresh" content="5".*The service is restarting/)];
    const away = await page();
    expect([away.status, away.header('retry-after'), away.header('cache-control')]).toEqual([503, ['5'], ['no-store']]);
    expect(loadsItselfAgain(away)).toEqual(shown);
    expect([(await page('POST')).text, (await ask(`${web.https}/mailbox-password/restarting`)).text]).toEqual([expect.stringContaining('SHUTTING_DOWN'), expect.stringContaining(kind === 'nginx' ? '404 Not Found' : 'SHUTTING_DOWN')]);
    breaks.listen(port, '127.0.0.1');
    await once(breaks, 'listening');
    // A page does nothing: it may be asked for again though it may have been sent already.
    expect(loadsItselfAgain(await page())).toEqual(shown);
    taken.length = 0;
    const broken = await post();
    expect([taken.length, broken.status]).toEqual([1, 502]);
    expect(broken.text).not.toContain('SHUTTING_DOWN');
  } finally {
    breaks.close();
    await web.stop();
  }
}, 60_000);

test('the printed lines are the shipped files but for their head, and name nothing of ours where path and address are others', () => {
  for (const kind of ['nginx', 'apache'] as const) {
    const file = readFileSync(join(import.meta.dirname, `../../../server/package/deploy/${kind}.conf`), 'utf8');
    const printed = proxyLines('/mailbox-password', 'http://127.0.0.1:8080')[kind];
    expect(file.endsWith(printed.slice(printed.indexOf('\n') + 1))).toBe(true);
    expect(printed).toMatch(kind === 'nginx' ? /client_max_body_size 16k/ : /LimitRequestBody 16384/);
    expect(proxyLines('/pw', 'http://10.0.0.7:9000/')[kind]).not.toMatch(/mailbox-password|127\.0\.0\.1:8080/);
  }
});

test('the web servers wait longer than everything that the service waits for together', () => {
  const { hostMs, accountsMs, sessionsMs } = DEFAULT_CONFIG.timeouts;
  expect(hostMs + 4 * accountsMs + 2 * sessionsMs).toBeLessThan(90_000);
});
