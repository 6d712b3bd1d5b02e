import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { RevokeAllRequest } from '../../../server/ports/sessionStore.ts';
import type { Wiring } from '../../../server/wiring.ts';
import { ModuleError } from '../../../module/errors.ts';
import { ALICE, alive, BOB, change, logIn, NEW, startService, tempFolder } from '../../fixtures/service.ts';
import { type MariaDb, startMariaDb } from '../../services/mariadb.ts';
import { type Postgres, startPostgres } from '../../services/postgres.ts';
import { sleep } from '../../services/process.ts';

describe.each(['mariadb', 'postgres'] as const)('two nodes share their state on %s', (engine) => {
  let database: MariaDb | Postgres;
  beforeAll(async () => { database = engine === 'mariadb' ? await startMariaDb() : await startPostgres(); }, 60_000);
  afterAll(async () => { await database.stop(); });
  const FAST = { firstDelayMs: 20, maxDelayMs: 50, leaseMs: 1000, pollMs: 20, alertAfterMs: 60_000 };
  const node = (more: Parameters<typeof startService>[0] = {}) => startService({ ...more, overrides: { state: { url: database.url }, revocation: FAST, ...more.overrides } });

  it('both start at once over an empty database, and each row is done by one of them', async () => {
    const asked: RevokeAllRequest[] = [];
    const decorate = (wiring: Wiring): Wiring => ({ ...wiring, stores: wiring.stores.map((store) => ({ ...store, revokeAll: async (request) => { asked.push(request); await sleep(5); return { revoked: {} }; } })) });
    const [one, two] = await Promise.all([node({ decorate }), node({ decorate })]);
    const ids = Array.from({ length: 60 }, () => randomUUID());
    for (const [at, id] of ids.entries()) {
      await one.wiring.outbox.record({ changeId: id, address: `user${String(at)}@example.test`, stores: ['web'], passwordVersion: null, settleAfter: 0 });
      await one.wiring.outbox.confirm(id, 1000);
    }
    await one.wiring.outbox.retryNow();
    while ((await one.wiring.outbox.list(1)).length > 0) await Promise.all([one.worker.runOnce(), two.worker.runOnce()]);
    expect(asked.map(({ address }) => address).sort()).toEqual(ids.map((_, at) => `user${String(at)}@example.test`).sort());
    await Promise.all([one.stop(), two.stop()]);
  }, 60_000);

  it('a node that dies leaves its rows to the other when the lease ends', async () => {
    const dead = await node();
    const id = randomUUID();
    await dead.wiring.outbox.record({ changeId: id, address: ALICE.address, stores: ['web'], passwordVersion: null, settleAfter: 0 });
    await dead.wiring.outbox.confirm(id, 1000);
    const other = await node();
    expect(await other.worker.runOnce()).toBe(0);
    await sleep(1100);
    expect(await other.worker.runOnce()).toBe(1);
    expect(await other.wiring.outbox.list(1)).toEqual([]);
    await Promise.all([dead.stop(), other.stop()]);
  }, 60_000);

  it('clocks five minutes apart: the old session ends, one of the new password lives, whichever node retries', async () => {
    for (const [changing, retrying] of [[5, 0], [0, 5], [-5, 0], [0, -5]] as const) {
      const dataDir = tempFolder();
      const clock = (minutes: number) => () => Date.now() + minutes * 60_000;
      const down = (wiring: Wiring): Wiring => ({ ...wiring, stores: wiring.stores.map((store) => ({ ...store, revokeAll: async () => { throw new ModuleError('SESSIONS_UNAVAILABLE'); } })) });
      const one = await node({ dataDir, system: clock(changing), decorate: down });
      const two = await node({ dataDir, system: clock(retrying) });
      const old = await logIn(two.app, ALICE);
      const bob = await logIn(two.app, BOB);
      await sleep(20);
      const answer = await change(one.app, await logIn(one.app, ALICE), { currentPassword: ALICE.password, newPassword: NEW });
      expect(answer.json()).toMatchObject({ revocation: 'pending' });
      await sleep(100);
      const fresh = await logIn(two.app, { address: ALICE.address, password: NEW });
      expect(await alive(two.app, old)).toBe(true);
      const end = Date.now() + 10_000;
      while ((await two.wiring.outbox.list(1)).length > 0 && Date.now() < end) await two.worker.runOnce();
      expect([await alive(two.app, old), await alive(two.app, fresh), await alive(two.app, bob)]).toEqual([false, true, true]);
      await Promise.all([one.stop(), two.stop()]);
    }
  }, 60_000);
});
