// `npx tsx tests/bench/panels.ts`: the Admin Panel's lists at 1,000 and at 1,000,000 mailboxes in one MariaDB, in turns, over HTTP calls.
import { pino } from 'pino';
import { loadConfig } from '../../server/config/loadConfig.ts';
import { buildApp } from '../../server/http/app.ts';
import { wire } from '../../server/wiring.ts';
import { tempFolder } from '../fixtures/service.ts';
import { startMariaDb } from '../services/mariadb.ts';
import { hashAdministratorPassword } from '../../server/panels/administrators.ts';

const PER_DOMAIN = 100;
const ROUNDS = 60;
const database = await startMariaDb();
const ADMIN = { name: 'chief', password: 'Chief-of-all-1' };

async function build(name: string, mailboxes: number) {
  await database.query(`CREATE DATABASE ${name}; USE ${name};
    CREATE TABLE mailbox (username varchar(255) NOT NULL PRIMARY KEY, password varchar(255) NOT NULL, name varchar(255) NOT NULL DEFAULT '', domain varchar(255) NOT NULL, active smallint NOT NULL DEFAULT 1, KEY domain (domain));
    CREATE TABLE domain (domain varchar(255) NOT NULL PRIMARY KEY);
    INSERT INTO domain SELECT CONCAT('domain', LPAD(seq, 5, '0'), '.test') FROM seq_1_to_${String(mailboxes / PER_DOMAIN)};
    INSERT INTO mailbox (username, password, domain) SELECT CONCAT('user', LPAD(seq % ${String(PER_DOMAIN)}, 5, '0'), '@domain', LPAD(1 + FLOOR((seq - 1) / ${String(PER_DOMAIN)}), 5, '0'), '.test'), '', CONCAT('domain', LPAD(1 + FLOOR((seq - 1) / ${String(PER_DOMAIN)}), 5, '0'), '.test') FROM seq_1_to_${String(mailboxes)};
    ANALYZE TABLE mailbox`);
  const config = loadConfig({ overrides: {
    dataDir: tempFolder(), accounts: [{ driver: 'sql', url: database.url.replace(/mail$/, name), preset: 'postfixadmin', domains: ['*'] }],
    administrators: [{ name: ADMIN.name, passwordHash: await hashAdministratorPassword(ADMIN.password), domains: ['*'] }],
  } });
  const wiring = await wire(config, pino({ level: 'silent' }));
  const app = await buildApp(wiring);
  const entered = await app.inject({ method: 'POST', url: '/mailbox-password/admin/api/v1/login', payload: ADMIN });
  const cookie = entered.cookies.map((each) => `${each.name}=${each.value}`).join('; ');
  const get = async (path: string): Promise<number> => {
    const since = performance.now();
    const answer = await app.inject({ url: `/mailbox-password/admin/api/v1${path}`, headers: { cookie } });
    if (answer.statusCode !== 200) throw new Error(answer.body);
    return performance.now() - since;
  };
  return { get, close: async () => { await app.close(); await wiring.close(); } };
}

const median = (times: number[]): number => times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
try {
  const [small, large] = [await build('small', 1_000), await build('large', 1_000_000)];
  for (const [name, path] of [
    ['list of a domain', '/mailboxes?domain=domain00007.test'], ['search in a domain', '/mailboxes?domain=domain00007.test&search=r00042'], ['domain by type-ahead', '/domains?search=domain00007'],
    ['drop-down opened', '/domains?search='], ['domain by what stands inside its name (no index can help)', '/domains?search=omain00007'],
  ] as const) {
    const times: [number[], number[]] = [[], []];
    for (let n = 0; n < ROUNDS; n += 1) {
      for (const [at, one] of [small, large].entries()) {
        const took = await one.get(path);
        if (n >= 10) times[at]?.push(took);
      }
    }
    const [few, many] = [median(times[0]), median(times[1])];
    console.log(`${name}: ${few.toFixed(2)} ms at 1,000, ${many.toFixed(2)} ms at 1,000,000, ratio ${(many / few).toFixed(2)}`);
  }
  await small.close();
  await large.close();
} finally {
  await database.stop();
}
