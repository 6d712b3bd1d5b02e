import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '../../../server/config/loadConfig.ts';
import { tempFolder } from '../../fixtures/service.ts';

function file(text: string): string {
  const path = join(tempFolder(), 'config.yaml');
  writeFileSync(path, text);
  return path;
}

function problems(load: () => unknown): readonly string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
  }
  return [];
}

test('an empty configuration is the embedded host', () => {
  expect(loadConfig({})).toMatchObject({ host: { driver: 'embedded' }, server: { host: '127.0.0.1', port: 8080 }, policy: { preset: 'default' } });
});

test('the file is read, the environment wins over it, the command line over both', () => {
  const path = file('server: { port: 1, basePath: /mp }\ndataDir: /tmp/a\n');
  const config = loadConfig({ file: path, environment: { MAILBOX_PASSWORD__SERVER__PORT: '2', MAILBOX_PASSWORD__DATADIR: '/tmp/b' }, overrides: { server: { port: 3 } } });
  expect([config.server.port, config.server.basePath, config.dataDir]).toEqual([3, '/mp', '/tmp/b']);
});

test.each([
  ['server: { port: "80" }', /^server\.port/],
  ['server: { prot: 80 }', /^server: .*prot/],
  ['colour: red', /^\(top level\): .*colour/],
  ['policy: { preset: default, minLength: 20, maxLength: 10 }', /^policy: minLength/],
  ['policy: { preset: default, minStrength: 5 }', /^policy\.minStrength/],
  ['sessions: []', /^sessions/],
  ['- a', /a mapping of keys/],
  ['a: [', /config\.yaml/],
])('%s does not start', (text, expected) => {
  expect(problems(() => loadConfig({ file: file(text) })).join('\n')).toMatch(expected);
});

test('a file that is not there is named', () => {
  expect(problems(() => loadConfig({ file: '/nowhere.yaml' })).join()).toContain('/nowhere.yaml');
});
