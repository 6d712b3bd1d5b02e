import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import { sql } from 'kysely';
import { connectState, migrateState, openState } from '../../../server/state/stateDatabase.ts';
import { tempFolder } from '../../fixtures/service.ts';
import { type MariaDb, startMariaDb } from '../../services/mariadb.ts';
import { type Postgres, startPostgres } from '../../services/postgres.ts';
import { sleep } from '../../services/process.ts';

// A step over millions of rows takes longer than a statement of the service may; here it waits for a lock of somebody else instead.
let mariadb: MariaDb;
let postgres: Postgres;
beforeAll(async () => { [mariadb, postgres] = await Promise.all([startMariaDb(), startPostgres()]); }, 180_000);
afterAll(async () => { await Promise.all([mariadb.stop(), postgres.stop()]); });

const STATEMENT_MS = 200;

/** The table `outbox` in somebody's hands until the returned function is called. */
async function locked(engine: 'mariadb' | 'postgres'): Promise<() => Promise<void>> {
  if (engine === 'mariadb') {
    const connection = await createConnection(mariadb.url);
    await connection.query('LOCK TABLES outbox WRITE');
    return async () => { await connection.query('UNLOCK TABLES'); await connection.end(); };
  }
  const client = new Client(postgres.url);
  await client.connect();
  await client.query('BEGIN');
  await client.query('LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE');
  return async () => { await client.query('COMMIT'); await client.end(); };
}

describe.each(['mariadb', 'postgres'] as const)('a step that takes long on %s', (engine) => {
  const url = () => (engine === 'mariadb' ? mariadb.url : postgres.url);

  it('is waited for, and afterwards statements have their limit again; one that was cut off in the middle is taken up', async () => {
    const first = await openState(tempFolder(), url());
    // As after a crash between two of its indexes, where the engine does not take them back: they are there, the step is not done.
    await sql`delete from mailbox_password_migration where name = '008_list_indexes'`.execute(first.database);
    await first.database.destroy();

    const state = connectState(tempFolder(), url(), null, null, STATEMENT_MS);
    const unlock = await locked(engine);
    let ended = false;
    const migrating = migrateState(state).finally(() => { ended = true; });
    migrating.catch(() => undefined);
    await sleep(5 * STATEMENT_MS);
    expect(ended).toBe(false);
    await unlock();
    expect(await migrating).toEqual(['008_list_indexes']);

    const again = await locked(engine);
    await expect(state.database.selectFrom('outbox').selectAll().execute()).rejects.toMatchObject({ code: 'SQL_TIMEOUT' });
    await again();
    await state.database.destroy();
  }, 60_000);
});
