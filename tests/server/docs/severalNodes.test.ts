import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { cli } from '../../fixtures/cli.ts';
import { documentBlocks, withReal } from '../../fixtures/documentBlocks.ts';
import { tempFolder } from '../../fixtures/service.ts';
import { startMariaDb } from '../../services/mariadb.ts';
import { startPostgres } from '../../services/postgres.ts';
import { runToEnd } from '../../services/process.ts';

/** "Several nodes" of docs/configuration.md: with the page's statements and its `state` the tables are made, by a user with no more rights than those. */
const blocks = documentBlocks('docs/configuration.md').get('Several nodes') ?? [];
const [mariaDb = '', postgreSql = ''] = blocks.filter(({ language }) => language === 'sql').map(({ text }) => text);
const yaml = blocks.find(({ language }) => language === 'yaml')?.text ?? '';

async function expectTables(state: string) {
  const file = join(tempFolder(), 'config.yaml');
  writeFileSync(file, `dataDir: ${tempFolder()}\n${state}`);
  expect(await cli(['migrate', 'up', '-c', file])).toMatchObject({ status: 0 });
}

it('MariaDB', async () => {
  const database = await startMariaDb();
  try {
    await database.administer(mariaDb);
    await expectTables(withReal(yaml, { '@127.0.0.1/': `@127.0.0.1:${String(database.port)}/` }));
  } finally {
    await database.stop();
  }
}, 300_000);

it('PostgreSQL', async () => {
  const database = await startPostgres();
  try {
    for (const statement of postgreSql.trim().split('\n')) runToEnd('psql', ['-v', 'ON_ERROR_STOP=1', '-q', '-d', database.url, '-c', statement]);
    await expectTables(withReal(yaml, { 'mysql://': 'postgres://', '@127.0.0.1/': `@127.0.0.1:${String(database.port)}/` }));
  } finally {
    await database.stop();
  }
}, 300_000);
