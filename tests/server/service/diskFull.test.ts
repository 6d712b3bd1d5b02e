import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSqlite } from '../../../server/state/sqlite.ts';
import { ALICE, BOB, NEW, tempFolder } from '../../fixtures/service.ts';
import { enter, startProcess } from '../../fixtures/serviceProcess.ts';
import { cli } from '../../fixtures/cli.ts';

jest.setTimeout(240_000);

const folder = join(tempFolder(), 'small');
beforeAll(() => {
  mkdirSync(folder);
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=0700', 'none', folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`a small file system could not be mounted: ${stderr}`);
});
afterAll(() => { spawnSync('umount', ['-l', folder]); });

/** To the last block. */
function fill(): void {
  const filler = join(folder, 'filler');
  let piece = 1024 * 1024;
  let size = 0;
  for (;;) {
    try {
      writeFileSync(filler, Buffer.alloc(piece), { flag: 'a' });
      size += piece;
    } catch {
      if (piece <= 1) break;
      piece = Math.floor(piece / 4);
    }
  }
  expect([size > 0, statfsSync(folder).bavail]).toEqual([true, 0]);
}

test('a full disk: a coded refusal that changed nothing, sessions live, the service stays up; with room again the next change is done', async () => {
  const service = await startProcess({ dataDir: join(folder, 'data') });
  const alice = await enter(service.url);
  const bob = await enter(service.url, BOB);
  expect((await bob.change(BOB.password, NEW)).status).toBe(200);
  fill();
  // SQLite may have some room left in its log of writes: until it is used up changes are rightly done.
  let [current, refused] = [ALICE.password, null as Response | null];
  let session = alice;
  for (let n = 0; n < 60 && refused === null; n += 1) {
    const next = `Harvest!Number${String(n)}x`;
    const answer = await session.change(current, next);
    if (answer.status !== 200) { refused = answer; break; }
    current = next;
    session = await enter(service.url, { address: ALICE.address, password: current });
    if (session.status !== 200) break;
  }
  const problem = (await refused?.json()) as { code: string; changed: string } | undefined;
  expect([refused?.status, problem?.code, problem?.changed]).toEqual([503, 'STATE_UNAVAILABLE', 'no']);
  expect((await fetch(`${service.url}/host/messages`, { headers: { cookie: session.cookie } })).status).toBe(200);
  // What has to write a session of its own.
  for (const path of ['/mailbox-password/panel/api/v1/login', '/host/login']) {
    const answer = await fetch(service.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ address: BOB.address, password: NEW }) });
    expect([path, answer.status, ((await answer.json()) as { code?: string }).code]).toEqual([path, 503, 'STATE_UNAVAILABLE']);
  }
  expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
  expect(service.child.exitCode).toBeNull();
  const doctor = await cli(['doctor', '--json', '-c', service.file]);
  expect(doctor.stdout).toMatch(/only \d+ MB are free/);

  rmSync(join(folder, 'filler'));
  expect((await session.change(current, 'Third!Harvest44')).status).toBe(200);
  expect((await fetch(`${service.url}/host/messages`, { headers: { cookie: session.cookie } })).status).toBe(401);
  expect((await enter(service.url, { address: ALICE.address, password: 'Third!Harvest44' })).status).toBe(200);
  expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
  service.signal('SIGTERM');
  expect(await service.exited).toBe(0);
});

test('what SQLite takes back for want of room is a coded error of the state, and is not there afterwards', async () => {
  const database = openSqlite<{ thing: { text: string } }>(join(folder, 'own.db'));
  await database.schema.createTable('thing').addColumn('text', 'text').execute();
  fill();
  const insert = () => database.insertInto('thing').values({ text: 'x'.repeat(1_000_000) }).execute();
  await expect(insert()).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE', detail: expect.stringContaining('SQLITE_FULL') as string });
  expect(await database.selectFrom('thing').selectAll().execute()).toEqual([]);
  rmSync(join(folder, 'filler'));
  await insert();
  expect(await database.selectFrom('thing').selectAll().execute()).toHaveLength(1);
  await database.destroy();
});
