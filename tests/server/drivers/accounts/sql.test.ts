import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, createConnection, type Socket } from 'node:net';
import Database from 'libsql';
import { pino } from 'pino';
import driver from '../../../../server/drivers/accounts/sql.ts';
import { createHasher } from '../../../../server/hashing/hasher.ts';
import type { AccountApi } from '../../../../server/ports/accountApi.ts';
import { Secret } from '../../../../server/secret.ts';
import { startMariaDb, type MariaDb } from '../../../services/mariadb.ts';
import { startPostgres, type Postgres } from '../../../services/postgres.ts';
import { freePort, remove, serviceFolder } from '../../../services/process.ts';
import { codeOf, describeAccountApi } from '../../../suites/accountApiSuite.ts';

const within = (ms = 20_000) => ({ signal: AbortSignal.timeout(ms) });
const context = { name: 'sql', dataDir: '/nowhere', clock: { now: () => Date.now() }, log: pino({ level: 'silent' }) };
const create = (options: object): Promise<AccountApi> => driver.create(driver.options.validateSync(options, { strict: true, abortEarly: false }) as never, context);
const problems = (options: object): string => { try { driver.options.validateSync(options, { strict: true, abortEarly: false }); return ''; } catch (error) { return String((error as { errors: string[] }).errors); } };

const ALICE = { address: 'alice@example.test', password: 'Wonder-land-7' };
const BOB = { address: 'bob@example.test', password: 'Builder-can-8' };
const CAROL = { address: 'carol@example.test', password: 'Singing-bells-9' };
const hashed = async (password: string, scheme: 'ARGON2ID' | 'BLF-CRYPT' | 'SHA512-CRYPT' = 'SHA512-CRYPT') => (await createHasher({ scheme, prefix: true, bcryptCost: 5 })).hash(new Secret(password));

const POSTFIXADMIN = `CREATE TABLE mailbox (username varchar(255) NOT NULL PRIMARY KEY, password varchar(255) NOT NULL, name varchar(255) NOT NULL DEFAULT '', domain varchar(255) NOT NULL, active smallint NOT NULL DEFAULT 1, must_change smallint NOT NULL DEFAULT 0);
CREATE TABLE domain (domain varchar(255) NOT NULL PRIMARY KEY);`;
const DOVECOT = `CREATE TABLE users (username varchar(128) NOT NULL, domain varchar(128) NOT NULL, password varchar(255) NOT NULL, active char(1) DEFAULT 'Y' NOT NULL, must_change boolean NOT NULL DEFAULT false);`;

type Run = (sql: string) => unknown;
async function seedPostfixadmin(run: Run): Promise<void> {
  await run(POSTFIXADMIN);
  await run("INSERT INTO domain VALUES ('example.test'), ('ALL')");
  for (const [{ address, password }, active] of [[ALICE, 1], [BOB, 1], [CAROL, 0]] as const)
    await run(`INSERT INTO mailbox (username, password, domain, active) VALUES ('${address}', '${await hashed(password)}', 'example.test', ${String(active)})`);
}
async function seedDovecot(run: Run): Promise<void> {
  await run(DOVECOT);
  for (const { address, password } of [ALICE, BOB]) await run(`INSERT INTO users VALUES ('${address.split('@')[0] ?? ''}', 'example.test', '${await hashed(password, 'ARGON2ID')}', 'Y')`);
  await run(`INSERT INTO users VALUES ('carol', 'example.test', '${await hashed(CAROL.password)}', 'N')`);
}
const away = (url: string) => async () => create({ url: url.replace(/:\d+\//, `:${String(await freePort())}/`), preset: 'postfixadmin' });

describeAccountApi('sql on MariaDB, PostfixAdmin, SHA512-CRYPT', async () => {
  const database = await startMariaDb();
  await seedPostfixadmin((sql) => database.query(sql));
  return { api: await create({ url: database.url, preset: 'postfixadmin', columns: { changeRequired: 'must_change' } }), first: ALICE, second: BOB, locked: CAROL, comparesVersion: true, unreachable: away(database.url), teardown: () => database.stop() };
});

describeAccountApi('sql on PostgreSQL, Dovecot\'s example table, ARGON2ID', async () => {
  const database = await startPostgres();
  await seedDovecot((sql) => database.query(sql));
  return { api: await create({ url: database.url, preset: 'dovecot', columns: { changeRequired: 'must_change' } }), first: ALICE, second: BOB, locked: CAROL, comparesVersion: true, unreachable: away(database.url), teardown: () => database.stop() };
});

describeAccountApi('sql on SQLite, own statements, BLF-CRYPT', async () => {
  const folder = serviceFolder('sqlite');
  const file = `${folder}/mail.db`;
  const database = new Database(file);
  await seedPostfixadmin((sql) => database.exec(sql));
  database.close();
  return {
    api: await create({ url: `sqlite:${file}`, scheme: 'BLF-CRYPT', bcryptCost: 5, statements: {
      find: "SELECT username AS address, password, active AS enabled, must_change AS changeRequired FROM mailbox WHERE username = lower(:address) -- a comment's ':trap'",
      update: 'UPDATE mailbox SET password = :hash, must_change = :changeRequired WHERE username = lower(:address) AND password = :oldHash',
      requireChange: 'UPDATE mailbox SET must_change = :changeRequired WHERE username = lower(:address)',
      listDomains: "SELECT domain FROM domain WHERE domain LIKE :search ESCAPE '!' AND domain <> 'ALL'",
      listMailboxes: "SELECT username AS address, active AS enabled FROM mailbox WHERE domain = :domain AND username LIKE :search ESCAPE '!' AND username > :after ORDER BY username LIMIT :limit",
    } }),
    first: ALICE, second: BOB, locked: CAROL, comparesVersion: true,
    teardown: async () => { remove(folder); },
  };
});

describe('sql: domains page by page', () => {
  const names = [...Array.from({ length: 120 }, (_, n) => `shop${String(n).padStart(3, '0')}.test`), 'my-shop.test', 'a_shop.test', 'old.shop.test', 'other.test', 'x-ray.test'];

  it.each(['mariadb', 'postgres', 'sqlite'])('%s: every name once, those that begin so first, however small the pages', async (engine) => {
    const folder = serviceFolder('sqlite');
    const service = engine === 'mariadb' ? await startMariaDb() : engine === 'postgres' ? await startPostgres() : null;
    const file = new Database(`${folder}/mail.db`);
    const run: Run = service === null ? (sql) => file.exec(sql) : (sql) => service.query(sql);
    await run(POSTFIXADMIN);
    await run(`INSERT INTO domain VALUES ('ALL'), ${names.map((name) => `('${name}')`).join(', ')}`);
    const api = await create({ url: service === null ? `sqlite:${folder}/mail.db` : service.url, preset: 'postfixadmin' });
    const all = async (search: string, limit: number): Promise<string[]> => {
      const seen: string[] = [];
      for (let cursor: string | null = null, first = true; first || cursor !== null; first = false) {
        const page: Awaited<ReturnType<NonNullable<AccountApi['pageDomains']>>> | undefined = await api.pageDomains?.({ search, cursor, limit }, within());
        expect(page?.domains.length).toBeLessThanOrEqual(limit);
        seen.push(...(page?.domains ?? []));
        cursor = page?.nextCursor ?? null;
      }
      return seen;
    };
    for (const limit of [1, 7, 50, 500]) {
      const everything = await all('', limit);
      expect([...everything].sort()).toEqual([...names].sort());
      const found = await all('shop', limit);
      expect(found.slice(0, 120)).toEqual(names.slice(0, 120));
      expect(found.slice(120).sort()).toEqual(['a_shop.test', 'my-shop.test', 'old.shop.test']);
    }
    expect(await all('_', 10)).toEqual(['a_shop.test']);
    expect(await all('%', 10)).toEqual([]);
    expect(await all("'; drop table domain; --", 10)).toEqual([]);
    await api.close();
    file.close();
    await service?.stop();
    remove(folder);
  }, 60_000);
});

describe('sql', () => {
  let maria: MariaDb;
  let postgres: Postgres;
  beforeAll(async () => {
    [maria, postgres] = await Promise.all([startMariaDb(), startPostgres()]);
    await seedPostfixadmin((sql) => maria.query(sql));
    await seedPostfixadmin((sql) => postgres.query(sql));
  }, 60_000);
  afterAll(async () => { await Promise.all([maria.stop(), postgres.stop()]); });

  it('finds a column that is too narrow before anything is changed', async () => {
    for (const database of [maria, postgres]) {
      await database.query('CREATE TABLE narrow (address varchar(255), password varchar(60))');
      await database.query(`INSERT INTO narrow VALUES ('alice@example.test', '${await hashed('Old-password-1', 'BLF-CRYPT').then((hash) => hash.replace('{BLF-CRYPT}', ''))}')`);
      const api = await create({ url: database.url, table: 'narrow', columns: { address: 'address', password: 'password' }, scheme: 'ARGON2ID' });
      const error = await api.check(within()).catch((caught: unknown) => caught as Error);
      expect(String(error)).toMatch(/ACCOUNTS_MISCONFIGURED: the password column takes 60 characters, ARGON2ID needs \d+/);
      expect(await codeOf(api.changePassword('alice@example.test', new Secret('Old-password-1'), new Secret('New-password-1'), within()))).toBe('ACCOUNTS_MISCONFIGURED');
      expect(await api.verifyPassword('alice@example.test', new Secret('Old-password-1'), within())).toBe(true);
      await api.close();
    }
  });

  it('two rows of one name are an error, and neither is changed', async () => {
    for (const database of [maria, postgres]) {
      const old = await hashed('Old-password-1');
      await database.query('CREATE TABLE twice (address varchar(255), password varchar(255))');
      await database.query(`INSERT INTO twice VALUES ('alice@example.test', '${old}'), ('alice@example.test', '${old}')`);
      const api = await create({ url: database.url, table: 'twice', columns: { address: 'address', password: 'password' } });
      expect(await codeOf(api.changePassword('alice@example.test', new Secret('Old-password-1'), new Secret('New-password-1'), within()))).toBe('ACCOUNT_AMBIGUOUS');
      const blind = await create({ url: database.url, statements: {
        find: 'SELECT password FROM twice WHERE address = :address LIMIT 1', update: 'UPDATE twice SET password = :hash WHERE address = :address AND password = :oldHash',
      } });
      expect(await codeOf(blind.setPassword('alice@example.test', new Secret('New-password-1'), within()))).toBe('ACCOUNT_AMBIGUOUS');
      expect(await database.query('SELECT DISTINCT password FROM twice')).toEqual([{ password: old }]);
      await Promise.all([api.close(), blind.close()]);
    }
  });

  it('writes the time of the change in each format', async () => {
    for (const [format, type] of [['seconds', 'bigint'], ['milliseconds', 'bigint'], ['datetime', 'timestamp NULL']] as const) {
      for (const database of [maria, postgres]) {
        await database.query(`CREATE TABLE timed_${format} (address varchar(255), password varchar(255), changed ${type})`);
        await database.query(`INSERT INTO timed_${format} (address, password) VALUES ('alice@example.test', '${await hashed('Old-password-1')}')`);
        const api = await create({ url: database.url, table: `timed_${format}`, columns: { address: 'address', password: 'password', changedAt: 'changed' }, changedAtFormat: format });
        expect((await api.find('alice@example.test', within()))?.passwordChangedAt).toBeNull();
        const before = Date.now();
        await api.changePassword('alice@example.test', new Secret('Old-password-1'), new Secret('New-password-1'), within());
        const told = (await api.find('alice@example.test', within()))?.passwordChangedAt ?? 0;
        expect(told).toBeGreaterThanOrEqual(before);
        expect(told).toBeLessThan(Date.now() + 1000);
        await api.close();
      }
    }
  });

  it('takes an address in capitals for the same mailbox', async () => {
    for (const database of [maria, postgres]) {
      const api = await create({ url: database.url, preset: 'postfixadmin' });
      expect(await api.verifyPassword('Bob@Example.TEST', new Secret(BOB.password), within())).toBe(true);
      await api.close();
    }
  });

  it('a commit without an answer is "outcome unknown"; a statement without one changed nothing', async () => {
    for (const { swallow, code } of [{ swallow: /commit/i, code: 'ACCOUNTS_OUTCOME_UNKNOWN' }, { swallow: /update/i, code: 'ACCOUNTS_UNAVAILABLE' }]) {
      for (const database of [maria, postgres]) {
        const url = new URL(database.url);
        const port = Number(url.port);
        const sockets: Socket[] = [];
        // Hands everything on; from the statement looked for, the server's answers are lost (and, for UPDATE, the statement too).
        const proxy = createServer((socket) => {
          const server = createConnection(port, '127.0.0.1');
          sockets.push(socket, server);
          let cut = false;
          socket.on('data', (chunk) => {
            cut ||= swallow.test(chunk.toString('latin1'));
            if (!cut || code === 'ACCOUNTS_OUTCOME_UNKNOWN') server.write(chunk);
          });
          server.on('data', (chunk) => { if (!cut) socket.write(chunk); });
          for (const one of [socket, server]) one.on('error', () => undefined);
        });
        await new Promise<void>((resolve) => { proxy.listen(0, '127.0.0.1', resolve); });
        url.port = String((proxy.address() as { port: number }).port);
        const api = await create({ url: url.href, preset: 'postfixadmin' });
        const direct = await create({ url: database.url, preset: 'postfixadmin' });
        const current = (await direct.verifyPassword(ALICE.address, new Secret(ALICE.password), within())) ? ALICE.password : 'New-password-1';
        const next = current === ALICE.password ? 'New-password-1' : ALICE.password;
        const began = performance.now();
        expect(await codeOf(api.changePassword(ALICE.address, new Secret(current), new Secret(next), within(1500)))).toBe(code);
        expect(performance.now() - began).toBeLessThan(4000);
        expect(await direct.verifyPassword(ALICE.address, new Secret(code === 'ACCOUNTS_UNAVAILABLE' ? current : next), within())).toBe(true);
        for (const socket of sockets) socket.destroy();
        await new Promise<void>((resolve) => { proxy.close(() => { resolve(); }); });
        await Promise.all([api.close().catch(() => undefined), direct.close()]);
      }
    }
  }, 60_000);

  it('a database that goes and comes back is unavailable, then there again', async () => {
    for (const database of [maria, postgres]) {
      const api = await create({ url: database.url, preset: 'postfixadmin' });
      expect(await api.verifyPassword(BOB.address, new Secret(BOB.password), within())).toBe(true);
      await database.kill();
      expect(await codeOf(api.verifyPassword(BOB.address, new Secret(BOB.password), within(3000)))).toBe('ACCOUNTS_UNAVAILABLE');
      await database.start();
      expect(await api.verifyPassword(BOB.address, new Secret(BOB.password), within())).toBe(true);
      await api.close();
    }
  }, 60_000);

  it('names a missing table, column or right', async () => {
    for (const database of [maria, postgres]) {
      for (const options of [{ table: 'nowhere', columns: { address: 'a', password: 'b' } }, { table: 'mailbox', columns: { address: 'username', password: 'pass_word' } }]) {
        const api = await create({ url: database.url, ...options });
        const error = await api.check(within()).catch((caught: unknown) => caught);
        expect(String(error)).toMatch(/ACCOUNTS_MISCONFIGURED: .*(nowhere|pass_word)/);
        expect(String(error)).not.toContain('mail:mail');
        await api.close();
      }
    }
  });

  it('refuses a layout that cannot work, all problems at once', () => {
    const url = 'mysql://x:y@localhost/z';
    expect(problems({ url })).toMatch(/name a preset, or table/);
    expect(problems({ url, table: 'mailbox; DROP TABLE x', columns: { address: 'a b', password: 'p' } })).toMatch(/table must be a plain name.*columns\.address must be a plain name|columns\.address must be a plain name.*table must be a plain name/);
    expect(problems({ url, statements: { find: 'SELECT 1', update: 'UPDATE x SET p = :hash' } })).toMatch(/:oldHash/);
    expect(problems({ url, preset: 'postfixadmin', tabel: 'x' })).toMatch(/tabel/);
    expect(problems({ url, table: 'mailbox', columns: { address: 'a', password: 'p' } })).toBe('');
  });
});
