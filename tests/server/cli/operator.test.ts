import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { EXIT_CODES } from '../../../server/cli/exitCodes.ts';
import { buildProgram } from '../../../server/cli/program.ts';
import { cli, configFile } from '../../fixtures/cli.ts';
import { tempFolder } from '../../fixtures/service.ts';

// What an operator meets who types, pipes and mistypes.
const SLOW = 240_000;
const root = join(__dirname, '..', '..', '..');
const errorIn = (stdout: string) => (JSON.parse(stdout) as { error: { code: string; message: string; exitCode: number; problems?: unknown[]; fields?: string[] } }).error;

it('a word that is no command is answered with the one that was meant, at the top too; an option as well; without a word it is serve', async () => {
  const [top, below, option] = await Promise.all([cli(['outbx']), cli(['outbox', 'lst']), cli(['audit', 'list', '--frm', '7d'])]);
  expect(top).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/unknown command 'outbx'\n\(Did you mean outbox\?\)/) });
  expect(below).toMatchObject({ status: 2, stderr: expect.stringContaining('Did you mean list?') });
  expect(option).toMatchObject({ status: 2, stderr: expect.stringContaining('Did you mean --from?') });
  for (const words of [[], ['--port', 'x']]) {
    const program = buildProgram(words);
    for (const one of program.commands) one.configureOutput({ writeErr: () => undefined });
    await expect(program.parseAsync(['--port', 'x'], { from: 'user' })).rejects.toThrow(/option '-p, --port/);
  }
}, SLOW);

it('--json answers with JSON in every case: a refusal, a wrong configuration, a wrong command line, something that is not there', async () => {
  const { file } = configFile({});
  const { file: bad } = configFile({ policy: { preset: 'strong' } });
  const [refused, weak, configuration, usage, nothing] = await Promise.all([
    cli(['set', 'nobody@example.test', '--generate', '--json', '-c', file]), cli(['set', 'alice@example.test', '--password-stdin', '--json', '-c', configFile({}).file], { input: 'short\n' }),
    cli(['sessions', 'alice@example.test', '--json', '-c', bad]), cli(['audit', 'list', '--limit', 'x', '--json']), cli(['locales', 'check', 'zz', '--json']),
  ]);
  expect([refused.status, errorIn(refused.stdout)]).toEqual([65, { code: 'ACCOUNT_NOT_FOUND', exitCode: 65, message: expect.stringContaining('Check the spelling') }]);
  expect([weak.status, errorIn(weak.stdout).code, errorIn(weak.stdout).fields]).toEqual([65, 'PASSWORD_REJECTED', expect.arrayContaining(['PASSWORD_TOO_SHORT'])]);
  expect(errorIn(configuration.stdout)).toMatchObject({ code: 'CONFIGURATION', exitCode: 78, problems: [{ path: 'policy.preset' }] });
  expect(errorIn(usage.stdout)).toMatchObject({ code: 'USAGE', exitCode: 2, message: expect.stringContaining('a whole number') });
  expect(errorIn(nothing.stdout)).toMatchObject({ code: 'NOT_GOOD', exitCode: 1, message: expect.stringContaining('no file for zz') });
  // For people all the same, and never a stack.
  for (const { stderr, stdout } of [refused, weak, configuration, usage, nothing]) {
    expect(stderr).not.toBe('');
    expect(stdout + stderr).not.toMatch(/^ +at /m);
  }
}, SLOW);

it('a command beside a service that was never started says so, and leaves nothing behind', async () => {
  const folder = tempFolder();
  const env = { MAILBOX_PASSWORD__DATADIR: join(folder, 'data') };
  const ended = await Promise.all([['audit', 'list'], ['outbox', 'list'], ['migrate', 'status'], ['set', 'alice@example.test', '--generate'], ['sessions', 'alice@example.test']].map((words) => cli(words, { env })));
  for (const { status, stderr } of ended) expect([status, stderr]).toEqual([1, expect.stringMatching(/is not there yet[\s\S]*--config/)]);
  expect(existsSync(join(folder, 'data'))).toBe(false);
}, SLOW);

it('sessions of a mailbox that nobody has: the spelling is doubted', async () => {
  const { file } = configFile({});
  const [unknown, known] = await Promise.all([cli(['sessions', 'alcie@example.test', '-c', file]), cli(['sessions', 'alice@example.test', '-c', file])]);
  expect(unknown).toMatchObject({ status: 1, stderr: expect.stringContaining('knows no such mailbox') });
  expect(known).toMatchObject({ status: 0, stdout: 'alice@example.test is logged in nowhere.\n', stderr: '' });
}, SLOW);

it('a reader that goes away is no error: no stack, the exit code of what was found', async () => {
  const { file } = configFile({});
  const closing = (words: readonly string[], which: 'stdout' | 'stderr') => new Promise<{ status: number | null; other: string }>((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'server/cli/main.ts'), ...words], { cwd: root, env: { PATH: process.env['PATH'] ?? '' } });
    let other = '';
    child[which].destroy();
    child[which === 'stdout' ? 'stderr' : 'stdout'].on('data', (chunk: Buffer) => { other += chunk.toString(); });
    child.once('error', reject).once('close', (status) => { resolve({ status, other }); });
  });
  expect(await closing(['config', 'show', '-c', file], 'stdout')).toEqual({ status: 0, other: '' });
  expect(await closing(['outbox', 'lst', '--json'], 'stderr')).toEqual({ status: 2, other: expect.stringContaining('"USAGE"') });
}, SLOW);

it('no command writes an escape sequence where nobody sits at a terminal', async () => {
  const { file } = configFile({});
  const ended = await Promise.all([['--help'], ['set', 'alice@example.test', '--generate', '-c', file], ['doctor', '-c', file], ['outbox', 'lst'], ['migrate', 'up', '-c', file]].map((words) => cli(words, { env: { FORCE_COLOR: '0' } })));
  for (const { stdout, stderr } of ended) expect(stdout + stderr).not.toContain('\u001B');
}, SLOW);

it('set and logout leave one log line each, as the panels do: request id, outcome, what was ended and is owed; the history has the same id; no secret', async () => {
  const { file } = configFile({ log: { level: 'info' } });
  const set = await cli(['set', 'alice@example.test', '--generate', '--json', '-c', file]);
  const logout = await cli(['logout', 'alice@example.test', '-c', file]);
  const linesOf = (text: string) => text.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as { msg: string; requestId?: string }).filter(({ requestId }) => requestId !== undefined);
  const events = JSON.parse((await cli(['audit', 'list', '--json', '-c', file])).stdout) as { requestId: string }[];
  const [setLine, ...afterSet] = linesOf(set.stderr);
  expect(setLine).toMatchObject({ msg: 'password set', surface: 'command-line', address: 'alice@example.test', by: 'cli', outcome: 'done', ended: { web: 0 }, pending: [], requestId: events[1]?.requestId });
  const [logoutLine, ...afterLogout] = linesOf(logout.stderr);
  expect(logoutLine).toMatchObject({ msg: 'log-out', surface: 'command-line', outcome: 'done', ended: { web: 0 }, pending: [], requestId: events[0]?.requestId });
  expect([afterSet, afterLogout]).toEqual([[], []]);
  expect(set.stderr).not.toContain((JSON.parse(set.stdout) as { password: string }).password);
}, SLOW);

function every(command: Command): Command[] {
  return [command, ...command.commands.filter((one) => one.name() !== 'help').flatMap(every)];
}

it('each help says what it does and shows examples; the first one lists every exit code; every command that finds something knows --json', async () => {
  const top = await cli(['--help']);
  for (const { code, meaning } of Object.values(EXIT_CODES)) expect(top.stdout).toMatch(new RegExp(`^ +${String(code)} +${meaning.slice(0, 20).replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}`, 'm'));
  const program = buildProgram();
  const withoutJson = every(program).filter((one) => one.commands.length === 0 && !one.options.some(({ long }) => long === '--json')).map((one) => `${one.parent?.name() === program.name() ? '' : `${one.parent?.name() ?? ''} `}${one.name()}`);
  // What they write is a page, a picture, a file, or is JSON lines with --format.
  expect(withoutJson.sort()).toEqual(['audit export', 'locales add', 'locales preview', 'locales shots', 'serve']);
  for (const one of every(program).filter((each) => each.commands.length === 0)) {
    let shown = '';
    one.configureOutput({ writeOut: (text) => { shown += text; } }).outputHelp();
    expect(shown).toMatch(/Exit codes:/);
    expect(shown).toMatch(/Examples:/);
  }
}, SLOW);
