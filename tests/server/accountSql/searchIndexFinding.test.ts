import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Client } from 'pg';
import sqlDriver from '../../../server/drivers/accounts/sql.ts';
import { type Postgres, startPostgres } from '../../services/postgres.ts';
import { testContext } from '../drivers/sessions/driverContext.ts';

let server: Postgres;
let url: string;
let client: Client;
beforeAll(async () => {
  server = await startPostgres();
  // As most databases are: sorted by a language.
  await server.query("CREATE DATABASE sorted TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'");
  url = server.url.replace(/mail$/, 'sorted');
  client = new Client(url);
  await client.connect();
  await client.query("CREATE TABLE mailbox (username varchar(255) PRIMARY KEY, password varchar(255) NOT NULL, name varchar(255) NOT NULL DEFAULT '', domain varchar(255) NOT NULL, active smallint NOT NULL DEFAULT 1)");
  await client.query('CREATE TABLE domain (domain varchar(255) PRIMARY KEY)');
}, 120_000);
afterAll(async () => { await client.end(); await server.stop(); }, 60_000);

async function told() {
  const api = await sqlDriver.create(sqlDriver.options.validateSync({ url, preset: 'postfixadmin' }, { strict: true }) as never, testContext());
  const findings = await api.diagnose?.({ signal: AbortSignal.timeout(20_000), publicUrl: null, basePath: '', refusedLogIn: null });
  await api.close();
  return findings?.filter(({ check }) => check === 'search index').map(({ level, text, todo }) => [level, text, todo]);
}

it('says nothing of a small table, warns of a large one without it, also where only an index sorted by language is there, and names the one that is', async () => {
  expect(await told()).toEqual([]);
  await client.query("INSERT INTO mailbox (username, password, domain) SELECT 'u' || n || '@a.test', '', 'a.test' FROM generate_series(1, 21000) n");
  await client.query('CREATE INDEX by_language ON mailbox (domain, username)');
  await client.query('ANALYZE mailbox');
  const [[level, , todo] = []] = await told() ?? [];
  expect([level, todo]).toEqual(['warn', 'CREATE INDEX CONCURRENTLY mailbox_search ON mailbox (domain, username COLLATE "C")']);
  await client.query(String(todo));
  expect(await told()).toEqual([['ok', 'mailbox_search finds the beginning of an address', undefined]]);
}, 60_000);
