import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import driver from '../../../../server/drivers/sessions/webhook.ts';
import type { SessionStore } from '../../../../server/ports/sessionStore.ts';
import { freePort } from '../../../services/process.ts';
import { codeOf } from '../../../suites/accountApiSuite.ts';
import { describeSessionStore } from '../../../suites/sessionStoreSuite.ts';
import { testContext } from './driverContext.ts';

const within = (ms = 20_000) => ({ signal: AbortSignal.timeout(ms) });
const request = (address: string, over: object = {}) => ({ address, issuedBefore: 1_700_000_000_500, attempt: 1, actor: null, ...over });
const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

function create(options: object, context = testContext()): Promise<SessionStore> {
  return driver.create(driver.options.validateSync(options, { strict: true, abortEarly: false }) as Parameters<typeof driver.create>[0], context);
}

interface Call { readonly id: string; readonly timestamp: string; readonly signature: string; readonly body: string; readonly headers: IncomingMessage['headers'] }

/** As https://www.standardwebhooks.com has it for a receiver: one of the signatures fits, and the timestamp is of now. */
function verify(call: Call, secret: string, now = Date.now()): boolean {
  if (Math.abs(now / 1000 - Number(call.timestamp)) > 300) return false;
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const wanted = createHmac('sha256', key).update(`${call.id}.${call.timestamp}.${call.body}`).digest();
  return call.signature.split(' ').some((one) => {
    const [version, encoded = ''] = one.split(',');
    const given = Buffer.from(encoded, 'base64');
    return version === 'v1' && given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}

interface Receiver { readonly url: string; readonly calls: Call[]; answer: (call: Call, response: ServerResponse) => void; stop(): Promise<void> }

async function startReceiver(): Promise<Receiver> {
  const receiver: Receiver = {
    url: '', calls: [],
    answer: (_call, response) => { response.writeHead(204).end(); },
    stop: () => new Promise((resolve) => { server.closeAllConnections(); server.close(() => { resolve(); }); }),
  };
  const server: Server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('error', () => undefined);
    incoming.on('data', (chunk: Buffer) => { chunks.push(chunk); });
    incoming.on('end', () => {
      const header = (name: string) => String(incoming.headers[name]);
      const call = {
        id: header('webhook-id'), timestamp: header('webhook-timestamp'), signature: header('webhook-signature'),
        body: Buffer.concat(chunks).toString('utf8'), headers: incoming.headers,
      };
      receiver.calls.push(call);
      receiver.answer(call, response);
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return Object.assign(receiver, { url: `http://127.0.0.1:${String((server.address() as { port: number }).port)}/hook` });
}

describeSessionStore('webhook', async () => {
  const secret = newSecret();
  const receiver = await startReceiver();
  const sessions = new Map<string, { address: string; issuedAt: number }>();
  receiver.answer = (call, response) => {
    if (!verify(call, secret)) { response.writeHead(401).end(); return; }
    const message = JSON.parse(call.body) as { type: string; address: string; issuedBeforeMs: number };
    let web = 0;
    if (message.type === 'mailbox.sessions.revoke')
      for (const [id, session] of sessions)
        if (session.address === message.address && session.issuedAt < message.issuedBeforeMs) { sessions.delete(id); web += 1; }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ revoked: { web } }));
  };
  return {
    store: await create({ url: receiver.url, secret }),
    first: 'alice@example.test', second: 'bob@example.test', choosesIssuedAt: true, lists: false, revokesOne: false,
    async open(address, issuedAt = Date.now()) {
      const id = randomBytes(8).toString('hex');
      sessions.set(id, { address, issuedAt });
      return async () => sessions.has(id);
    },
    unreachable: async () => create({ url: `http://127.0.0.1:${String(await freePort())}/`, secret }),
    teardown: () => receiver.stop(),
  };
});

describe('webhook session store', () => {
  const secret = newSecret();
  let receiver: Receiver;
  beforeAll(async () => { receiver = await startReceiver(); });
  afterAll(() => receiver.stop());
  beforeEach(() => { receiver.calls.length = 0; receiver.answer = (_call, response) => { response.writeHead(204).end(); }; });
  const made = (over: object = {}) => create({ url: receiver.url, secret, ...over });
  const answering = (status: number, body = '', headers: Record<string, string> = {}) => {
    receiver.answer = (_call, response) => { response.writeHead(status, headers).end(body); };
  };

  it('signs what it sends; anything changed on the way, another secret or an old call is noticed', async () => {
    const store = await made();
    expect((await store.revokeAll(request('Älice@example.test'), within())).revoked).toEqual({});
    const [call] = receiver.calls as [Call];
    expect(JSON.parse(call.body)).toEqual({
      type: 'mailbox.sessions.revoke', address: 'Älice@example.test', issuedBefore: '2023-11-14T22:13:20.500Z', issuedBeforeMs: 1_700_000_000_500, changeAttempt: 1,
    });
    expect(call.headers['content-type']).toBe('application/json');
    expect(verify(call, secret)).toBe(true);
    expect(verify(call, newSecret())).toBe(false);
    expect(verify({ ...call, body: call.body.replace('lice', 'lise') }, secret)).toBe(false);
    expect(verify({ ...call, id: `${call.id}x` }, secret)).toBe(false);
    expect(verify({ ...call, timestamp: String(Number(call.timestamp) + 1) }, secret)).toBe(false);
    expect(verify(call, secret, Date.now() + 301_000)).toBe(false);
  });

  it('agrees with the example of the specification', async () => {
    // Standard Webhooks, the signature scheme's published test vector.
    const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
    const call = { id, timestamp: '1614265330', body: '{"test": 2432232314}', signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=', headers: {} };
    expect(verify(call, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 1_614_265_330_000)).toBe(true);
  });

  it('keeps one id for the retries of a log-out, which tells nothing', async () => {
    const store = await made();
    for (const over of [{}, { attempt: 2 }, { attempt: 3 }]) await store.revokeAll(request('a@example.test', over), within());
    await store.revokeAll(request('a@example.test', { issuedBefore: 1_700_000_000_501 }), within());
    await store.revokeAll(request('b@example.test'), within());
    await (await made({ secret: newSecret() })).revokeAll(request('a@example.test'), within());
    const ids = receiver.calls.map(({ id }) => id);
    expect(new Set(ids.slice(0, 3)).size).toBe(1);
    expect(new Set(ids).size).toBe(4);
    expect(ids[0]).toMatch(/^msg_[\w-]{32}$/);
  });

  it('signs with both secrets while they are exchanged', async () => {
    const previousSecret = newSecret();
    await (await made({ previousSecret })).revokeAll(request('a@example.test'), within());
    const [call] = receiver.calls as [Call];
    expect(call.signature.split(' ')).toHaveLength(2);
    expect([verify(call, secret), verify(call, previousSecret), verify(call, newSecret())]).toEqual([true, true, false]);
  });

  it.each([
    [301, 'SESSIONS_MISCONFIGURED'], [307, 'SESSIONS_MISCONFIGURED'], [400, 'SESSIONS_MISCONFIGURED'], [401, 'SESSIONS_MISCONFIGURED'],
    [403, 'SESSIONS_MISCONFIGURED'], [404, 'SESSIONS_MISCONFIGURED'], [410, 'SESSIONS_MISCONFIGURED'], [408, 'SESSIONS_UNAVAILABLE'],
    [429, 'SESSIONS_UNAVAILABLE'], [500, 'SESSIONS_UNAVAILABLE'], [503, 'SESSIONS_UNAVAILABLE'], [202, 'SESSIONS_UNAVAILABLE'],
  ])('answers %i with %s, and follows nowhere', async (status, code) => {
    answering(status, '', { location: `${receiver.url}/elsewhere` });
    const store = await made();
    expect(await codeOf(store.revokeAll(request('a@example.test'), within()))).toBe(code);
    expect(await codeOf(store.check(within()))).toBe(code);
    expect(receiver.calls).toHaveLength(2);
  });

  it('counts only what the answer may say', async () => {
    const store = await made({ channels: ['web', 'activesync'] });
    for (const [body, revoked] of [['', {}], [' \n', {}], ['{}', {}], ['{"revoked":{"web":2,"activesync":0},"note":1}', { web: 2, activesync: 0 }]] as const) {
      answering(200, body);
      expect((await store.revokeAll(request('a@example.test'), within())).revoked).toEqual(revoked);
    }
    for (const body of ['OK', '<html>log in</html>', 'null', '[]', '"x"', '{"revoked":[1]}', '{"revoked":{"imap":1}}', '{"revoked":{"web":-1}}',
      '{"revoked":{"web":1.5}}', '{"revoked":{"web":"2"}}', '{"revoked":{"toString":1}}', '{"revoked":{"__proto__":1}}', 'x'.repeat(70_000), ' '.repeat(70_000)]) {
      answering(200, body);
      expect(await codeOf(store.revokeAll(request('a@example.test'), within()))).toBe('SESSIONS_MISCONFIGURED');
    }
  });

  it('is unavailable where the receiver is slow, endless, cut off or torn away', async () => {
    const slow = await made({ timeoutMs: 200 });
    receiver.answer = () => undefined;
    expect(await codeOf(slow.revokeAll(request('a@example.test'), within()))).toBe('SESSIONS_UNAVAILABLE');
    const start = Date.now();
    expect(await codeOf((await made()).revokeAll(request('a@example.test'), within(200)))).toBe('SESSIONS_UNAVAILABLE');
    expect(Date.now() - start).toBeLessThan(1500);
    receiver.answer = (_call, response) => { response.writeHead(200).write('{"rev'); };
    expect(await codeOf(slow.revokeAll(request('a@example.test'), within()))).toBe('SESSIONS_UNAVAILABLE');
    receiver.answer = (_call, response) => { response.writeHead(200, { 'content-length': '100' }).write('{"rev'); setTimeout(() => { response.destroy(); }, 20); };
    expect(await codeOf((await made()).revokeAll(request('a@example.test'), within()))).toBe('SESSIONS_UNAVAILABLE');
    receiver.answer = (_call, response) => { response.socket?.resetAndDestroy(); };
    const error: unknown = await (await made()).revokeAll(request('a@example.test'), within()).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'SESSIONS_UNAVAILABLE' });
    expect(String(error)).not.toContain(secret);
  });

  it('asks only https, itself or what was allowed by name; keys of the right size', () => {
    const judge = (over: object) => () => driver.options.validateSync({ url: 'https://hooks.example.com/x', secret, ...over }, { strict: true });
    for (const url of ['https://hooks.example.com/x?a=b', 'http://127.0.0.1:1/x', 'http://localhost/x', 'http://[::1]:80/'])
      expect(judge({ url })).not.toThrow();
    expect(judge({ url: 'http://10.0.0.1/', insecure: true })).not.toThrow();
    for (const url of ['http://10.0.0.1/', 'http://localhost.example.com/', 'http://127.0.0.1.example.com/', 'ftp://127.0.0.1/', 'https://u:p@hooks.example.com/', 'https://h/#x', 'x'])
      expect(judge({ url })).toThrow('url');
    for (const wrong of ['', 'whsec_', 'secret', `whsec_${randomBytes(23).toString('base64')}`, `whsec_${randomBytes(65).toString('base64')}`, 'whsec_***']) {
      expect(judge({ secret: wrong })).toThrow('secret');
      expect(judge({ previousSecret: wrong })).toThrow('previousSecret');
    }
    for (const over of [{ channels: [] }, { channels: ['fax'] }, { extra: 1 }, { timeoutMs: 1 }]) expect(judge(over)).toThrow();
  });
});
