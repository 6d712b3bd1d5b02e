import { rmSync } from 'node:fs';
import Database from 'libsql';
import { pino } from 'pino';
import driver from '../../../../server/drivers/accounts/embedded.ts';
import { embeddedDatabase } from '../../../../server/drivers/embeddedDatabase.ts';
import { ALICE, BOB, tempFolder } from '../../../fixtures/service.ts';
import { describeAccountApi } from '../../../suites/accountApiSuite.ts';

const contextOf = (dataDir: string) => ({ name: 'embedded', dataDir, clock: { now: () => Date.now() }, log: pino({ level: 'silent' }) });

describeAccountApi('embedded', async () => {
  const dataDir = tempFolder();
  const api = await driver.create({}, contextOf(dataDir));
  const database = await embeddedDatabase(dataDir);
  await database.insertInto('mailbox').values({ address: 'locked@example.test', display_name: 'Locked', hash: 'none', enabled: 0, password_changed_at: 0, sessions_valid_from: 0, change_required: 0 }).execute();
  return { api, first: ALICE, second: BOB, comparesVersion: true, teardown: async () => { rmSync(dataDir, { recursive: true, force: true }); } };
});

test('a file of 0.1, which could not ask for a new password, gets the column', async () => {
  const dataDir = tempFolder();
  const old = new Database(`${dataDir}/host.db`);
  old.exec("CREATE TABLE mailbox (address varchar(320) PRIMARY KEY, display_name varchar(200) NOT NULL, hash varchar(255) NOT NULL, enabled integer NOT NULL, password_changed_at bigint NOT NULL, sessions_valid_from bigint NOT NULL)");
  old.exec("INSERT INTO mailbox VALUES ('old@example.test', 'Old', 'x', 1, 0, 0)");
  old.close();
  const api = await driver.create({}, contextOf(dataDir));
  const call = { signal: AbortSignal.timeout(5000) };
  expect(await api.find('old@example.test', call)).toMatchObject({ changeRequired: false });
  await api.requireChange?.('old@example.test', true, call);
  expect(await api.find('old@example.test', call)).toMatchObject({ changeRequired: true });
  await api.close();
});
