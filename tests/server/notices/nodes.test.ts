import { randomUUID } from 'node:crypto';
import { Secret } from '../../../server/secret.ts';
import type { Wiring } from '../../../server/wiring.ts';
import { rememberPassword } from '../../fixtures/rememberPassword.ts';
import { startService } from '../../fixtures/service.ts';
import { type MariaDb, startMariaDb } from '../../services/mariadb.ts';
import { type Postgres, startPostgres } from '../../services/postgres.ts';
import { startSmtpSink } from '../../services/smtpSink.ts';

const occasion = (address: string) => ({ event: 'change', address, actor: address, actorKind: 'owner', remoteAddress: '192.0.2.1', userAgent: '', surface: 'user-panel', language: 'en' }) as const;

describe.each(['mariadb', 'postgres'] as const)('two nodes share notices and history on %s', (engine) => {
  let database: MariaDb | Postgres;
  beforeAll(async () => { database = engine === 'mariadb' ? await startMariaDb() : await startPostgres(); }, 90_000);
  afterAll(async () => { await database.stop(); });

  async function recordOne(wiring: Wiring, address: string): Promise<string> {
    const changeId = randomUUID();
    const notices = await wiring.notices.draft(occasion(address));
    await wiring.outbox.record({ changeId, address, stores: ['web'], passwordVersion: null, settleAfter: 0, notices });
    return changeId;
  }

  it('each notice is sent by one of them, what was cancelled by none; the history of one binds the other', async () => {
    const sink = await startSmtpSink();
    const node = () => startService({ overrides: {
      state: { url: database.url }, serverRules: [{ driver: 'history', count: 2 }],
      notify: { driver: 'smtp', host: '127.0.0.1', port: sink.port, encryption: 'none' }, notices: { from: { name: 'Example', address: 'no-reply@example.test' } },
    } });
    const [one, two] = [await node(), await node()];
    for (let at = 0; at < 30; at += 1) {
      const changeId = await recordOne(one.wiring, `user${String(at)}@example.test`);
      if (at % 10 === 9) { await one.wiring.outbox.cancel(changeId); continue; }
      await two.wiring.outbox.confirm(changeId, Date.now());
      await one.wiring.notices.release(changeId, { web: at }, []);
    }
    await recordOne(one.wiring, 'undecided@example.test');
    for (;;) {
      const tried = await Promise.all([one, two].map(async ({ wiring }) => (await wiring.noticeDelivery?.worker.runOnce()) ?? 0));
      if (tried.every((count) => count === 0)) break;
    }
    expect(sink.mails.map(({ to }) => to[0]).sort()).toEqual(Array.from({ length: 30 }, (_, at) => at).filter((at) => at % 10 !== 9).map((at) => `user${String(at)}@example.test`).sort());

    const rule = (wiring: Wiring) => wiring.rules[0] as Wiring['rules'][number];
    const call = { signal: AbortSignal.timeout(60_000) };
    const judged = async (wiring: Wiring, password: string) => (await rule(wiring).judge({ address: 'a@example.test', next: new Secret(password) }, call)) === 'violated';
    await rememberPassword(one.wiring, { address: 'A@example.test', next: new Secret('second'), current: new Secret('first') });
    expect([await judged(two.wiring, 'first'), await judged(two.wiring, 'second'), await judged(two.wiring, 'third')]).toEqual([true, true, false]);
    await rememberPassword(two.wiring, { address: 'a@example.test', next: new Secret('third'), current: new Secret('second') });
    expect([await judged(one.wiring, 'first'), await judged(one.wiring, 'second'), await judged(one.wiring, 'third')]).toEqual([false, true, true]);
    await Promise.all([one.stop(), two.stop(), sink.stop()]);
  }, 120_000);
});
