import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from '@jest/globals';
import { driverKeys, driversOf, type DriverSection, topLevelKeys } from '../../../server/config/configKeys.ts';
import { inspectConfig } from '../../../server/config/loadConfig.ts';
import { originOf } from '../../../server/config/layers.ts';
import { tempFolder } from '../../fixtures/service.ts';

const SECRET = 'hunter2-very-secret';
const folder = tempFolder();

function file(text: string): string {
  const path = join(folder, `${String(Math.random()).slice(2)}.yaml`);
  writeFileSync(path, text);
  return path;
}

const inspect = (text: string, environment = {}) => inspectConfig({ file: file(text), environment });
const paths = (text: string) => inspect(text).problems.map(({ path }) => path).sort();

test('every problem of every part is found at once: the top, each driver, what the entries say together', () => {
  const found = paths(`
server: { port: eighty, hots: x }
host: { driver: roundcube }
accounts:
  - { driver: sql, domains: [a.test], url: "oracle://x", poolSize: 0 }
  - { driver: passwdFile, domains: [a.test] }
sessions:
  - { driver: dovecot, name: mail, backends: [{ url: "http://10.0.0.1", apiKey: k }], channels: [fax] }
  - { driver: embedded, name: mail, colour: red }
policy: { preset: strong }
`);
  expect(found).toEqual(expect.arrayContaining([
    'server', 'server.port', 'host.driver', 'accounts[0].url', 'accounts[0].poolSize', 'accounts[1].file', 'accounts[1].domains',
    'sessions[0].backends[0].url', 'sessions[0].channels[0]', 'sessions[1]', 'sessions', 'policy.preset',
  ]));
});

test('a problem says what stands there, what is expected and an example', () => {
  const [problem] = inspect('server: { port: 99999 }').problems;
  expect(problem).toEqual({ path: 'server.port', message: expect.stringContaining('65535'), value: '99999', expected: 'a whole number from 0 to 65535', example: '8080' });
  expect(inspect('server: { prot: 1 }').problems[0]?.message).toBe('unknown key prot (did you mean port?)');
});

test.each([
  ['a secret of the wrong form', `accounts: [{ driver: sql, domains: ["*"], preset: dovecot, url: "${SECRET}" }]`],
  ['a secret of the wrong type', `accounts: [{ driver: sql, domains: ["*"], preset: dovecot, url: [${SECRET}] }]`],
  ['an administrator\'s hash that is a password', `administrators: [{ name: a, passwordHash: "${SECRET}", domains: ["*"] }]`],
  ['a mapping of secrets', `accounts: [{ driver: http, domains: ["*"], baseUrl: "https://a.test", headers: { "bad name": "${SECRET}" } }]`],
  ['YAML that does not parse', `accounts: [{ url: "${SECRET}" }\n}`],
])('%s is not repeated', (_what, text) => {
  const { config, problems } = inspect(text);
  expect(config).toBeNull();
  expect(JSON.stringify(problems)).not.toContain(SECRET);
});

test('a secret from a file is not repeated either; a file that cannot be read is one problem', () => {
  const secret = join(folder, 'secret');
  writeFileSync(secret, `${SECRET}\n`);
  chmodSync(secret, 0o600);
  expect(JSON.stringify(inspect(`state: { url: { file: ${secret} } }`).problems)).not.toContain(SECRET);
  expect(inspect('accounts: [{ driver: sql, domains: ["*"], preset: dovecot, url: { file: /nowhere } }]').problems).toEqual([{ path: 'accounts[0].url', message: '/nowhere cannot be read (ENOENT: there is no such file)' }]);
});

test('every value knows where it comes from', () => {
  const { layers } = inspectConfig({ file: file('server: { port: 1, basePath: /a }\naccounts: [{ driver: embedded, domains: ["*"] }]'), environment: { MAILBOX_PASSWORD__SERVER__BASEPATH: '/b' }, overrides: { server: { port: 3 } } });
  expect(['server.port', 'server.basePath', 'accounts[0].driver', 'server.host', 'sessions[0].name'].map((path) => originOf(path, layers).replace(/^file .*/, 'file')))
    .toEqual(['command line', 'environment', 'file', 'default', 'default']);
});

describe.each(['host', 'accounts', 'sessions'] as const)('%s drivers', (section: DriverSection) => {
  const drivers = Object.entries(driversOf(section));
  it.each(drivers)('%s: nothing, and everything of the wrong type, is a list of problems, never a crash', (name) => {
    const options = Object.fromEntries(driverKeys(section, name).map(({ path }) => [path.split(/[.[]/)[0] ?? '', 17]));
    for (const own of [{}, options, Object.fromEntries(Object.keys(options).map((key) => [key, null])), Object.fromEntries(Object.keys(options).map((key) => [key, [{ a: 1 }]]))]) {
      const entry = { driver: name, ...own };
      const tree = section === 'host' ? { host: entry } : { [section]: [{ ...entry, ...(section === 'accounts' ? { domains: ['*'] } : { name: 'x' }) }] };
      const { problems } = inspectConfig({ overrides: tree });
      for (const problem of problems) expect(problem.message).not.toMatch(/undefined|final value/);
    }
  });
});

test('every key has a description and an example; the drivers\' too', () => {
  const all = [
    ...topLevelKeys().map((key) => ({ key, where: key.path })),
    ...(['host', 'accounts', 'sessions'] as const).flatMap((section) => Object.keys(driversOf(section)).flatMap((name) => driverKeys(section, name).map((key) => ({ key, where: `${section} ${name} ${key.path}` })))),
  ];
  const isGroup = ({ path }: { path: string }, keys: readonly { path: string }[]) => keys.some((other) => other.path.startsWith(`${path}.`) || other.path.startsWith(`${path}[].`));
  const lacking = all.filter(({ key }) => key.description === '' || (key.example === undefined && !isGroup(key, all.map((one) => one.key)))).map(({ where }) => where);
  expect(lacking).toEqual([]);
  expect(all.length).toBeGreaterThan(100);
});
