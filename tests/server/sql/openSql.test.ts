import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { sql } from 'kysely';
import { describeSqlError } from '../../../server/sql/describeSqlError.ts';
import { inTime, SqlDeadline } from '../../../server/sql/inTime.ts';
import { openSql, type Sql } from '../../../server/sql/openSql.ts';
import { sqlDialectOf } from '../../../server/sql/sqlUrl.ts';
import { type MariaDb, startMariaDb } from '../../services/mariadb.ts';
import { type Postgres, startPostgres } from '../../services/postgres.ts';
import { remove, serviceFolder } from '../../services/process.ts';

const within = (ms = 20_000) => AbortSignal.timeout(ms);
const problem = async (work: Promise<unknown>) => describeSqlError(await work.then(() => { throw new Error('resolved'); }, (error: unknown) => error));

describe('openSql', () => {
  let mariadb: MariaDb;
  let postgres: Postgres;
  let folder: string;
  let silent: Server;
  let silentPort = 0;
  const held: Socket[] = [];

  beforeAll(async () => {
    [mariadb, postgres] = await Promise.all([startMariaDb(), startPostgres()]);
    folder = serviceFolder('sqlite');
    writeFileSync(join(folder, 'a.db'), '');
    // Takes connections and never says a word.
    silent = createServer((socket) => { held.push(socket); });
    await new Promise<void>((resolve) => { silent.listen(0, '127.0.0.1', resolve); });
    silentPort = (silent.address() as { port: number }).port;
  }, 120_000);

  afterAll(async () => {
    for (const socket of held) socket.destroy();
    silent.close();
    await Promise.all([mariadb.stop(), postgres.stop()]);
    remove(folder);
  }, 60_000);

  const urls = (): [string, string][] => [['mariadb', mariadb.url], ['postgres', postgres.url], ['sqlite', `sqlite:${folder}/a.db`]];

  async function withDatabase(url: string, work: (database: Sql) => Promise<void>, options = {}): Promise<void> {
    const database = openSql(url, options);
    try {
      await work(database);
    } finally {
      await database.destroy();
    }
  }

  it('tells the dialect, and refuses what is no database URL without repeating it', () => {
    expect(['mysql://a@h/d', 'mariadb://a@h/d', 'postgres://a@h/d', 'postgresql://a@h/d', 'sqlite:/x'].map(sqlDialectOf))
      .toEqual(['mysql', 'mysql', 'postgres', 'postgres', 'sqlite']);
    for (const wrong of ['http://u:hidden@h/d', 'mysql://u:hidden@h', 'postgres://u:hidden@h/d?sslmode=require', 'postgres://u:hidden@h/d#x', 'sqlite:', 'hidden']) {
      expect(sqlDialectOf(wrong)).toBeNull();
      expect(() => openSql(wrong)).toThrow(/^(?!.*hidden)/);
    }
  });

  it('carries values unchanged through each of the three, whatever the server thinks of back slashes', async () => {
    await mariadb.query("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES'; ALTER DATABASE mail CHARACTER SET utf8mb4");
    const value = `\\' OR 1=1 -- "\`\u{1F600}\r\n%_`;
    for (const [, url] of urls())
      await withDatabase(url, async (database) => {
        await database.schema.createTable('thing').addColumn('id', 'integer').addColumn('t', 'varchar(100)').execute();
        await database.insertInto('thing').values([{ id: 1, t: value }, { id: 2, t: 'other' }]).execute();
        expect(await database.selectFrom('thing').select('id').where('t', '=', value).execute()).toEqual([{ id: 1 }]);
        const gone = await database.deleteFrom('thing').where('t', '=', value).executeTakeFirst();
        expect(Number(gone.numDeletedRows)).toBe(1);
      });
  });

  it('tells what is lasting from what passes, and repeats no value', async () => {
    for (const [, url] of urls())
      await withDatabase(url, async (database) => {
        const missing = await problem(database.selectFrom('no_such').selectAll().execute());
        expect(missing.kind).toBe('misconfigured');
        expect(missing.detail).toContain('no_such');
        expect((await problem(sql`select no_column from thing`.execute(database))).kind).toBe('misconfigured');
        const { kind, detail } = await problem(sql`selec ${'hidden-value'}`.execute(database));
        expect(kind).toBe('misconfigured');
        expect(detail).not.toContain('hidden-value');
      });
    for (const url of [mariadb.url.replace(':mail@', ':hidden@'), mariadb.url.replace(/mail$/, 'nowhere'), postgres.url.replace(/mail$/, 'nowhere'), `sqlite:${folder}/none.db`])
      await withDatabase(url, async (database) => {
        const found = await problem(sql`select 1`.execute(database));
        expect(found.kind).toBe('misconfigured');
        expect(found.detail).not.toContain('hidden');
      });
    for (const scheme of ['mysql', 'postgres'])
      await withDatabase(`${scheme}://u:p@127.0.0.1:1/d`, async (database) => {
        expect((await problem(sql`select 1`.execute(database))).kind).toBe('unavailable');
      });
    // Neither of these two servers was given a certificate: no connection in the clear instead.
    for (const url of [mariadb.url, postgres.url])
      await withDatabase(url, async (database) => { await problem(sql`select 1`.execute(database)); }, { tls: {} });
  });

  it('gives up on a server that accepts and says nothing', async () => {
    for (const scheme of ['mysql', 'postgres'])
      await withDatabase(`${scheme}://u:p@127.0.0.1:${String(silentPort)}/d`, async (database) => {
        const start = Date.now();
        expect((await problem(sql`select 1`.execute(database))).kind).toBe('unavailable');
        expect(Date.now() - start).toBeLessThan(3000);
      }, { connectTimeoutMs: 300 });
  });

  it('closes a connection that does not answer, and goes on with a new one', async () => {
    for (const [url, slow] of [[mariadb.url, sql`select sleep(20)`], [postgres.url, sql`select pg_sleep(20)`]] as const)
      await withDatabase(url, async (database) => {
        const start = Date.now();
        expect(await problem(slow.execute(database))).toEqual({ kind: 'unavailable', detail: 'SQL_TIMEOUT' });
        expect((await sql<{ one: number }>`select 1 as one`.execute(database)).rows).toEqual([{ one: 1 }]);
        expect(Date.now() - start).toBeLessThan(5000);
      }, { queryTimeoutMs: 300, poolSize: 1 });
  });

  it('never starts work whose deadline fired while it waited for a connection', async () => {
    for (const [url, slow] of [[mariadb.url, sql`select sleep(1)`], [postgres.url, sql`select pg_sleep(1)`]] as const)
      await withDatabase(url, async (database) => {
        const busy = slow.execute(database);
        let started = false;
        const late = inTime(database, within(100), async () => { started = true; });
        await expect(late).rejects.toMatchObject({ name: 'SqlDeadline', sent: false });
        await busy;
        await sql`select 1`.execute(database);
        expect(started).toBe(false);
        const cut = inTime(database, within(100), (connection) => slow.execute(connection));
        await expect(cut).rejects.toMatchObject({ sent: true });
        await expect(inTime(database, AbortSignal.abort(), async () => 1)).rejects.toBeInstanceOf(SqlDeadline);
        expect(await inTime(database, within(), async () => 1)).toBe(1);
      }, { poolSize: 1 });
  });
});
