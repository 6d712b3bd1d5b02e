// `npx tsx tests/bench/panels.ts [mariadb|postgres|sqlite] [domain]`: the Admin Panel's lists at 1,000 and at 1,000,000 mailboxes in one run, in turns, as
// the panel asks for them; once with a hundred mailboxes in each domain, once with all of them in one.
// `domain`: only the drop-down of domains.
import Database from 'libsql';
import { Client } from 'pg';
import { pino } from 'pino';
import { loadConfig } from '../../server/config/loadConfig.ts';
import { buildApp } from '../../server/http/app.ts';
import { wire } from '../../server/wiring.ts';
import { tempFolder } from '../fixtures/service.ts';
import { startMariaDb } from '../services/mariadb.ts';
import { startPostgres } from '../services/postgres.ts';
import { hashAdministratorPassword } from '../../server/panels/administrators.ts';

const ROUNDS = 60;
const WARM_UP = 10;
const DEEP = 5_000;
const ADMIN = { name: 'chief', password: 'Chief-of-all-1' };
const [engine = 'mariadb', only] = process.argv.slice(2);

interface Bench {
  /** Makes a database and resolves with its URL. */
  create(name: string, statements: (dialect: 'mariadb' | 'postgres' | 'sqlite') => readonly string[]): Promise<string>;
  stop(): Promise<unknown>;
}

/** PostfixAdmin's two tables, with the keys that docs/drivers/accounts-sql.md asks for. */
const layout = (mailboxes: number, perDomain: number) => (dialect: 'mariadb' | 'postgres' | 'sqlite'): string[] => {
  const numbers = (to: number): string => (dialect === 'mariadb' ? `(SELECT seq FROM seq_1_to_${String(to)}) n` : dialect === 'postgres' ? `generate_series(1, ${String(to)}) n(seq)`
    : `(WITH RECURSIVE c(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM c WHERE seq < ${String(to)}) SELECT seq FROM c) n`);
  const padded = (value: string): string => (dialect === 'sqlite' ? `printf('%07d', ${value})` : dialect === 'postgres' ? `LPAD((${value})::text, 7, '0')` : `LPAD(${value}, 7, '0')`);
  const joined = (...parts: string[]): string => (dialect === 'mariadb' ? `CONCAT(${parts.join(', ')})` : parts.join(' || '));
  const whole = dialect === 'mariadb' ? 'DIV' : '/';
  const domain = joined("'domain'", padded(`1 + (seq - 1) ${whole} ${String(perDomain)}`), "'.test'");
  return [
    `CREATE TABLE mailbox (username varchar(255) NOT NULL PRIMARY KEY, password varchar(255) NOT NULL, name varchar(255) NOT NULL DEFAULT '', domain varchar(255) NOT NULL, active smallint NOT NULL DEFAULT 1)`,
    'CREATE TABLE domain (domain varchar(255) NOT NULL PRIMARY KEY)',
    `INSERT INTO domain SELECT ${joined("'domain'", padded('seq'), "'.test'")} FROM ${numbers(mailboxes / perDomain)}`,
    `INSERT INTO mailbox (username, password, domain) SELECT ${joined("'user'", padded(`seq % ${String(perDomain)}`), "'@'", domain)}, '', ${domain} FROM ${numbers(mailboxes)}`,
    dialect === 'postgres' ? 'CREATE INDEX mailbox_search ON mailbox (domain, username COLLATE "C")' : dialect === 'sqlite' ? 'CREATE INDEX mailbox_list ON mailbox (domain, username)' : 'CREATE INDEX mailbox_domain ON mailbox (domain)',
    ...(dialect === 'postgres' ? ['CREATE INDEX mailbox_list ON mailbox (domain, username)', 'CREATE INDEX domain_search ON domain (domain COLLATE "C")', 'VACUUM ANALYZE mailbox', 'VACUUM ANALYZE domain'] : dialect === 'sqlite' ? ['ANALYZE'] : ['ANALYZE TABLE mailbox, domain']),
  ];
};

const ENGINES: Readonly<Record<string, () => Promise<Bench>>> = {
  async mariadb() {
    const server = await startMariaDb();
    return {
      async create(name, statements) {
        await server.query(`CREATE DATABASE ${name}; USE ${name}; ${statements('mariadb').join(';')}`);
        return server.url.replace(/mail$/, name);
      },
      stop: () => server.stop(),
    };
  },
  // Sorted as English sorts, the usual case, and the harder one.
  async postgres() {
    const server = await startPostgres();
    return {
      async create(name, statements) {
        await server.query(`CREATE DATABASE ${name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'`);
        const url = server.url.replace(/mail$/, name);
        const client = new Client(url);
        await client.connect();
        for (const statement of statements('postgres')) await client.query(statement);
        await client.end();
        return url;
      },
      stop: () => server.stop(),
    };
  },
  async sqlite() {
    const folder = tempFolder();
    return {
      async create(name, statements) {
        const file = new Database(`${folder}/${name}.db`);
        for (const statement of statements('sqlite')) file.exec(statement);
        file.close();
        return `sqlite:${folder}/${name}.db`;
      },
      stop: async () => undefined,
    };
  },
};

const bench = await ENGINES[engine]?.();
if (bench === undefined) throw new Error(`one of ${Object.keys(ENGINES).join(', ')}`);

async function build(name: string, mailboxes: number, perDomain: number) {
  const url = await bench!.create(name, layout(mailboxes, perDomain));
  const config = loadConfig({ overrides: {
    dataDir: tempFolder(), accounts: [{ driver: 'sql', url, preset: 'postfixadmin', domains: ['*'] }], timeouts: { accountsMs: 60_000 },
    administrators: [{ name: ADMIN.name, passwordHash: await hashAdministratorPassword(ADMIN.password), domains: ['*'] }],
  } });
  const wiring = await wire(config, pino({ level: 'silent' }));
  const app = await buildApp(wiring);
  const entered = await app.inject({ method: 'POST', url: '/mailbox-password/admin/api/v1/login', payload: ADMIN });
  const cookie = entered.cookies.map((each) => `${each.name}=${each.value}`).join('; ');
  const get = async (path: string) => {
    const since = performance.now();
    const answer = await app.inject({ url: `/mailbox-password/admin/api/v1${path}`, headers: { cookie } });
    if (answer.statusCode !== 200) throw new Error(answer.body);
    const took = performance.now() - since;
    return { took, body: answer.json<{ mailboxes?: unknown[]; nextCursor: string | null }>() };
  };
  /** The path of a page far down, or of the last one. */
  const deep = async (path: string): Promise<string> => {
    let at = path;
    for (let page = 1; page < DEEP; page += 1) {
      const { nextCursor } = (await get(at)).body;
      if (nextCursor === null) break;
      at = `${path}&cursor=${encodeURIComponent(nextCursor)}`;
    }
    return at;
  };
  /** Everything that a search finds: how long, in how many pages, and the longest of them. */
  const whole = async (path: string) => {
    const told = { found: 0, pages: 0, ms: 0, longest: 0 };
    for (let cursor: string | null = null, first = true; first || cursor !== null; first = false) {
      const { took, body } = await get(cursor === null ? path : `${path}&cursor=${encodeURIComponent(cursor)}`);
      told.found += body.mailboxes?.length ?? 0;
      told.pages += 1;
      told.ms += took;
      told.longest = Math.max(told.longest, took);
      cursor = body.nextCursor;
    }
    return told;
  };
  return { get, deep, whole, close: async () => { await app.close(); await wiring.close(); } };
}

type Built = Awaited<ReturnType<typeof build>>;
const median = (times: number[]): number => times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;

async function compare(name: string, small: Built, large: Built, paths: readonly [small: string, large: string]): Promise<void> {
  const times: [number[], number[]] = [[], []];
  for (let n = 0; n < ROUNDS; n += 1) {
    for (const [at, one] of [small, large].entries()) {
      const { took } = await one.get(paths[at] ?? '');
      if (n >= WARM_UP) times[at]?.push(took);
    }
  }
  const [few, many] = [median(times[0]), median(times[1])];
  console.log(`  ${name}: ${few.toFixed(2)} ms at 1,000, ${many.toFixed(2)} ms at 1,000,000, ratio ${(many / few).toFixed(2)}`);
}

try {
  for (const [shape, perDomain] of [['a hundred mailboxes in each domain', [100, 100]], ['all mailboxes in one domain', [1_000, 1_000_000]]] as const) {
    if (only !== undefined && perDomain[0] !== 100) continue;
    console.log(`${engine}, ${shape}:`);
    const kind = perDomain[0] === 100 ? 'many' : 'one';
    const [small, large] = [await build(`${kind}_small`, 1_000, perDomain[0]), await build(`${kind}_large`, 1_000_000, perDomain[1])];
    const domain = kind === 'many' ? 'domain0000007.test' : 'domain0000001.test';
    const list = `/mailboxes?domain=${domain}`;
    const same = (path: string): [string, string] => [path, path];
    if (only === undefined) {
      await compare('list, first page', small, large, same(list));
      await compare(`list, page ${String(DEEP)} or the last`, small, large, [await small.deep(list), await large.deep(list)]);
      await compare('search, what begins so (many)', small, large, same(`${list}&search=user`));
      await compare('search, what begins so (one)', small, large, same(`${list}&search=user0000042`));
      await compare('search, what stands inside: its first page', small, large, same(`${list}&search=r0000042`));
      for (const [size, one] of [['1,000', small], ['1,000,000', large]] as const) {
        const { found, pages, ms, longest } = await one.whole(`${list}&search=r0000042`);
        console.log(`  search, what stands inside, to its end at ${size}: ${String(found)} found in ${String(pages)} pages, ${ms.toFixed(0)} ms, the longest page ${longest.toFixed(0)} ms`);
      }
    }
    if (kind === 'many') {
      await compare('domain by type-ahead', small, large, same('/domains?search=domain0000007'));
      await compare('drop-down opened', small, large, same('/domains?search='));
      await compare('domain by what stands inside its name (no index can help)', small, large, same('/domains?search=omain0000007'));
    }
    await small.close();
    await large.close();
  }
} finally {
  await bench.stop();
}
