import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import driver from '../../../../server/drivers/policy/haveIBeenPwned.ts';
import { Secret } from '../../../../server/secret.ts';
import { optionsOf, policyContext } from './policyContext.ts';

const PASSWORD = 'Wonder-land-7';
const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex').toUpperCase();
const proposed = (password: string) => ({ address: 'alice@example.test', next: new Secret(password) });
const call = () => ({ signal: AbortSignal.timeout(10_000) });

interface Seen { readonly url: string; readonly headers: IncomingHttpHeaders; readonly body: string }

/** Answers like https://api.pwnedpasswords.com/range/: CRLF, about 800 suffixes, padding with the count 0 where it is asked for. */
async function rangeServer(pwned: Readonly<Record<string, number>>) {
  const seen: Seen[] = [];
  let broken = 0;
  let mode: 'ok' | 'silent' | 'error' | 'page' | 'empty' | 'endless' | 'elsewhere' | 'busy' = 'ok';
  let retryAfter = '2';
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => { body += chunk.toString(); });
    request.on('end', () => {
      seen.push({ url: request.url ?? '', headers: request.headers, body });
      if (mode === 'silent') return;
      if (mode === 'error') { response.writeHead(503).end('busy'); return; }
      if (mode === 'busy') { response.writeHead(429, { 'retry-after': retryAfter }).end('Rate limit is exceeded.'); return; }
      if (mode === 'page') { response.writeHead(200, { 'content-type': 'text/html' }).end('<html>\n<body>Log in to this network: here\n</body></html>'); return; }
      if (mode === 'elsewhere' && request.url?.startsWith('/range/') === true) { response.writeHead(302, { location: `/moved${request.url}` }).end(); return; }
      if (mode === 'endless') {
        const more = (): void => { while (response.write(`${'A'.repeat(35)}:1\r\n`.repeat(1000))) { /* until nobody takes it */ } };
        response.writeHead(200).on('drain', more).on('close', () => { broken += 1; });
        more();
        return;
      }
      if (mode === 'empty') { response.writeHead(200).end(''); return; }
      const prefix = /^(?:\/moved)?\/range\/([0-9A-F]{5})(\?mode=sha1)?$/.exec(request.url ?? '')?.[1];
      if (prefix === undefined) { response.writeHead(400).end('The hash prefix was not in a valid format'); return; }
      const real = Object.entries(pwned).map(([password, count]) => ({ hash: sha1(password), count })).filter(({ hash }) => hash.startsWith(prefix));
      const noise = Array.from({ length: 800 }, (_, at) => ({ hash: prefix + sha1(`noise ${String(at)}`).slice(5), count: at % 40 + 1 }));
      const padding = request.headers['add-padding'] === 'true' ? [{ hash: sha1('padded and not pwned'), count: 0 }, { hash: prefix + sha1('p').slice(5), count: 0 }] : [];
      const lines = [...real, ...noise, ...padding].filter(({ hash }) => hash.startsWith(prefix)).map(({ hash, count }) => `${hash.slice(5)}:${String(count)}`).sort();
      response.writeHead(200, { 'content-type': 'text/plain' }).end(lines.join('\r\n'));
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, seen,
    broken: () => broken,
    be(next: typeof mode, retry = '2') { mode = next; retryAfter = retry; },
    stop: () => new Promise<void>((resolve) => { server.closeAllConnections(); server.close(() => { resolve(); }); }),
  };
}

let range: Awaited<ReturnType<typeof rangeServer>>;
beforeEach(async () => { range = await rangeServer({ [PASSWORD]: 3, password: 10_434_004 }); });
afterEach(() => range.stop());

async function start(own: Record<string, unknown> = {}) {
  const context = policyContext('haveIBeenPwned');
  const rule = await driver.create(optionsOf(driver, { baseUrl: range.url, ...own }), context);
  return { rule, context };
}

test('five digits of the SHA-1 leave, padding is asked for, and nothing else of the password or the mailbox is sent', async () => {
  const { rule } = await start();
  expect(await rule.judge(proposed(PASSWORD), call())).toBe('violated');
  expect(await rule.judge(proposed('Fresh!Harvest42'), call())).toBe('met');
  expect(rule.rule).toEqual({ code: 'PASSWORD_BREACHED', params: {} });
  const hash = sha1(PASSWORD);
  expect(range.seen.map(({ url }) => url)).toEqual([`/range/${hash.slice(0, 5)}?mode=sha1`, `/range/${sha1('Fresh!Harvest42').slice(0, 5)}?mode=sha1`]);
  for (const { headers, body } of range.seen) {
    expect(headers['add-padding']).toBe('true');
    expect(body).toBe('');
    const everything = JSON.stringify(range.seen).toUpperCase();
    for (const secret of [hash.slice(0, 6), hash.slice(5), PASSWORD.toUpperCase(), 'ALICE', sha1('Fresh!Harvest42').slice(5)]) expect(everything).not.toContain(secret);
  }
  await rule.check(call());
});

test('an entry of padding, which has the count 0, is no leak; minCount lets rare ones pass', async () => {
  const { rule } = await start();
  expect(await rule.judge(proposed('padded and not pwned'), call())).toBe('met');
  const { rule: often } = await start({ minCount: 4 });
  expect(await often.judge(proposed(PASSWORD), call())).toBe('met');
  expect(await (await start({ minCount: 3 })).rule.judge(proposed(PASSWORD), call())).toBe('violated');
});

describe.each(['silent', 'error', 'busy', 'page', 'empty', 'endless', 'elsewhere'] as const)('an answer that is none (%s)', (mode) => {
  test('accepted with a log line by default, refused where so configured', async () => {
    range.be(mode);
    const open = await start({ timeoutMs: 300 });
    expect(await open.rule.judge(proposed(PASSWORD), call())).toBe('unknown');
    expect(open.context.lines.join('\n')).toContain('was accepted');
    const closed = await start({ timeoutMs: 300, onFailure: 'refuse' });
    await expect(closed.rule.judge(proposed(PASSWORD), call())).rejects.toMatchObject({ code: 'POLICY_UNAVAILABLE' });
    await expect(closed.rule.check(call())).rejects.toMatchObject({ code: 'POLICY_UNAVAILABLE' });
    for (const line of [...open.context.lines, ...closed.context.lines]) {
      expect(line).not.toContain(PASSWORD);
      expect(line.toUpperCase()).not.toContain(sha1(PASSWORD).slice(0, 5));
    }
  });
});

test('down: after three failures it is not asked for a while, then once, and it counts again', async () => {
  range.be('silent');
  let now = 1_000_000;
  const context = { ...policyContext('haveIBeenPwned'), clock: { now: () => now } };
  const rule = await driver.create(optionsOf(driver, { baseUrl: range.url, timeoutMs: 200, pauseMs: 30_000 }), context);
  for (let at = 0; at < 3; at += 1) await rule.judge(proposed(PASSWORD), call());
  expect(range.seen).toHaveLength(3);
  const since = performance.now();
  for (let at = 0; at < 200; at += 1) expect(await rule.judge(proposed(PASSWORD), call())).toBe('unknown');
  expect(performance.now() - since).toBeLessThan(1000);
  expect(range.seen).toHaveLength(3);
  now += 30_001;
  // Of many at once, one asks.
  await Promise.all(Array.from({ length: 10 }, () => rule.judge(proposed(PASSWORD), call())));
  expect(range.seen).toHaveLength(4);
  range.be('ok');
  now += 30_001;
  expect(await rule.judge(proposed(PASSWORD), call())).toBe('violated');
  expect(await rule.judge(proposed(PASSWORD), call())).toBe('violated');
  expect(context.lines.join('\n')).toContain('answers again');
});

test('an answer without an end is broken off, not collected', async () => {
  range.be('endless');
  const { rule } = await start({ timeoutMs: 30_000, onFailure: 'refuse' });
  await expect(rule.judge(proposed(PASSWORD), call())).rejects.toMatchObject({ code: 'POLICY_UNAVAILABLE', message: expect.stringContaining('more than 1048576 bytes') as string });
  for (const end = Date.now() + 10_000; range.broken() === 0;) {
    if (Date.now() > end) throw new Error('the connection lives on');
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
});

test.each([['seconds', (): string => '120'], ['a date', (now: number): string => new Date(now + 120_000).toUTCString()]])('it asks for a pause (Retry-After, %s): nothing is asked until then, by nobody', async (_name, retryAfter) => {
  let now = Date.UTC(2026, 10, 24, 20, 15, 30);
  const rule = await driver.create(optionsOf(driver, { baseUrl: range.url, pauseMs: 100, onFailure: 'refuse' }), { ...policyContext('haveIBeenPwned'), clock: { now: () => now } });
  range.be('busy', retryAfter(now));
  const refused = expect.objectContaining({ code: 'POLICY_UNAVAILABLE' }) as unknown;
  expect(await rule.judge(proposed(PASSWORD), call()).catch((error: unknown) => error)).toEqual(refused);
  range.be('ok');
  for (let at = 0; at < 11; at += 1) {
    now += 10_000;
    expect(await rule.judge(proposed(PASSWORD), call()).catch((error: unknown) => error)).toEqual(refused);
  }
  expect(await rule.check(call()).catch((error: unknown) => error)).toEqual(refused);
  expect(range.seen).toHaveLength(1);
  now += 10_001;
  expect(await rule.judge(proposed(PASSWORD), call())).toBe('violated');
  await rule.check(call());
});

test('one question for the form and the button: a range is kept for a minute, by its five digits, also while the list is away', async () => {
  let now = 1_000_000;
  const rule = await driver.create(optionsOf(driver, { baseUrl: range.url, timeoutMs: 300 }), { ...policyContext('haveIBeenPwned'), clock: { now: () => now } });
  expect(await rule.judge(proposed(PASSWORD), call())).toBe('violated');
  range.be('error');
  now += 59_000;
  expect(await rule.judge(proposed(PASSWORD), call())).toBe('violated');
  expect(range.seen).toHaveLength(1);
  now += 2000;
  expect(await rule.judge(proposed(PASSWORD), call())).toBe('unknown');
  expect(range.seen).toHaveLength(2);
  // Whether it is there is asked of it, not of what was kept.
  range.be('ok');
  await rule.check(call());
  await rule.check(call());
  expect(range.seen).toHaveLength(4);
});

test('nobody there at all', async () => {
  const { url } = range;
  await range.stop();
  const rule = await driver.create(optionsOf(driver, { baseUrl: url, onFailure: 'refuse' }), policyContext('haveIBeenPwned'));
  await expect(rule.judge(proposed(PASSWORD), call())).rejects.toMatchObject({ code: 'POLICY_UNAVAILABLE' });
  range = await rangeServer({});
});

test.each([
  [{ baseUrl: 'http://pwned.example.com' }], [{ baseUrl: 'https://user:secret@pwned.example.com' }], [{ timeoutMs: 10 }], [{ onFailure: 'ignore' }], [{ unknown: 1 }],
])('options %j do not start', (own) => {
  expect(() => driver.options.validateSync(own, { strict: true })).toThrow();
});
