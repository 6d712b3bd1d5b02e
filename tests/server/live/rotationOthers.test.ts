import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { changesUnderLoad } from '../../fixtures/changesUnderLoad.ts';
import { moduleUser } from '../../fixtures/moduleUser.ts';
import { startRotated, stopRotated } from '../../fixtures/rotatedService.ts';
import { MAILBOXES } from '../../services/mailBackends.ts';
import { startMariaDb } from '../../services/mariadb.ts';
import { startPostgres } from '../../services/postgres.ts';
import { startRedis } from '../../services/redis.ts';
import { startSmtpSink } from '../../services/smtpSink.ts';

jest.setTimeout(600_000);

afterEach(stopRotated);

it('Redis, for sessions and rate limits: an ACL user with two passwords while one is exchanged; not one change fails, every session ends', async () => {
  const redis = await startRedis();
  const application = new Redis(redis.url);
  try {
    const acl = (...rules: string[]) => application.call('ACL', 'SETUSER', 'module', ...rules);
    await acl('on', '>first', '~*', '+@all');
    const configuration = (password: string) => {
      const url = `redis://module:${password}@127.0.0.1:${String(redis.port)}`;
      return { sessions: [{ driver: 'redis', name: 'web', url, pattern: 'sess:*', address: '/user', secondPassMs: 20 }], rateLimit: { redis: { url } } };
    };
    const { url, put, down } = await startRotated(configuration('first'));
    const changing = changesUnderLoad({ url, mailboxes: MAILBOXES, async open({ address }) {
      const key = `sess:${randomUUID()}`;
      await application.set(key, JSON.stringify({ user: address }), 'EX', 86_400);
      return async () => (await application.exists(key)) === 1;
    } });
    await changing.more();
    await acl('>second');
    await changing.more();
    await put(configuration('second'));
    await changing.more();
    await acl('<first');
    await changing.more();
    const { failures, changes } = await changing.stop();
    expect(failures).toEqual([]);
    expect(changes).toBeGreaterThanOrEqual(8 * MAILBOXES.length);
    await put(configuration('first'));
    expect(await down()).toContain('sessions:web');
  } finally {
    await stopRotated();
    application.disconnect();
    await redis.stop();
  }
});

it('SMTP: changed at the relay first, notices wait and no change does; then every notice is sent, once', async () => {
  const auth = { user: 'no-reply@example.test', password: 'first' };
  const sink = await startSmtpSink({ auth });
  try {
    const configuration = (password: string) => ({
      notify: { driver: 'smtp', host: '127.0.0.1', port: sink.port, encryption: 'none', user: auth.user, password },
      notices: { from: { name: 'Example', address: 'no-reply@example.test' }, firstDelayMs: 200, maxDelayMs: 1000 },
      revocation: { firstDelayMs: 1000, maxDelayMs: 300_000, leaseMs: 30_000, pollMs: 100, alertAfterMs: 60_000 },
    });
    const { url, put } = await startRotated(configuration('first'));
    const changing = changesUnderLoad({ url, mailboxes: MAILBOXES });
    await changing.more();
    await sink.arrived(1);
    auth.password = 'second';
    const before = changing.total();
    await changing.more(3);
    expect(changing.total() - before).toBeGreaterThanOrEqual(3 * MAILBOXES.length);
    await put(configuration('second'));
    await changing.more();
    const { failures, changes } = await changing.stop();
    expect(failures).toEqual([]);
    await sink.arrived(changes, 60_000);
    const names = sink.mails.map(({ raw }) => /^Message-ID: (.*)\r$/im.exec(raw)?.[1]);
    expect([new Set(names).size, names.length]).toEqual([changes, changes]);
  } finally {
    await stopRotated();
    await sink.stop();
  }
});

it.each(['mariadb', 'postgres'] as const)('the state on %s, from `state.previousUrl` to `state.url`, its user\'s password changed in between; not one change fails and nothing is owed', async (engine) => {
  const database = engine === 'mariadb' ? await startMariaDb() : await startPostgres();
  try {
    const { urlWith, alter } = await moduleUser(engine, database, 'first');
    const { url, put } = await startRotated({ state: { url: urlWith('first') } });
    const changing = changesUnderLoad({ url, mailboxes: MAILBOXES });
    await changing.more();
    const both = { state: { url: urlWith('second'), previousUrl: urlWith('first') } };
    await put(both);
    await changing.more();
    await alter('second');
    await changing.more();
    // New connections, as after an idle minute.
    await put(both);
    await changing.more();
    await put({ state: { url: urlWith('second') } });
    await changing.more();
    const { failures, changes } = await changing.stop();
    expect(failures).toEqual([]);
    expect(changes).toBeGreaterThanOrEqual(10 * MAILBOXES.length);
    expect(await database.query('SELECT * FROM outbox')).toEqual([]);
    const [row] = await database.query("SELECT count(*) AS n FROM audit WHERE action = 'change' AND outcome = 'done'");
    expect(Number(row?.['n'])).toBe(changes);
    // The old one alone is refused, and a reload with it changes nothing.
    await expect(put({ state: { url: urlWith('first') } })).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  } finally {
    await stopRotated();
    await database.stop();
  }
});
