import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const run = (...args: string[]) => spawnSync(process.execPath, ['--import', 'tsx', 'server/cli/main.ts', 'locales', ...args], { encoding: 'utf8', timeout: 120_000 });

test('check, add and stats in a folder of one\'s own: what is printed, and the exit code', () => {
  const dir = join(mkdtempSync(join(tmpdir(), 'mailbox-password-own-')), 'locales');
  expect(run('add', 'sk', '--dir', dir)).toMatchObject({ status: 0, stderr: '' });
  expect(JSON.parse(readFileSync(join(dir, 'sk.json'), 'utf8'))).toMatchObject({ 'action.copy': '@todo Copy' });
  writeFileSync(join(dir, 'en.json'), '{ "section.infos": "Call us." }');

  const whole = run('check', '--dir', dir);
  expect(whole.status).toBe(1);
  expect(whole.stdout).toMatch(/sk\.json:\d+: error \[untranslated\] action\.copy: is not translated yet\n {4}-> replace all of it: Copy/);
  expect(whole.stdout).toMatch(/en\.json:1: error \[extra\] section\.infos: English has no such key\n {4}-> did you mean section\.info\?/);

  writeFileSync(join(dir, 'en.json'), '{\n  "section.info": "Call us."\n}\n');
  const partial = run('check', '--dir', dir, '--partial', '--json');
  expect(partial.status).toBe(0);
  const findings = JSON.parse(partial.stdout) as { severity: string; line: number }[];
  expect(new Set(findings.map(({ severity }) => severity))).toEqual(new Set(['warning']));

  expect(run('check', 'xx', '--dir', dir)).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('locales add xx') as string });
  expect(run('check', 'SK', '--dir', dir)).toMatchObject({ status: 1, stderr: expect.stringContaining('it is written sk') as string });
  for (const command of ['preview', 'shots']) expect(run(command, 'qq')).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('no file for qq') as string });
  expect(run('stats', '--dir', dir).stdout).toMatch(/^sk\s+Slovak\s+0 of \d+\s+0 %\s+not reviewed$/m);
}, 300_000);
