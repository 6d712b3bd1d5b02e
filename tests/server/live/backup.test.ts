import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModuleError } from '../../../module/errors.ts';
import type { RevokeAllRequest } from '../../../server/ports/sessionStore.ts';
import type { Wiring } from '../../../server/wiring.ts';
import { ALICE, change, logIn, NEW, startService, tempFolder } from '../../fixtures/service.ts';
import { type MariaDb, startMariaDb } from '../../services/mariadb.ts';
import { type Postgres, startPostgres } from '../../services/postgres.ts';

const FAST = { firstDelayMs: 20, maxDelayMs: 50, leaseMs: 1000, pollMs: 20, alertAfterMs: 60_000 };
const PAGE = readFileSync(join(__dirname, '../../../docs/operations.md'), 'utf8');

/** The command of docs/operations.md with these words, on the servers of this test; root runs it. */
function asOnThePage(word: string, folder: string, env: Readonly<Record<string, string>>): void {
  const [line, ...others] = PAGE.split('\n').filter((text) => text.startsWith('sudo ') && text.includes(`${word} `) && text.includes('mailbox_password'));
  expect([typeof line, others]).toEqual(['string', []]);
  const { status, stderr } = spawnSync('sh', ['-c', (line ?? '').replace(/^sudo /, '').replaceAll('/root/', `${folder}/`)], { encoding: 'utf8', env: { ...process.env, ...env } });
  expect([status, stderr]).toEqual([0, '']);
}

describe.each(['mariadb', 'postgres'] as const)('the backup of docs/operations.md on %s', (engine) => {
  let database: MariaDb | Postgres;
  beforeAll(async () => {
    database = engine === 'mariadb' ? await startMariaDb() : await startPostgres();
    await database.query('CREATE DATABASE mailbox_password');
  }, 60_000);
  afterAll(async () => { await database.stop(); });

  it('brings back the history and a log-out that was owed, which is then delivered', async () => {
    const dataDir = tempFolder();
    // Where root's own clients look for the server.
    writeFileSync(join(dataDir, '.my.cnf'), `[client]\nsocket=${database.folder}/s.sock\n`);
    const env = engine === 'mariadb' ? { HOME: dataDir } : { PGHOST: '127.0.0.1', PGPORT: String(database.port), PGUSER: 'mail', PGPASSWORD: 'mail' };
    const url = database.url.replace(/\/mail$/, '/mailbox_password');
    const node = (revokeAll: (request: RevokeAllRequest) => Promise<{ revoked: Record<string, number> }>) => startService({
      dataDir, overrides: { state: { url }, revocation: FAST },
      decorate: (wiring: Wiring): Wiring => ({ ...wiring, stores: wiring.stores.map((store) => ({ ...store, revokeAll })) }),
    });
    const before = await node(async () => { throw new ModuleError('SESSIONS_UNAVAILABLE'); });
    const answer = await change(before.app, await logIn(before.app, ALICE), { currentPassword: ALICE.password, newPassword: NEW });
    expect(answer.json()).toMatchObject({ revocation: 'pending' });
    asOnThePage(engine === 'mariadb' ? 'mariadb-dump' : 'pg_dump', dataDir, env);
    // Afterwards it was delivered, and the database goes on: the copy comes into one that is not empty.
    const [owed] = await before.wiring.outbox.list(1);
    await before.wiring.outbox.complete(owed?.changeId ?? '', owed?.store ?? '');
    await before.stop();
    asOnThePage(engine === 'mariadb' ? 'mariadb' : 'psql', dataDir, env);

    const asked: RevokeAllRequest[] = [];
    const after = await node(async (request) => { asked.push(request); return { revoked: {} }; });
    expect((await after.wiring.outbox.list(9)).map(({ changeId, address }) => [changeId, address])).toEqual([[owed?.changeId, ALICE.address]]);
    await after.wiring.outbox.retryNow();
    await after.worker.runOnce();
    expect(asked).toEqual([expect.objectContaining({ address: ALICE.address, issuedBefore: owed?.changedAt })]);
    expect(await after.wiring.outbox.list(9)).toEqual([]);
    expect((await after.wiring.audit.read({ domains: null, address: ALICE.address, cursor: null, limit: 9 })).events).toMatchObject([{ action: 'change', outcome: 'pending' }]);
    await after.stop();
  }, 120_000);
});
