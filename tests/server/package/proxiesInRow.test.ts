import { connect } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ALICE, NEW, startService, tempFolder } from '../../fixtures/service.ts';
import { freePort } from '../../services/process.ts';
import { ask, startWebServer, webServerPorts, type WebServer } from '../../services/webServer.ts';

jest.setTimeout(120_000);

const PANEL = '/mailbox-password/panel/api/v1';
const SPOOFED = { 'x-forwarded-for': '203.0.113.5', 'x-forwarded-host': 'evil.test', 'x-real-ip': '203.0.113.5', 'x-request-id': 'made-up-by-a-client', forwarded: 'for=203.0.113.5' };

type Running = Awaited<ReturnType<typeof startService>>;

async function service(https: number, port: number): Promise<Running> {
  const running = await startService({ overrides: { dataDir: tempFolder(), server: { port, publicUrl: `https://127.0.0.1:${String(https)}`, trustProxy: ['127.0.0.1'] } } });
  await running.app.listen({ host: '127.0.0.1', port });
  return running;
}

/** From where the service has seen what was refused, one entry a request. */
const seen = ({ lines }: Running): unknown[] => lines.map((text) => JSON.parse(text) as Record<string, string>).filter(({ code }) => code === 'CREDENTIALS_WRONG').map(({ remoteAddress }) => remoteAddress);

/** One request over HTTP/2 from 127.0.0.2, as browsers speak to both servers. */
function askOver2(https: string, path: string, headers: Record<string, string>, body: string): Promise<{ status: number; protocol: string; text: string; cookie: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(https);
    const socket = connectTls({ socket: connectTcp({ host: hostname, port: Number(port), localAddress: '127.0.0.2' }), rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    const session = connect(https, { createConnection: () => socket });
    session.on('error', reject);
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/json', origin: https, ...headers });
    let text = '';
    let answer = { status: 0, cookie: '' };
    stream.setEncoding('utf8').on('response', (given) => { answer = { status: Number(given[':status']), cookie: String(given['set-cookie']?.[0] ?? '').split(';')[0] ?? '' }; })
      .on('data', (chunk: string) => { text += chunk; }).on('error', reject)
      .on('end', () => { session.close(); resolve({ ...answer, protocol: String(socket.alpnProtocol), text }); });
    stream.end(body);
  });
}

test.each(['nginx', 'apache'] as const)('HTTP/2 at %s: a whole change, and what a client claims of its address is not believed', async (kind) => {
  const [ports, port] = [await webServerPorts(), await freePort()];
  const running = await service(ports.https, port);
  const web = await startWebServer(kind, port, ports);
  try {
    const wrong = await askOver2(web.https, `${PANEL}/login`, SPOOFED, JSON.stringify({ ...ALICE, password: 'Wrong-guess-1' }));
    expect([wrong.protocol, wrong.status, seen(running)]).toEqual(['h2', 401, ['127.0.0.2']]);
    const login = await askOver2(web.https, `${PANEL}/login`, {}, JSON.stringify(ALICE));
    const { csrfToken } = JSON.parse(login.text) as { csrfToken: string };
    const changed = await askOver2(web.https, `${PANEL}/password`, { cookie: login.cookie, 'x-csrf-token': csrfToken }, JSON.stringify({ currentPassword: ALICE.password, newPassword: NEW }));
    expect([changed.status, changed.text]).toEqual([200, expect.stringContaining('"revocation":"done"')]);
  } finally {
    await web.stop();
    await running.stop();
  }
});

test.each([['nginx', 'nginx'], ['nginx', 'apache'], ['apache', 'nginx'], ['apache', 'apache']] as const)('%s before %s: the service sees the client, not a proxy, and nothing that a client claims at either', async (outerKind, innerKind) => {
  const [outerPorts, innerPorts, port] = [await webServerPorts(), await webServerPorts(), await freePort()];
  const running = await service(outerPorts.https, port);
  const servers: WebServer[] = [];
  try {
    const inner = await startWebServer(innerKind, port, innerPorts, '/mailbox-password', { inner: true });
    servers.push(inner);
    const outer = await startWebServer(outerKind, innerPorts.http, outerPorts);
    servers.push(outer);
    const guess = (at: string, headers: Record<string, string>, from: string) =>
      ask(`${at}${PANEL}/login`, { method: 'POST', from, headers: { 'content-type': 'application/json', origin: outer.https, ...headers }, body: JSON.stringify({ ...ALICE, password: 'Wrong-guess-1' }) });
    expect((await guess(outer.https, {}, '127.0.0.2')).status).toBe(401);
    expect((await guess(outer.https, SPOOFED, '127.0.0.4')).status).toBe(401);
    // Past the outer one.
    expect((await guess(inner.http, SPOOFED, '127.0.0.3')).status).toBe(401);
    expect(seen(running)).toEqual(['127.0.0.2', '127.0.0.4', '127.0.0.3']);
    expect(running.lines.join('')).not.toMatch(/203\.0\.113\.5|evil\.test|made-up-by-a-client/);
    const page = await ask(`${outer.https}/mailbox-password/panel/`);
    expect([page.status, page.header('content-security-policy').length]).toEqual([200, 1]);
  } finally {
    for (const server of servers.reverse()) await server.stop();
    await running.stop();
  }
});
