import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { lookAtService } from '../../../server/cli/doctor/lookAtService.ts';
import { loadConfig } from '../../../server/config/loadConfig.ts';
import { openState } from '../../../server/state/stateDatabase.ts';
import { tempFolder } from '../../fixtures/service.ts';
import { type MariaDb, startMariaDb } from '../../services/mariadb.ts';

let database: MariaDb;
beforeAll(async () => { database = await startMariaDb(); }, 120_000);
afterAll(async () => { await database.stop(); });

const characters = async () => (await lookAtService(loadConfig({ overrides: { dataDir: tempFolder(), state: { url: database.url } } }), () => undefined))
  .flatMap(({ findings }) => findings).filter(({ check }) => check === 'characters');

it('doctor names the state database and its tables on MariaDB that cannot hold every letter, and how to mend it', async () => {
  await database.query('ALTER DATABASE mail CHARACTER SET latin1');
  await (await openState(tempFolder(), database.url)).database.destroy();
  const [found] = await characters();
  expect(found).toMatchObject({ level: 'warn', text: expect.stringMatching(/database is latin1_.*audit is latin1_/), todo: expect.stringContaining('CONVERT TO CHARACTER SET utf8mb4') });
  await database.query('ALTER DATABASE mail CHARACTER SET utf8mb4');
  for (const table of ['outbox', 'audit', 'notice', 'panel_session']) await database.query(`ALTER TABLE ${table} CONVERT TO CHARACTER SET utf8mb4`);
  expect(await characters()).toEqual([{ level: 'ok', check: 'characters', text: 'utf8mb4' }]);
}, 120_000);
