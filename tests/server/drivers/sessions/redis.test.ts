import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { Redis } from 'ioredis';
import driver from '../../../../server/drivers/sessions/redis.ts';
import type { SessionStore } from '../../../../server/ports/sessionStore.ts';
import { type RedisService, startRedis } from '../../../services/redis.ts';
import { freePort, run, sleep } from '../../../services/process.ts';
import { codeOf } from '../../../suites/accountApiSuite.ts';
import { describeSessionStore } from '../../../suites/sessionStoreSuite.ts';
import { testContext } from './driverContext.ts';

const within = (ms = 20_000) => ({ signal: AbortSignal.timeout(ms) });
const all = (address: string, issuedBefore = Date.now() + 1000) => ({ address, issuedBefore, attempt: 1, actor: null });

function create(options: object, context = testContext()): Promise<SessionStore> {
  return driver.create(driver.options.validateSync(options, { strict: true, abortEarly: false }) as Parameters<typeof driver.create>[0], context);
}

/** What express-session 1.18 hands to its store, and how connect-redis 8 keeps it: `SET sess:<id> <JSON> EX <seconds>`. */
const express = (user: unknown, extra: object = {}) => JSON.stringify({
  cookie: { originalMaxAge: 86_400_000, expires: new Date(Date.now() + 86_400_000).toISOString(), httpOnly: true, path: '/' }, passport: { user }, ...extra,
});
const connectRedis = async (redis: Redis, id: string, value: string) => { await redis.set(`sess:${id}`, value, 'EX', 86_400); };

/** PHP's own session code, in the handler's words. */
const phpSession = (handler: 'php' | 'php_serialize', body: string) => execFileSync('php', [
  '-d', `session.serialize_handler=${handler}`, '-d', 'session.use_cookies=0', '-d', 'session.save_path=/tmp', '-d', 'session.cache_limiter=',
  '-r', `class Who { public $mail; private $secret = 'p|;"'; protected $n = 1.5; function __construct($m) { $this->mail = $m; } } session_start(); ${body}; echo session_encode(); session_destroy();`,
]);

const JSON_OPTIONS = { pattern: 'sess:*', address: '/passport/user', issuedAt: '/signedInAt', secondPassMs: 20 };

/** Stands between the driver and Redis, and does something just before a session is to be ended. */
async function startBetween(port: number, before: () => Promise<unknown>, times = 1) {
  let calls = 0;
  const server = createServer((client) => {
    const upstream = createConnection(port, '127.0.0.1');
    client.on('error', () => undefined);
    upstream.on('error', () => undefined);
    let turn = Promise.resolve();
    client.on('data', (chunk) => {
      turn = turn.then(async () => {
        if (/\r\neval\r\n/i.test(chunk.toString('latin1')) && calls < times) { calls += 1; await before(); }
        upstream.write(chunk);
      });
    });
    upstream.pipe(client);
    client.on('close', () => { upstream.destroy(); });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return { port: (server.address() as AddressInfo).port, calls: () => calls, stop: async () => { server.close(); } };
}

const randomId = () => randomBytes(12).toString('hex');

describeSessionStore('redis by pattern', async () => {
  const service = await startRedis();
  const application = new Redis(service.url);
  return {
    store: await create({ url: service.url, ...JSON_OPTIONS }),
    first: 'alice@example.test', second: 'bob@example.test', choosesIssuedAt: true,
    async open(address, issuedAt = Date.now()) {
      const id = randomId();
      await connectRedis(application, id, express(address, { signedInAt: new Date(issuedAt).toISOString() }));
      return async () => (await application.get(`sess:${id}`)) !== null;
    },
    unreachable: async () => create({ url: `redis://:x@127.0.0.1:${String(await freePort())}`, ...JSON_OPTIONS }),
    async teardown() { application.disconnect(); await service.stop(); },
  };
});

describeSessionStore('redis by index set', async () => {
  const service = await startRedis();
  const application = new Redis(service.url);
  return {
    store: await create({ url: service.url, index: 'user-sessions:{address}', prefix: 'sess:', issuedAt: '/signedInAt', secondPassMs: 0 }),
    first: 'alice@example.test', second: 'bob@example.test', choosesIssuedAt: true,
    async open(address, issuedAt = Date.now()) {
      const id = randomId();
      await connectRedis(application, id, JSON.stringify({ signedInAt: issuedAt }));
      await application.sadd(`user-sessions:${address}`, id);
      return async () => {
        const [value, member] = [await application.get(`sess:${id}`), await application.sismember(`user-sessions:${address}`, id)];
        // The set and the session go in one step.
        if ((value !== null) !== (member === 1)) throw new Error('the set and the session differ');
        return value !== null;
      };
    },
    async teardown() { application.disconnect(); await service.stop(); },
  };
});

describe('redis session store', () => {
  let service: RedisService;
  let redis: Redis;
  let stores: SessionStore[] = [];

  beforeAll(async () => {
    service = await startRedis();
    redis = new Redis(service.url);
  }, 30_000);
  afterAll(async () => {
    redis.disconnect();
    await service.stop();
  });
  beforeEach(() => redis.flushall());
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
    stores = [];
  });

  const made = async (own: object = JSON_OPTIONS, context = testContext()) => {
    const store = await create({ url: service.url, ...own }, context);
    stores.push(store);
    return store;
  };
  const web = async (store: SessionStore, address = 'alice@example.test', issuedBefore?: number) =>
    (await store.revokeAll(all(address, issuedBefore), within())).revoked.web;
  const keys = async () => (await redis.keys('*')).sort();

  it('refuses options that do not fit together', () => {
    const judge = (own: object) => () => driver.options.validateSync({ url: 'redis://:hidden@h', ...own }, { strict: true, abortEarly: false });
    expect(judge(JSON_OPTIONS)).not.toThrow();
    for (const wrong of [{}, { pattern: 'a*' }, { pattern: 'a*', index: '{address}', address: '/a' }, { index: 'sessions' }, { index: '{address}', address: 'a.b' },
      { ...JSON_OPTIONS, prefix: 'x' }, { ...JSON_OPTIONS, url: 'http://hidden' }, { ...JSON_OPTIONS, more: 1 }, { ...JSON_OPTIONS, format: 'pickle' }]) {
      expect(judge(wrong)).toThrow(/^(?!.*hidden)/);
    }
  });

  it.each([
    ['ISO 8601', (at: number) => new Date(at).toISOString()], ['milliseconds', (at: number) => at], ['seconds', (at: number) => at / 1000],
    ['seconds as text', (at: number) => String(at / 1000)], ['milliseconds as text', (at: number) => String(at)],
  ])('reads the time of a log-in in %s', async (_label, write) => {
    const at = 1_700_000_000_000;
    await connectRedis(redis, 'old', express('Alice@Example.test', { signedInAt: write(at - 1000) }));
    await connectRedis(redis, 'new', express('alice@example.test', { signedInAt: write(at) }));
    const store = await made();
    expect((await store.list('alice@example.test', within())).map(({ issuedAt }) => issuedAt).sort()).toEqual([at - 1000, at]);
    expect(await web(store, 'ALICE@example.test', at)).toBe(1);
    expect(await keys()).toEqual(['sess:new']);
  });

  it('ends what has no readable time, and leaves what is nobody\'s or not a session', async () => {
    for (const [id, time] of [['none', {}], ['text', { signedInAt: 'yesterday' }], ['list', { signedInAt: [1] }], ['null', { signedInAt: null }], ['negative', { signedInAt: -5 }]] as const)
      await connectRedis(redis, id, express('alice@example.test', time));
    const others = { nobody: express(undefined), number: express(7), list: express(['alice@example.test']), broken: '{', text: '"alice@example.test"', proto: '{"__proto__":{"passport":{"user":"alice@example.test"}}}' };
    for (const [id, value] of Object.entries(others)) await connectRedis(redis, `other-${id}`, value);
    await redis.sadd('sess:set', 'x');
    const context = testContext();
    expect(await web(await made(JSON_OPTIONS, context))).toBe(5);
    expect(await keys()).toEqual([...Object.keys(others).map((id) => `sess:other-${id}`), 'sess:set'].sort());
    expect(context.lines.join('')).toContain('left alone');
    expect(context.lines.join('')).not.toContain('alice');
  });

  it.each([['php', 'php'], ['phpSerialize', 'php_serialize']] as const)('reads what PHP writes with %s', async (format, handler) => {
    const at = 1_700_000_000;
    const bodies = {
      'alice-old': `$_SESSION = ['a' => "x|y;\\0\\"é", 'on' => true, 'n' => null, 'f' => 0.5, 'u' => ['mail' => 'alice@example.test', 'at' => ${String(at - 1)}], 'late' => [1, [2]]]`,
      'alice-new': `$_SESSION = ['o' => new Who('x'), 'u' => ['at' => ${String(at)}, 'mail' => 'alice@example.test']]`,
      'alice-ref': `$x = [1]; $_SESSION = ['r' => &$x, 's' => &$x, 'u' => ['mail' => 'alice@example.test', 'at' => '${String(at - 5)}']]`,
      'bob': `$_SESSION = ['note' => 's:18:"alice@example.test";', 'u' => ['mail' => 'bob@example.test', 'at' => ${String(at - 1)}]]`,
      'nobody': '$_SESSION = []',
    };
    for (const [id, body] of Object.entries(bodies)) await redis.set(`PHPREDIS_SESSION:${id}`, phpSession(handler, body));
    // Cut short, a length that lies, a depth that would exhaust a stack, a class that would run something.
    const hostile = ['u|a:1:{', 'u|s:999999999:"alice@example.test";', `u|${'a:1:{i:0;'.repeat(5000)}`, 'u|O:8:"Evil\\Run":0:{}', 'u', 'u|a:999999999:{}', 'u|C:1:"X":5:{ab}'];
    for (const [index, value] of hostile.entries()) await redis.set(`PHPREDIS_SESSION:hostile${String(index)}`, value);
    const store = await made({ pattern: 'PHPREDIS_SESSION:*', format, address: '/u/mail', issuedAt: '/u/at', secondPassMs: 0 });
    await store.check(within());
    expect(await web(store, 'alice@example.test', at * 1000)).toBe(2);
    expect((await keys()).filter((key) => !key.includes('hostile'))).toEqual(['PHPREDIS_SESSION:alice-new', 'PHPREDIS_SESSION:bob', 'PHPREDIS_SESSION:nobody']);
  });

  it("reads an object's private and protected members", async () => {
    await redis.set('s:1', phpSession('php_serialize', "$_SESSION = ['who' => new Who('alice@example.test')]"));
    expect(await web(await made({ pattern: 's:*', format: 'phpSerialize', address: '/who/mail', secondPassMs: 0 }))).toBe(1);
  });

  it('judges a session again that was rewritten in between, and ends only what is still old', async () => {
    const at = 1_700_000_000_000;
    const old = express('alice@example.test', { signedInAt: at - 1 });
    for (const [next, survives] of [
      [express('alice@example.test', { signedInAt: at - 1, cart: 1 }), false],
      [express('alice@example.test', { signedInAt: at + 1 }), true],
      [express('bob@example.test', { signedInAt: at - 1 }), true],
      ['{', true],
      [null, false],
    ] as const) {
      // A request that rewrites the session after it was read and before it is ended.
      const between = await startBetween(service.port, () => (next === null ? redis.del('sess:x') : redis.set('sess:x', next)));
      try {
        const store = await made({ ...JSON_OPTIONS, secondPassMs: 0, url: `redis://:x@127.0.0.1:${String(between.port)}` });
        await connectRedis(redis, 'x', old);
        const revoked = await web(store, 'alice@example.test', at);
        expect([revoked, await redis.get('sess:x')]).toEqual(survives ? [0, next] : [next === null ? 0 : 1, null]);
        expect(between.calls()).toBeGreaterThan(0);
      } finally {
        await between.stop();
      }
    }
  });

  it('gives up for now on a session that is rewritten at every try', async () => {
    let serial = 0;
    const write = () => redis.set('sess:x', express('alice@example.test', { signedInAt: 1, serial: (serial += 1) }));
    const between = await startBetween(service.port, write, Infinity);
    try {
      await write();
      const store = await made({ ...JSON_OPTIONS, url: `redis://:x@127.0.0.1:${String(between.port)}` });
      expect(await codeOf(store.revokeAll(all('alice@example.test'), within()))).toBe('SESSIONS_UNAVAILABLE');
    } finally {
      await between.stop();
    }
  });

  it.each([
    ['pattern', JSON_OPTIONS],
    ['index', { index: 'user-sessions:{address}', prefix: 'sess:', issuedAt: '/signedInAt' }],
  ])('ends a session that a running request writes back after it was ended, and counts it once: by %s', async (_label, own) => {
    const value = express('alice@example.test', { signedInAt: Date.now() - 1000 });
    await connectRedis(redis, 'back', value);
    await redis.sadd('user-sessions:alice@example.test', 'back');
    // The set is filled at log-in only: the session that comes back is not in it.
    const store = await made({ ...own, secondPassMs: 300 });
    const revoking = web(store);
    while ((await redis.exists('sess:back')) === 1) await sleep(5);
    await connectRedis(redis, 'back', value);
    expect(await revoking).toBe(1);
    expect(await redis.exists('sess:back')).toBe(0);
  });

  it('takes {address} in a pattern or an index for itself, never for a pattern', async () => {
    const put = async (name: string) => { await redis.set(`u:${name}:1`, JSON.stringify({ mail: name })); };
    for (const name of ['alice@example.test', 'a*@example.test', 'a[l]ice@example.test']) await put(name);
    const store = await made({ pattern: 'u:{address}:*', address: '/mail', secondPassMs: 0 });
    for (const name of ['*', '?lice@example.test', 'a[l]ice@example.test.', 'alice@example.test:1\\', '$&', '{address}']) expect(await web(store, name)).toBe(0);
    expect(await web(store, 'a*@example.test')).toBe(1);
    expect(await web(store, 'a[l]ice@example.test')).toBe(1);
    expect(await keys()).toEqual(['u:alice@example.test:1']);
    expect(await web(store, 'Alice@example.test')).toBe(1);
  });

  it('believes the set, but not against the session itself; ends what it cannot read there', async () => {
    const set = 'user-sessions:alice@example.test';
    await redis.sadd(set, 'hers', 'his', 'unreadable', 'gone');
    await redis.set('hers', JSON.stringify({ mail: 'alice@example.test' }));
    await redis.set('his', JSON.stringify({ mail: 'bob@example.test' }));
    await redis.set('unreadable', 'x');
    const own = { index: 'user-sessions:{address}', address: '/mail', secondPassMs: 0 };
    expect(await web(await made(own))).toBe(2);
    expect(await keys()).toEqual(['his', set]);
    expect((await redis.smembers(set)).sort()).toEqual(['gone', 'his']);
    await redis.hset('gone', 'mail', 'alice@example.test');
    const error: unknown = await (await made(own)).revokeAll(all('alice@example.test'), within()).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'SESSIONS_MISCONFIGURED', detail: expect.stringContaining('hash') as unknown });
  });

  it('finds one mailbox among thousands of sessions without KEYS, and shows no key', async () => {
    const pipeline = redis.pipeline();
    for (let id = 0; id < 5000; id += 1) pipeline.set(`sess:${String(id)}`, express(id % 10 === 0 ? 'alice@example.test' : `u${String(id)}@example.test`, { signedInAt: 1, userAgent: 'Firefox', ip: '192.0.2.1' }));
    await pipeline.exec();
    await redis.config('RESETSTAT');
    const store = await made({ ...JSON_OPTIONS, client: '/userAgent', remoteAddress: '/ip' });
    const listed = await store.list('alice@example.test', within());
    expect(listed).toHaveLength(500);
    expect(listed[0]).toMatchObject({ client: 'Firefox', remoteAddress: '192.0.2.1' });
    expect(listed.every(({ id }) => /^[0-9a-f]{64}$/.test(id))).toBe(true);
    expect(await web(store)).toBe(500);
    const commands = await redis.info('commandstats');
    expect(commands).toContain('cmdstat_scan');
    expect(commands).not.toContain('cmdstat_keys');
    expect(await redis.dbsize()).toBe(4500);
  });

  it('is misconfigured with a wrong password, a right that is missing, or values of another format', async () => {
    const wrong = await made({ ...JSON_OPTIONS, url: service.url.replace(':x@', ':hidden@') });
    for (const work of [wrong.check(within()), wrong.revokeAll(all('alice@example.test'), within())]) {
      const error: unknown = await work.catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'SESSIONS_MISCONFIGURED' });
      expect(`${String(error)} ${JSON.stringify(error)} ${String((error as Error).cause)}`).not.toContain('hidden');
    }
    const withRights = async (name: string, ...rights: string[]) => {
      await redis.call('ACL', 'SETUSER', name, 'on', '>r', 'resetkeys', '~sess:*', '~user-sessions:*', '+@connection', '+info', ...rights);
      return service.url.replace(':x@', `${name}:r@`);
    };
    const needed = ['+scan', '+sscan', '+mget', '+get', '+type', '+eval', '+unlink', '+srem'];
    const set = { index: 'user-sessions:{address}', prefix: 'sess:' };
    for (const own of [JSON_OPTIONS, set]) {
      await (await made({ ...own, url: await withRights('enough', ...needed) })).check(within());
      for (const missing of own === set ? ['sscan', 'eval', 'unlink', 'srem', 'get'] : ['scan', 'eval', 'unlink', 'get']) {
        const rights = needed.filter((right) => right !== `+${missing}`);
        expect([missing, await codeOf((await made({ ...own, url: await withRights(`no-${missing}`, ...rights) })).check(within()))]).toEqual([missing, 'SESSIONS_MISCONFIGURED']);
      }
    }
    await redis.set('sess:1', 'a|i:1;');
    expect(await codeOf((await made()).check(within()))).toBe('SESSIONS_MISCONFIGURED');
  });

  it('rejects at the deadline, also in the pause before the second look', async () => {
    const store = await made({ ...JSON_OPTIONS, secondPassMs: 5000 });
    const start = Date.now();
    expect(await codeOf(store.revokeAll(all('alice@example.test'), within(200)))).toBe('SESSIONS_UNAVAILABLE');
    await redis.call('CLIENT', 'PAUSE', '1500', 'ALL');
    expect(await codeOf(store.list('alice@example.test', within(200)))).toBe('SESSIONS_UNAVAILABLE');
    expect(Date.now() - start).toBeLessThan(1400);
  });
});

describe('redis session store, Redis away for a while', () => {
  it('works again when it is back', async () => {
    const first = await startRedis();
    const store = await create({ url: first.url, ...JSON_OPTIONS });
    try {
      await store.check(within());
      await first.stop();
      expect(await codeOf(store.revokeAll(all('alice@example.test'), within(5000)))).toBe('SESSIONS_UNAVAILABLE');
      expect(await codeOf(store.check(within(5000)))).toBe('SESSIONS_UNAVAILABLE');
      const second = run('redis-server', ['--bind', '127.0.0.1', '--port', String(first.port), '--save', '', '--requirepass', 'x', '--dir', '/tmp']);
      try {
        let back = false;
        for (const end = Date.now() + 10_000; !back && Date.now() < end; await sleep(50))
          back = await store.check(within(2000)).then(() => true, () => false);
        expect(back).toBe(true);
      } finally {
        await second.kill();
      }
    } finally {
      await store.close();
    }
  }, 30_000);
});
