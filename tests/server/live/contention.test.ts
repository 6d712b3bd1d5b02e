import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { startService } from '../../fixtures/service.ts';
import { type MariaDb, startMariaDb } from '../../services/mariadb.ts';
import { type Postgres, startPostgres } from '../../services/postgres.ts';
import { sleep, until } from '../../services/process.ts';

const root = join(__dirname, '..', '..', '..');
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const ROWS = 120;

describe.each(['mariadb', 'postgres'] as const)('three processes, one of them killed, over state on %s', (engine) => {
  let database: MariaDb | Postgres;
  let server: Server;
  const children: ChildProcess[] = [];
  /** By address: how often asked, and how many requests at the moment. */
  const asked = new Map<string, number>();
  const active = new Map<string, number>();
  const overlapping: string[] = [];
  beforeAll(async () => {
    database = engine === 'mariadb' ? await startMariaDb() : await startPostgres();
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => { chunks.push(chunk); });
      request.on('end', () => {
        const [address = ''] = /user\d+@example\.test/.exec(Buffer.concat(chunks).toString()) ?? [];
        asked.set(address, (asked.get(address) ?? 0) + 1);
        active.set(address, (active.get(address) ?? 0) + 1);
        if ((active.get(address) ?? 0) > 1) overlapping.push(address);
        void sleep(20).then(() => {
          active.set(address, (active.get(address) ?? 1) - 1);
          response.writeHead(200, { 'Content-Type': 'application/json' });
          response.end('{"revoked":{"web":0}}');
        });
      });
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  }, 120_000);
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    server.closeAllConnections();
    server.close();
    await database.stop();
  }, 60_000);

  it('every row is done, none by two at once; only what the killed one had in hand is done again', async () => {
    const hook = `http://127.0.0.1:${String((server.address() as { port: number }).port)}/`;
    const one = await startService({ overrides: { state: { url: database.url }, revocation: { leaseMs: 600_000 }, sessions: [{ driver: 'webhook', name: 'hook', url: hook, secret: SECRET }] } });
    for (let at = 0; at < ROWS; at += 1) {
      const id = randomUUID();
      await one.wiring.outbox.record({ changeId: id, address: `user${String(at)}@example.test`, stores: ['hook'], passwordVersion: null, settleAfter: 0 });
      await one.wiring.outbox.confirm(id, 1000);
    }
    for (let node = 0; node < 3; node += 1) {
      const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'tests/fixtures/workerProcess.ts'), database.url, hook, SECRET], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
      children.push(child);
    }
    await Promise.all(children.map((child) => once(child.stdout as NodeJS.ReadableStream, 'data')));
    expect(asked.size).toBe(0);
    await one.wiring.outbox.retryNow();
    await until('a third of the rows', async () => asked.size > ROWS / 3, 60_000);
    children[0]?.kill('SIGKILL');
    await until('an empty outbox', async () => (await one.wiring.outbox.list(1)).length === 0, 60_000);
    expect(asked.size).toBe(ROWS);
    expect(overlapping).toEqual([]);
    const again = [...asked.values()].reduce((sum, times) => sum + times - 1, 0);
    expect(again).toBeLessThanOrEqual(1);
    await one.stop();
  }, 180_000);
});
