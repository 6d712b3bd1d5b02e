import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verify } from '@node-rs/argon2';
import { expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { inspectConfig } from '../../../server/config/loadConfig.ts';
import { cli } from '../../fixtures/cli.ts';

const SLOW = 120_000;
const PASSWORD = 'Administrator-of-all-9';
const URL = 'mysql://u:very-secret@127.0.0.1/mail';

const ANSWERS = `
server: { publicUrl: "https://mail.example.com" }
accounts: [{ driver: sql, domains: ["*"], url: "${URL}", preset: postfixadmin }]
sessions:
  - { driver: embedded, name: web }
  - { driver: dovecot, name: mail, backends: [{ url: "http://127.0.0.1:8090", apiKey: api-key-secret }] }
`;

function folder(answers = ANSWERS) {
  const path = mkdtempSync(join(tmpdir(), 'mailbox-password-init-'));
  writeFileSync(join(path, 'answers.yaml'), answers);
  return { path, output: join(path, 'etc', 'config.yaml'), answers: join(path, 'answers.yaml') };
}

it('answers become a configuration that explains itself; secrets are in files of mode 0600; nothing is overwritten', async () => {
  const { path, output, answers } = folder();
  const init = ['init', '-o', output, '--answers', answers, '--data-dir', join(path, 'data'), '--administrator', 'carol', '--domain', 'a.test', 'b.test', '--password-stdin'];
  const made = await cli([...init, '--json'], { input: `${PASSWORD}\n` });
  expect([made.status, made.stderr]).toEqual([0, expect.stringContaining('doctor -c')]);
  const { secrets } = JSON.parse(made.stdout) as { secrets: string[] };
  expect(secrets.map((file) => file.slice(join(path, 'etc').length))).toEqual(['/secrets/accounts-0-url', '/secrets/sessions-1-backends-0-apiKey', '/secrets/administrators-0-passwordHash']);
  for (const file of [output, ...secrets]) expect(statSync(file).mode & 0o777).toBe(0o600);
  const text = readFileSync(output, 'utf8');
  for (const secret of ['very-secret', 'api-key-secret', PASSWORD, '$argon2id$']) expect(text).not.toContain(secret);

  const { config, problems } = inspectConfig({ file: output });
  expect(problems).toEqual([]);
  expect(config).toMatchObject({ server: { publicUrl: 'https://mail.example.com', port: 8080 }, accounts: [{ url: URL }], administrators: [{ name: 'carol', domains: ['a.test', 'b.test'] }] });
  expect(await verify(config?.administrators[0]?.passwordHash ?? '', PASSWORD)).toBe(true);
  // Everything that is commented out would be good YAML too.
  const live = text.split('\n').map((line) => (/^\s*# ?(\s*)[a-zA-Z0-9]+:( |$)/.test(line) ? line.replace('# ', '') : line)).join('\n');
  expect(Object.keys(parse(live) as object)).toEqual(expect.arrayContaining(['server', 'rateLimit', 'readOnly', 'panels']));

  const again = await cli(init, { input: `${PASSWORD}\n` });
  expect(again).toMatchObject({ status: 73, stderr: expect.stringContaining('there already') });
  expect(readFileSync(output, 'utf8')).toBe(text);
  expect((await cli([...init, '--force'], { input: `${PASSWORD}\n` })).status).toBe(0);
  expect((await cli(['config', 'check', '-c', output])).stdout).toBe('The configuration is good.\n');
  const shown = (await cli(['config', 'show', '-c', output])).stdout;
  expect(shown).toMatch(/^server\.publicUrl +https:\/\/mail\.example\.com +\(file .*config\.yaml\)$/m);
  expect(shown).toMatch(/^server\.port +8080 +\(default\)$/m);
  expect(shown).not.toContain('very-secret');
}, SLOW);

it('wrong answers write nothing and name every problem; a short password and no terminal are refused', async () => {
  const { path, output, answers } = folder('server: { port: eighty }\naccounts: [{ driver: sql, domains: ["*"], url: "oracle://very-secret" }]\n');
  const wrong = await cli(['init', '-o', output, '--answers', answers]);
  expect(wrong.status).toBe(78);
  expect(wrong.stderr).toMatch(/server\.port[\s\S]*accounts\[0\]\.url/);
  expect(wrong.stderr).not.toContain('very-secret');
  expect(await cli(['init', '-o', output, '--answers', folder().answers, '--administrator', 'a', '--password-stdin'], { input: 'short\n' })).toMatchObject({ status: 65 });
  expect(await cli(['init', '-o', output])).toMatchObject({ status: 2, stderr: expect.stringContaining('--answers') });
  expect(readdirSync(path)).toEqual(['answers.yaml']);
}, SLOW);

it('config check: exit code 78, all problems as JSON; config show masks what stands in the file itself; a wrong command line is exit code 2', async () => {
  const { path } = folder();
  const file = join(path, 'c.yaml');
  writeFileSync(file, `${ANSWERS}policy: { preset: strong }\ncolour: red\n`);
  const check = await cli(['config', 'check', '--json', '-c', file]);
  expect([check.status, (JSON.parse(check.stdout) as { problems: { path: string }[] }).problems.map((problem) => problem.path)]).toEqual([78, ['policy.preset', '(top level)']]);
  const show = await cli(['config', 'show', '-c', file], { env: { MAILBOX_PASSWORD__SERVER__PORT: '81' } });
  expect(show.status).toBe(78);
  expect(show.stdout).toMatch(/accounts\[0\]\.url +\*{8} +\(file/);
  expect(show.stdout).toMatch(/server\.port +81 +\(environment\)/);
  expect(show.stdout).not.toMatch(/very-secret|api-key-secret/);
  expect((await cli(['set'])).status).toBe(2);
  expect((await cli(['outbox', 'list', '--frobnicate'])).status).toBe(2);
  expect((await cli(['set', 'alice@example.test', '-c', '/nowhere.yaml', '--generate']))).toMatchObject({ status: 78, stderr: expect.stringContaining('/nowhere.yaml') });
}, SLOW);
