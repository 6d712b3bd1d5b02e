import { sql } from 'kysely';
import { openState } from '../../../server/state/stateDatabase.ts';
import { tempFolder } from '../../fixtures/service.ts';

test('a database that a newer version has brought further still opens, and the newer version finds its step taken', async () => {
  const folder = tempFolder();
  const first = await openState(folder, null);
  await sql`insert into mailbox_password_migration (name, timestamp) values ('000_before_all', '2030-01-01'), ('999_of_a_newer_version', '2030-01-01')`.execute(first.database);
  await first.database.destroy();
  const { database } = await openState(folder, null);
  const { rows } = await sql<{ name: string }>`select name from mailbox_password_migration order by name`.execute(database);
  expect(rows.map(({ name }) => name)).toEqual(expect.arrayContaining(['000_before_all', '001_outbox_and_audit', '999_of_a_newer_version']));
  expect(await database.selectFrom('outbox').selectAll().execute()).toEqual([]);
  await database.destroy();
});
