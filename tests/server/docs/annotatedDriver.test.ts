import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DRIVERS } from '../../../server/drivers/registry.ts';
import driver from '../../fixtures/folderSessions.ts';
import { documentBlocks } from '../../fixtures/documentBlocks.ts';
import { tempFolder } from '../../fixtures/service.ts';
import { describeSessionStore } from '../../suites/sessionStoreSuite.ts';
import { testContext } from '../drivers/sessions/driverContext.ts';

// The driver that docs/writing-a-driver.md explains is a real one: it passes the suite that it asks others to pass.
describeSessionStore('folder (the annotated one)', async () => {
  const folder = tempFolder();
  return {
    store: await driver.create(driver.options.validateSync({ folder }), testContext()), first: 'alice@example.test', second: 'bob@example.test', choosesIssuedAt: true,
    async open(address, issuedAt = Date.now()) {
      const file = join(folder, randomUUID());
      writeFileSync(file, JSON.stringify({ address, issuedAt }));
      return async () => existsSync(file);
    },
  };
});

test('the page names every kind of driver, and no other', () => {
  const page = readFileSync(join(__dirname, '../../../docs/writing-a-driver.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| `(\w+)` \|/gm)].map(([, kind = '', port = '']) => ({ kind, port }));
  expect(rows.map(({ kind }) => kind).sort()).toEqual(Object.keys(DRIVERS).sort());
  for (const { port } of rows) expect([port, existsSync(join(__dirname, '../../../server/ports', `${port[0]?.toLowerCase() ?? ''}${port.slice(1)}.ts`))]).toEqual([port, true]);
});

// And whoever writes it down from the page, and does the page's steps, has a driver that the service knows.
test('written down from the page into a copy of the tree it is a driver: registry, import rules, configuration, document', () => {
  const [block] = (documentBlocks('docs/writing-a-driver.md').get('An annotated one') ?? []).filter(({ language }) => language === 'ts');
  const here = join(__dirname, '../../..');
  const copy = tempFolder();
  for (const part of ['server', 'module', 'client', 'docs', 'locales', 'package.json', 'manifest.json', 'tsconfig.json', '.dependency-cruiser.cjs', 'tests/fixtures/folderSessions.ts']) cpSync(join(here, part), join(copy, part), { recursive: true });
  symlinkSync(join(here, 'node_modules'), join(copy, 'node_modules'));
  writeFileSync(join(copy, 'server/drivers/sessions/folder.ts'), block?.text ?? '');
  // What is imported is there: types too, which nothing loads.
  const imported = [...(block?.text ?? '').matchAll(/ from '(\.[^']+)'/g)].map(([, path = '']) => path);
  expect(imported.length).toBeGreaterThan(3);
  expect(imported.filter((path) => !existsSync(join(copy, 'server/drivers/sessions', path)))).toEqual([]);

  const run = (program: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: copy, encoding: 'utf8', env: { ...process.env, NODE_ENV: 'production' } });
    return { status, output: `${stdout}${stderr}` };
  };
  const tool = (name: string): string => join(here, 'node_modules/.bin', name);
  expect(run('node', 'server/drivers/generateRegistry.mjs')).toMatchObject({ status: 0 });
  expect(run(tool('depcruise'), '--config', '.dependency-cruiser.cjs', 'server/drivers')).toMatchObject({ status: 0 });
  const config = join(copy, 'config.yaml');
  writeFileSync(config, `dataDir: ${copy}/data\nsessions:\n  - { driver: folder, name: web, folder: relative }\n`);
  expect(run(tool('tsx'), 'server/cli/main.ts', 'config', 'check', '-c', config).output).toContain('folder must be an absolute path');
  writeFileSync(config, `dataDir: ${copy}/data\nsessions:\n  - { driver: folder, name: web, folder: ${copy} }\n`);
  expect(run(tool('tsx'), 'server/cli/main.ts', 'config', 'check', '-c', config)).toMatchObject({ status: 0 });
  expect(run(tool('tsx'), 'server/docs/generateDocs.ts')).toMatchObject({ status: 0 });
  expect(readFileSync(join(copy, 'docs/configuration.md'), 'utf8')).toContain('### sessions: folder');
}, 240_000);
