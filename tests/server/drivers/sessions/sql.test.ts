import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { createConnection } from 'mysql2/promise';
import { ValidationError } from 'yup';
import driver from '../../../../server/drivers/sessions/sql.ts';
import type { SessionStore } from '../../../../server/ports/sessionStore.ts';
import { openSql, type Sql } from '../../../../server/sql/openSql.ts';
import { type MariaDb, startMariaDb } from '../../../services/mariadb.ts';
import { type Postgres, startPostgres } from '../../../services/postgres.ts';
import { freePort, remove, serviceFolder } from '../../../services/process.ts';
import { codeOf } from '../../../suites/accountApiSuite.ts';
import { describeSessionStore } from '../../../suites/sessionStoreSuite.ts';
import { testContext } from './driverContext.ts';

const within = (ms = 20_000) => ({ signal: AbortSignal.timeout(ms) });
const all = (address: string, issuedBefore = Date.now() + 1000) => ({ address, issuedBefore, attempt: 1, actor: null });

function create(options: object, context = testContext()): Promise<SessionStore> {
  return driver.create(driver.options.validateSync(options, { strict: true, abortEarly: false }) as Parameters<typeof driver.create>[0], context);
}

const COLUMNS = { id: 'sid', user: 'Mail Of User'.replaceAll(' ', '_'), issuedAt: 'opened', client: 'agent', remoteAddress: 'ip' };
const options = (url: string, over: object = {}) => ({ url, table: 'web_session', columns: COLUMNS, timeFormat: 'datetime', ...over });

interface Place { readonly url: string; readonly createTable: string; readonly literal: (ms: number) => string; readonly stop: () => Promise<void> }

const iso = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').replace('Z', '');

const PLACES: readonly [string, () => Promise<Place>][] = [
  ['mariadb', async () => {
    const service = await startMariaDb();
    return {
      url: service.url, stop: () => service.stop(), literal: iso,
      createTable: 'create table web_session (sid varchar(64) primary key, Mail_Of_User varchar(200), opened datetime(3) null, agent text, ip varchar(60)) default character set utf8mb4 collate utf8mb4_general_ci',
    };
  }],
  ['postgres', async () => {
    const service = await startPostgres();
    return {
      url: service.url, stop: () => service.stop(), literal: (ms) => `${iso(ms)}+00`,
      createTable: 'create table web_session (sid text primary key, "Mail_Of_User" varchar(200), opened timestamptz, agent text, ip varchar(60))',
    };
  }],
  ['sqlite', async () => {
    const folder = serviceFolder('sqlite');
    writeFileSync(join(folder, 'web.db'), '');
    return {
      url: `sqlite:${folder}/web.db`, stop: async () => { remove(folder); }, literal: iso,
      createTable: 'create table web_session (sid text primary key, Mail_Of_User text, opened text, agent text, ip text)',
    };
  }],
];

for (const [name, start] of PLACES) {
  describeSessionStore(`sql on ${name}`, async () => {
    const place = await start();
    const application = openSql(place.url);
    await sql.raw(place.createTable).execute(application);
    return {
      store: await create(options(place.url)),
      first: 'alice@example.test',
      second: 'bob@example.test',
      choosesIssuedAt: true,
      // The application's own log-in and its question at every request.
      async open(address, issuedAt = Date.now()) {
        const sid = randomUUID();
        await application.insertInto('web_session').values({ sid, Mail_Of_User: address, opened: place.literal(issuedAt), agent: 'Firefox', ip: '192.0.2.7' }).execute();
        return async () => (await application.selectFrom('web_session').select('sid').where('sid', '=', sid).execute()).length === 1;
      },
      async unreachable() {
        const port = await freePort();
        return create(options(name === 'postgres' ? `postgres://u:p@127.0.0.1:${String(port)}/d` : `mysql://u:p@127.0.0.1:${String(port)}/d`));
      },
      async teardown() {
        await application.destroy();
        await place.stop();
      },
    };
  });
}

describe('sql session store', () => {
  let mariadb: MariaDb;
  let postgres: Postgres;
  let folder: string;
  const open: Sql[] = [];
  const stores: SessionStore[] = [];

  beforeAll(async () => {
    [mariadb, postgres] = await Promise.all([startMariaDb(), startPostgres()]);
    folder = serviceFolder('sqlite');
    writeFileSync(join(folder, 'web.db'), '');
  }, 120_000);

  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await Promise.all(open.map((database) => database.destroy()));
    await Promise.all([mariadb.stop(), postgres.stop()]);
    remove(folder);
  }, 60_000);

  const made = async (own: object, context = testContext()) => {
    const store = await create(own, context);
    stores.push(store);
    return store;
  };
  const urls = () => [mariadb.url, postgres.url, `sqlite:${folder}/web.db`];
  const database = (url: string) => {
    const opened = openSql(url);
    open.push(opened);
    return opened;
  };
  const ids = async (db: Sql, table: string) => (await db.selectFrom(table).select('id').orderBy('id').execute()).map(({ id }) => Number(id));

  it('refuses wrong options, all at once, without repeating the url', () => {
    let caught: unknown;
    try {
      driver.options.validateSync({ url: 'http://hidden', table: 'a"b', columns: { id: 'i' }, userIs: 'userId', extra: 1 }, { strict: true, abortEarly: false });
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(ValidationError);
    const text = (caught as ValidationError).errors.join('\n');
    for (const part of ['url', 'table', 'columns.user', 'extra']) expect(text).toContain(part);
    expect(text).not.toContain('hidden');
    for (const over of [{ userIs: 'userId' }, { lookup: 'select 1 where :address' }, { userIs: 'userId', lookup: 'select 1' }, { userIs: 'userId', lookup: 'select :address, :other' }])
      expect(() => driver.options.validateSync(options('sqlite:/x', over), { strict: true })).toThrow('lookup');
  });

  it('knows seconds and milliseconds, and ends what has no time', async () => {
    for (const url of urls())
      for (const [timeFormat, factor] of [['seconds', 1], ['milliseconds', 1000]] as const) {
        const db = database(url);
        const table = `numbers_${timeFormat}`;
        await db.schema.createTable(table).addColumn('id', 'integer').addColumn('owner', 'varchar(100)').addColumn('at', 'bigint').execute();
        const at = 1_700_000_000;
        const rows = [[1, at - 1], [2, at], [3, at + 1], [4, null]] as const;
        await db.insertInto(table).values(rows.map(([id, time]) => ({ id, owner: 'a@example.test', at: time === null ? null : time * factor }))).execute();
        const store = await made({ url, table, columns: { id: 'id', user: 'owner', issuedAt: 'at' }, timeFormat });
        await store.check(within());
        const listed = await store.list('A@example.test', within());
        expect(listed.map(({ issuedAt }) => issuedAt).sort()).toEqual([(at - 1) * 1000, at * 1000, (at + 1) * 1000, null].sort());
        expect((await store.revokeAll(all('a@example.test', at * 1000), within())).revoked).toEqual({ web: 2 });
        expect(await ids(db, table)).toEqual([2, 3]);
        // 400 ms into second 2: what a column of seconds says of it is "before".
        expect((await store.revokeAll(all('a@example.test', at * 1000 + 400), within())).revoked).toEqual({ web: 1 });
        expect(await ids(db, table)).toEqual([3]);
      }
  });

  it("reads a date and time without a zone as UTC, or in the server's own zone", async () => {
    const now = Date.now();
    const text = iso(now);
    await mariadb.query("SET GLOBAL time_zone = '+05:00'");
    await postgres.query("ALTER ROLE mail SET timezone = 'Asia/Karachi'");
    for (const [url, type] of [[mariadb.url, 'datetime(3)'], [postgres.url, 'timestamp'], [postgres.url, 'timestamptz'], [mariadb.url, 'timestamp(3)']] as const)
      for (const timeZone of ['utc', 'server'] as const) {
        const db = openSql(url, { timeZone: 'server' });
        open.push(db);
        const table = `zone_${type.replace(/\W.*/, '')}_${timeZone}`;
        await sql.raw(`create table ${table} (id int, owner varchar(100), at ${type})`).execute(db);
        await db.insertInto(table).values({ id: 1, owner: 'a@example.test', at: text }).execute();
        const store = await made({ url, table, columns: { id: 'id', user: 'owner', issuedAt: 'at' }, timeFormat: 'datetime', timeZone });
        const [session] = await store.list('a@example.test', within());
        // The text was written at five hours east of UTC; a column that knows its zone does not need to be told.
        const known = type.startsWith('timestamp(') || type === 'timestamptz' || timeZone === 'server';
        expect([type, timeZone, session?.issuedAt]).toEqual([type, timeZone, known ? now - 5 * 3_600_000 : now]);
      }
  });

  it('finds the user by id, and does not take another for it', async () => {
    for (const url of urls()) {
      const db = database(url);
      await sql.raw('create table users (id integer, email varchar(200))').execute(db);
      await sql.raw('create table by_id (id integer, user_id integer)').execute(db);
      await db.insertInto('users').values([{ id: 12, email: 'alice@example.test' }, { id: 1, email: 'bob@example.test' }, { id: 2, email: 'twice@example.test' }, { id: 3, email: 'twice@example.test' }]).execute();
      await db.insertInto('by_id').values([{ id: 1, user_id: 12 }, { id: 2, user_id: 12 }, { id: 3, user_id: 1 }, { id: 4, user_id: 3 }]).execute();
      const context = testContext();
      const store = await made({
        url, table: 'by_id', columns: { id: 'id', user: 'user_id' }, userIs: 'userId',
        lookup: "SELECT id, email AS address FROM users WHERE lower(email) LIKE lower(:address) AND ':x' <> '' /* :no */",
      }, context);
      expect(context.lines.join('')).toContain('issuedAt is not set');
      await store.check(within());
      // The operator's LIKE finds everybody; the second column keeps them out.
      expect((await store.revokeAll(all('%@example.test'), within())).revoked).toEqual({ web: 0 });
      expect((await store.revokeAll(all('nobody@example.test'), within())).revoked).toEqual({ web: 0 });
      expect(await codeOf(store.revokeAll(all('twice@example.test'), within()))).toBe('SESSIONS_MISCONFIGURED');
      expect((await store.revokeAll(all('Alice@example.test'), within())).revoked).toEqual({ web: 2 });
      expect(await ids(db, 'by_id')).toEqual([3, 4]);
    }
  });

  it('compares letters, not what a collation holds for the same', async () => {
    for (const url of urls()) {
      const db = database(url);
      await sql.raw('create table letters (id integer, owner varchar(100))').execute(db);
      if (url === mariadb.url) await sql.raw('alter table letters convert to character set utf8mb4 collate utf8mb4_general_ci').execute(db);
      await db.insertInto('letters').values([{ id: 1, owner: 'Alice@example.test' }, { id: 2, owner: 'älice@example.test' }, { id: 3, owner: 'alice@example.test ' }]).execute();
      const exact = await made({ url, table: 'letters', columns: { id: 'id', user: 'owner' }, caseInsensitive: false });
      expect((await exact.revokeAll(all('alice@example.test'), within())).revoked).toEqual({ web: 0 });
      const store = await made({ url, table: 'letters', columns: { id: 'id', user: 'owner' } });
      expect((await store.revokeAll(all('alice@example.test'), within())).revoked).toEqual({ web: 1 });
      expect(await ids(db, 'letters')).toEqual([2, 3]);
      expect((await exact.revokeAll(all('älice@example.test'), within())).revoked).toEqual({ web: 1 });
    }
  });

  it('ends thousands, and shows no id that would open a session', async () => {
    for (const url of urls()) {
      const db = database(url);
      await sql.raw('create table many (id varchar(40), owner varchar(100))').execute(db);
      const rows = Array.from({ length: 1250 }, (_, id) => ({ id: `secret-${String(id)}`, owner: 'a@example.test' }));
      for (let from = 0; from < rows.length; from += 250) await db.insertInto('many').values(rows.slice(from, from + 250)).execute();
      const store = await made({ url, table: 'many', columns: { id: 'id', user: 'owner' } });
      expect(JSON.stringify(await store.list('a@example.test', within()))).not.toContain('secret-');
      expect((await store.revokeAll(all('a@example.test'), within())).revoked).toEqual({ web: 1250 });
    }
  });

  it('takes ids of bytes for what they are', async () => {
    for (const [index, url] of urls().entries()) {
      const db = database(url);
      await sql.raw(`create table raw_id (id ${['binary(4)', 'bytea', 'blob'][index] ?? ''}, owner varchar(100))`).execute(db);
      await db.insertInto('raw_id').values([{ id: Buffer.from([0, 255, 39, 1]), owner: 'a@example.test' }, { id: Buffer.from([0, 255, 39, 2]), owner: 'a@example.test' }]).execute();
      const store = await made({ url, table: 'raw_id', columns: { id: 'id', user: 'owner' } });
      const [one, two] = await store.list('a@example.test', within());
      expect(one?.id).not.toBe(two?.id);
      expect(await store.revoke('a@example.test', one?.id ?? '', within())).toBe(true);
      expect(await store.list('a@example.test', within())).toEqual([two]);
      expect((await store.revokeAll(all('a@example.test'), within())).revoked).toEqual({ web: 1 });
    }
  });

  it('finds a missing table, column, right, password and file by its check', async () => {
    for (const url of urls()) {
      await sql.raw('create table checked (id integer, owner varchar(100))').execute(database(url));
      for (const over of [{ table: 'nowhere' }, { columns: { id: 'id', user: 'nothing' } }, { columns: { id: 'id', user: 'owner', client: 'nothing' } }]) {
        const store = await made({ url, table: 'checked', columns: { id: 'id', user: 'owner' }, ...over });
        expect(await codeOf(store.check(within()))).toBe('SESSIONS_MISCONFIGURED');
      }
    }
    const root = await createConnection({ socketPath: join(mariadb.folder, 's.sock'), user: 'root', multipleStatements: true });
    await root.query("CREATE USER reader@'%' IDENTIFIED BY 'r'; GRANT SELECT ON mail.checked TO reader@'%'");
    await root.end();
    await postgres.query("CREATE ROLE reader LOGIN PASSWORD 'r'");
    await postgres.query('GRANT SELECT ON checked TO reader');
    const swaps: [string, string][] = [[mariadb.url, 'reader:r'], [postgres.url, 'reader:r'], [mariadb.url, 'mail:hidden']];
    for (const [url, login] of swaps) {
      const store = await made({ url: url.replace('mail:mail', login), table: 'checked', columns: { id: 'id', user: 'owner' } });
      const error: unknown = await store.check(within()).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'SESSIONS_MISCONFIGURED' });
      expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('hidden');
    }
    const none = await made({ url: `sqlite:${folder}/none.db`, table: 'checked', columns: { id: 'id', user: 'owner' } });
    expect(await codeOf(none.check(within()))).toBe('SESSIONS_MISCONFIGURED');
  });

  it('is unavailable while the database is down or a lock is held, and well again after', async () => {
    for (const service of [mariadb, postgres]) {
      const db = database(service.url);
      await sql.raw('create table lasting (id integer primary key, owner varchar(100))').execute(db);
      await db.insertInto('lasting').values([{ id: 1, owner: 'a@example.test' }, { id: 2, owner: 'b@example.test' }]).execute();
      const store = await made({ url: service.url, table: 'lasting', columns: { id: 'id', user: 'owner' }, queryTimeoutMs: 15_000 });
      await store.check(within());
      await db.transaction().execute(async (transaction) => {
        await transaction.updateTable('lasting').set({ owner: 'b@example.test' }).where('id', '=', 2).execute();
        // Somebody else's row is locked: that must not matter.
        expect((await store.revokeAll(all('a@example.test'), within(3000))).revoked).toEqual({ web: 1 });
        const start = Date.now();
        expect(await codeOf(store.revokeAll(all('b@example.test'), within(300)))).toBe('SESSIONS_UNAVAILABLE');
        expect(Date.now() - start).toBeLessThan(1500);
      });
      await db.insertInto('lasting').values({ id: 3, owner: 'b@example.test' }).execute();
      await service.kill();
      expect(await codeOf(store.revokeAll(all('b@example.test'), within(5000)))).toBe('SESSIONS_UNAVAILABLE');
      expect(await codeOf(store.check(within(5000)))).toBe('SESSIONS_UNAVAILABLE');
      await service.start();
      await store.revokeAll(all('b@example.test'), within());
      const after = openSql(service.url);
      open.push(after);
      expect(await ids(after, 'lasting')).toEqual([]);
    }
  }, 60_000);
});
