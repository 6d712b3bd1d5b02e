import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { loadConfig } from '../../../server/config/loadConfig.ts';
import { startService } from '../../../server/service/service.ts';
import { pruneAudit } from '../../../server/state/pruneAudit.ts';
import { openState, type StateDatabase } from '../../../server/state/stateDatabase.ts';
import { cli, configFile } from '../../fixtures/cli.ts';
import { tempFolder } from '../../fixtures/service.ts';
import { type MariaDb, startMariaDb } from '../../services/mariadb.ts';
import { type Postgres, startPostgres } from '../../services/postgres.ts';
import { until } from '../../services/process.ts';

let mariadb: MariaDb;
let postgres: Postgres;
beforeAll(async () => { [mariadb, postgres] = await Promise.all([startMariaDb(), startPostgres()]); }, 180_000);
afterAll(async () => { await Promise.all([mariadb.stop(), postgres.stop()]); });

const DAY_MS = 86_400_000;
const OLD = 2_345;
const YOUNG = 7;
const row = (at: number) => ({ at, request_id: randomUUID(), action: 'change', actor: 'a@example.test', actor_kind: 'owner', address: 'a@example.test', remote_address: '192.0.2.1', user_agent: 'x', outcome: 'done', ended: '{}' });

/** A history of which most is older than 30 days; many rows share a millisecond. */
async function filled(database: StateDatabase): Promise<void> {
  await database.deleteFrom('audit').execute();
  const border = Date.now() - 30 * DAY_MS;
  const rows = [...Array.from({ length: OLD }, (_, n) => row(border - 60_000 - Math.floor(n / 3))), ...Array.from({ length: YOUNG }, (_, n) => row(border + 3_600_000 + n))];
  for (let at = 0; at < rows.length; at += 500) await database.insertInto('audit').values(rows.slice(at, at + 500)).execute();
}
const left = async (database: StateDatabase): Promise<number> => Number((await database.selectFrom('audit').select(({ fn }) => fn.countAll().as('count')).executeTakeFirstOrThrow()).count);

describe.each(['sqlite', 'mariadb', 'postgres'] as const)('audit.keepDays on %s', (engine) => {
  const url = () => ({ sqlite: null, mariadb: mariadb.url, postgres: postgres.url })[engine];

  it('deletes in batches what is older and nothing else; two nodes at once delete each row once', async () => {
    const folder = tempFolder();
    const [one, two] = [await openState(folder, url()), await openState(folder, url())];
    await filled(one.database);
    const before = Date.now() - 30 * DAY_MS;
    const [first] = await Promise.all([pruneAudit(one.database, before)]);
    expect([first.more, first.deleted > 999, first.deleted < 1_100]).toEqual([true, true, true]);
    const rest = async (database: StateDatabase): Promise<number> => {
      const { deleted, more } = await pruneAudit(database, before);
      return deleted + (more ? await rest(database) : 0);
    };
    const counts = await Promise.all([rest(one.database), rest(two.database)]);
    expect(first.deleted + counts.reduce((sum, count) => sum + count)).toBe(OLD);
    expect(await left(one.database)).toBe(YOUNG);
    await Promise.all([one.database.destroy(), two.database.destroy()]);
  }, 60_000);

  it('the running service does it by itself and logs how many; without the key it keeps everything', async () => {
    const dataDir = tempFolder();
    const { database } = await openState(dataDir, url());
    await filled(database);
    const lines: string[] = [];
    const start = (audit: object) => startService(loadConfig({ overrides: { dataDir, state: { url: url() }, server: { port: 0 }, ...audit } }), pino({}, { write: (line: string) => { lines.push(line); } }));
    const keeps = await start({});
    await keeps.stop();
    expect(await left(database)).toBe(OLD + YOUNG);
    const deletes = await start({ audit: { keepDays: 30 } });
    await until('the log line', async () => lines.some((line) => line.includes('audit.keepDays')));
    await deletes.stop();
    expect(await left(database)).toBe(YOUNG);
    expect(lines.filter((line) => line.includes('audit.keepDays')).map((line) => JSON.parse(line) as object)).toEqual([expect.objectContaining({ deleted: OLD, keepDays: 30 })]);
    await database.destroy();
  }, 120_000);
});

it('audit prune on the command line: says how many first, then deletes them; config show names the key', async () => {
  const { file, dataDir } = configFile({ audit: { keepDays: 400 } });
  const { database } = await openState(dataDir, null);
  await filled(database);
  const [dry, noDate, shown] = await Promise.all([
    cli(['audit', 'prune', '--before', '30d', '--dry-run', '--json', '-c', file]), cli(['audit', 'prune', '-c', file]), cli(['config', 'show', '-c', file]),
  ]);
  expect([dry.status, JSON.parse(dry.stdout)]).toEqual([0, { before: expect.any(String), deleted: OLD, dryRun: true }]);
  expect(noDate).toMatchObject({ status: 2, stderr: expect.stringContaining('--before') });
  expect(shown.stdout).toMatch(/^audit\.keepDays +400 +\(file /m);
  expect(await left(database)).toBe(OLD + YOUNG);
  const done = await cli(['audit', 'prune', '--before', '30d', '-c', file]);
  expect([done.status, done.stdout]).toEqual([0, expect.stringMatching(new RegExp(`^${String(OLD)} rows of before .* were deleted\n$`))]);
  expect(await left(database)).toBe(YOUNG);
  await database.destroy();
}, 180_000);
