import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, createConnection, type Socket } from 'node:net';
import Database from 'libsql';
import { Client } from 'pg';
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
  // More than are looked at with the first page; what holds it elsewhere stands before all of them, and behind.
  const names = [...Array.from({ length: 300 }, (_, n) => `shop${String(n).padStart(3, '0')}.test`), 'my-shop.test', 'a_shop.test', 'old.shop.test', 'other.test', 'x-ray.test', 'z-shop.test'];

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
      expect(found.slice(0, 300)).toEqual(names.slice(0, 300));
      expect(found.slice(300).sort()).toEqual(['a_shop.test', 'my-shop.test', 'old.shop.test', 'z-shop.test']);
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

describe('sql: mailboxes page by page', () => {
  const numbered = Array.from({ length: 60 }, (_, n) => `sales${String(n).padStart(3, '0')}`);
  // Where capitals, hyphens and underlines sort differs from language to language.
  const others = ['Sales-EU', 'sales', 'sales.north', 'sales_x', 'a-sales', 'my_sales', 'zSales', 'zoe', 'info', 'x%y'];
  const names = [...numbered, ...others];
  const engines: readonly (readonly [string, () => Promise<{ url: string; run: Run; stop: () => Promise<unknown> }>])[] = [
    ['MariaDB', async () => { const own = await startMariaDb(); return { url: own.url, run: (sql) => own.query(sql), stop: () => own.stop() }; }],
    ['MariaDB, capitals count', async () => { const own = await startMariaDb(); await own.query('ALTER DATABASE mail CHARACTER SET utf8mb4 COLLATE utf8mb4_bin'); return { url: own.url, run: (sql) => own.query(sql), stop: () => own.stop() }; }],
    ['PostgreSQL, C', async () => { const own = await startPostgres(); return { url: own.url, run: (sql) => own.query(sql), stop: () => own.stop() }; }],
    ['PostgreSQL, a language', async () => {
      const own = await startPostgres();
      await own.query("CREATE DATABASE other TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'");
      const url = own.url.replace(/mail$/, 'other');
      const run: Run = async (sql) => { const client = new Client(url); await client.connect(); try { await client.query(sql); } finally { await client.end(); } };
      return { url, run, stop: () => own.stop() };
    }],
    ['SQLite', async () => {
      const folder = serviceFolder('sqlite');
      const file = new Database(`${folder}/mail.db`);
      return { url: `sqlite:${folder}/mail.db`, run: (sql) => file.exec(sql), stop: async () => { file.close(); remove(folder); } };
    }],
  ];

  describe.each(engines)('%s', (_name, start) => {
    let engine: Awaited<ReturnType<typeof start>>;
    beforeAll(async () => {
      engine = await start();
      await engine.run(POSTFIXADMIN);
      await engine.run(DOVECOT);
      const two = names.flatMap((name) => [`${name}@example.test`, `${name}@other.test`]);
      await engine.run(`INSERT INTO mailbox (username, password, domain, name) VALUES ${two.map((address) => `('${address}', 'x', '${address.split('@')[1] ?? ''}', '${address.startsWith('zoe') ? 'Zoe of Sales' : ''}')`).join(', ')}`);
      await engine.run(`INSERT INTO users (username, domain, password) VALUES ${two.map((address) => `('${address.split('@')[0] ?? ''}', '${address.split('@')[1] ?? ''}', 'x')`).join(', ')}`);
    }, 60_000);
    afterAll(async () => { await engine.stop(); });

    it.each(['postfixadmin', 'dovecot'])('%s: every mailbox once, those that begin so first, however small the pages', async (preset) => {
      const api = await create({ url: engine.url, preset });
      const all = async (search: string, limit: number, between?: (page: number) => Promise<void>): Promise<string[]> => {
        const seen: string[] = [];
        for (let cursor: string | null = null, page = 0; page === 0 || cursor !== null; page += 1) {
          const found: Awaited<ReturnType<AccountApi['listMailboxes']>> = await api.listMailboxes({ domain: 'example.test', search, cursor, limit }, within());
          expect(found.mailboxes.length).toBeLessThanOrEqual(limit);
          seen.push(...found.mailboxes.map(({ address }) => address));
          cursor = found.nextCursor;
          await between?.(page);
        }
        expect(new Set(seen).size).toBe(seen.length);
        return seen;
      };
      const at = (...local: string[]): string[] => local.map((name) => `${name}@example.test`).sort();
      const named = preset === 'postfixadmin' ? ['zoe'] : [];
      for (const limit of [1, 7, 64, 500]) {
        expect([...await all('', limit)].sort()).toEqual(at(...names));
        const found = await all('SALES', limit);
        expect([...found].sort()).toEqual(at(...names.filter((name) => name.toLowerCase().includes('sales')), ...named));
        expect(found.slice(0, 63).every((address) => /^sales/i.test(address))).toBe(true);
        expect([...await all('sales_', limit)].sort()).toEqual(at('sales_x', 'my_sales').filter((address) => address.includes('sales_')));
        expect(await all('sales00', limit)).toEqual(at(...numbered.slice(0, 10)));
        expect(await all('sales007@ex', limit)).toEqual(at('sales007'));
        expect(await all('sales007@other', limit)).toEqual([]);
        expect(await all('%', limit)).toEqual(at('x%y'));
      }
      // What is added meanwhile disturbs nothing that was there, and comes where its place is still ahead.
      const [table, columns, value] = preset === 'dovecot' ? ['users', 'username, domain, password', (name: string) => `'${name}', 'example.test', 'x'`] as const
        : ['mailbox', 'username, domain, password', (name: string) => `'${name}@example.test', 'example.test', 'x'`] as const;
      const meanwhile = await all('sales', 9, async (page) => {
        if (page === 1) for (const name of ['sales0005', 'zz-sales']) await engine.run(`INSERT INTO ${table} (${columns}) VALUES (${value(name)})`);
      });
      expect([...meanwhile].sort()).toEqual(at(...names.filter((name) => name.toLowerCase().includes('sales')), ...named, 'zz-sales'));
      await engine.run(`DELETE FROM ${table} WHERE username LIKE 'sales0005%' OR username LIKE 'zz-sales%'`);
      await api.close();
    }, 60_000);

    it('a cursor that is none of this list is refused, and does not lead into another domain', async () => {
      const api = await create({ url: engine.url, preset: 'postfixadmin' });
      const seal = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      for (const cursor of ['', 'x', '____', seal(null), seal([]), seal(['all']), seal(['begins', '']), seal(['holds', 'a']), seal(['all', 1]), seal(['all', 'a\0']), seal(['all', '\ud800']), seal(['all', 'a'.repeat(400)]), seal({ 0: 'all', 1: 'a' })])
        expect(await codeOf(api.listMailboxes({ domain: 'example.test', search: '', cursor, limit: 5 }, within()))).toBe('REQUEST_INVALID');
      expect(await codeOf(api.listMailboxes({ domain: 'example.test', search: 'a', cursor: seal(['all', '']), limit: 5 }, within()))).toBe('REQUEST_INVALID');
      const { mailboxes } = await api.listMailboxes({ domain: 'example.test', search: '', cursor: seal(['all', "a' or 1=1 --"]), limit: 500 }, within());
      expect(mailboxes.every(({ address }) => address.endsWith('@example.test'))).toBe(true);
      if (api.pageDomains !== undefined) for (const cursor of ['x', seal(['all', 'a']), seal(['begins', 1])])
        expect(await codeOf(api.pageDomains({ search: '', cursor, limit: 5 }, within()))).toBe('REQUEST_INVALID');
      await api.close();
    });
  });

  it('a search in a domain of 30,000 reads a page of it, and what stands inside a stretch at a time (MariaDB)', async () => {
    const maria = await startMariaDb();
    await maria.query(POSTFIXADMIN.replace('smallint NOT NULL DEFAULT 0)', 'smallint NOT NULL DEFAULT 0, KEY domain (domain))'));
    await maria.query("INSERT INTO mailbox (username, password, domain) SELECT CONCAT('user', LPAD(seq, 5, '0'), '@example.test'), 'x', 'example.test' FROM seq_1_to_30000; ANALYZE TABLE mailbox");
    const api = await create({ url: maria.url, preset: 'postfixadmin' });
    const read = async (): Promise<number> => (await maria.query("SHOW GLOBAL STATUS LIKE 'Handler_read%'")).reduce((sum, row) => sum + Number(row['Value']), 0);
    const costs = async (search: string, cursor: string | null = null) => {
      const before = await read();
      const page = await api.listMailboxes({ domain: 'example.test', search, cursor, limit: 50 }, within());
      return { rows: (await read()) - before, page };
    };
    expect((await costs('')).rows).toBeLessThan(1_000);
    expect((await costs('user2')).rows).toBeLessThan(1_000);
    const [begins, inside] = [await costs('user299'), await costs('r29999')];
    for (const { rows } of [begins, inside]) expect(rows).toBeLessThan(6_000);
    expect([begins.page.mailboxes.length, inside.page.mailboxes.length]).toEqual([50, 0]);
    const next = await costs('r29999', inside.page.nextCursor);
    expect(next.rows).toBeLessThan(50_000);
    expect(next.page.nextCursor).not.toBeNull();
    const last = await costs('r29999', next.page.nextCursor);
    expect([last.page.mailboxes.map(({ address }) => address), last.page.nextCursor]).toEqual([['user29999@example.test'], null]);
    await api.close();
    await maria.stop();
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
