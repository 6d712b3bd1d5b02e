import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { serve } from '../../../server/cli/serve.ts';
import { inspectConfig } from '../../../server/config/loadConfig.ts';

const root = join(__dirname, '..', '..', '..');
const PASSWORD = 'Administrator-of-all-9';
const DOWN = '\u001b[B';

/** Somebody at a terminal (util-linux's `script` makes a real one): each question is waited for and answered. */
function atTerminal(args: readonly string[], env: Readonly<Record<string, string>>, answers: readonly (readonly [question: RegExp, keys: string])[]): Promise<{ screen: string; status: number | null }> {
  return new Promise((resolve, reject) => {
    // Afterwards the terminal itself is asked whether it echoes what is typed, as it did before.
    const words = `${[process.execPath, '--import', 'tsx', join(root, 'server', 'cli', 'main.ts'), ...args].map((word) => `'${word}'`).join(' ')}; code=$?; stty -a | grep -oE -- '-?(echo|icanon)\\b'; exit $code`;
    const child = spawn('script', ['-qefc', words, '/dev/null'], { cwd: root, env: { ...process.env, ...env, TERM: 'xterm', COLUMNS: '400' } });
    let screen = '';
    let seen = 0;
    const left = [...answers];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      screen += text;
      const next = left[0];
      const found = next?.[0].exec(screen.slice(seen));
      if (next === undefined || found === null || found === undefined) return;
      left.shift();
      seen = screen.length;
      child.stdin.write(next[1]);
    });
    child.on('error', reject).on('close', (status) => {
      if (left.length > 0) reject(new Error(`never asked: ${String(left[0]?.[0])}\n${screen}`));
      else resolve({ screen, status });
    });
  });
}

it('init at a terminal: an operator with PostfixAdmin and Dovecot answers a few questions, and the configuration is a good one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mailbox-password-init-'));
  const output = join(folder, 'etc', 'config.yaml');
  // The package's command names the place of the configuration; without -o it is written there.
  const { screen, status } = await atTerminal(['init'], { MAILBOX_PASSWORD_CONFIG: output }, [
    [/https address that people see/, 'mail.example.com\r'],
    [/it begins with https:/, '\u0015https://mail.example.com\r'],
    [/web server in front/, 'the-proxy\r'],
    [/a list of IP addresses and ranges/, '\u0015127.0.0.1\r'],
    [/Folder for the module's own database/, `${join(folder, 'state')}\r`],
    [/Which webmail/, `${DOWN.repeat(2)}\r`],
    // Without a webmail there are no options: none are asked for.
    [/Where do mailbox passwords live/, `${DOWN.repeat(6)}\r`],
    [/Domains of these mailboxes/, '\r'],
    [/preset \(/, '\r'],
    [/url \(Database/, 'mysql://u:very-secret@127.0.0.1/vmail\r'],
    [/More of sql/, '\r'],
    [/Where are people logged in/, ' \r'],
    [/backends\[\]\.url/, 'http://127.0.0.1:8090\r'],
    [/backends\[\]\.apiKey/, 'api-key-secret\r'],
    [/More of dovecot/, '\r'],
    [/IMAP server with TLS/, '\u0015mail.example.com:993\r'],
    [/without port/, '\u0015mail.example.com\r'],
    [/first administrator/, 'carol smith\r'],
    [/name must match/, '\u0015admin\r'],
    [/Password of admin/, 'short\r'],
    [/at least 12 characters[\s\S]*Password of admin/, `${PASSWORD}\r`],
    [/Once more/, 'another one\r'],
    [/not the same[\s\S]*Password of admin/, `${PASSWORD}\r`],
    [/Once more/, `${PASSWORD}\r`],
  ]);
  expect([status, existsSync(output)]).toEqual([0, true]);
  expect(screen.slice(screen.indexOf('Next:'))).toMatch(/icanon\s+echo\s/);
  expect(screen).not.toMatch(/very-secret|api-key-secret|More of none/);
  expect(screen).not.toContain(PASSWORD);
  expect(statSync(output).mode & 0o777).toBe(0o600);
  expect(readFileSync(output, 'utf8')).not.toMatch(/very-secret|api-key-secret/);
  const { config, problems } = inspectConfig({ file: output });
  expect(problems).toEqual([]);
  expect(config).toMatchObject({
    server: { publicUrl: 'https://mail.example.com', trustProxy: ['127.0.0.1'] },
    accounts: [{ driver: 'sql', preset: 'postfixadmin', url: 'mysql://u:very-secret@127.0.0.1/vmail' }],
    sessions: [{ driver: 'dovecot', name: 'mail', backends: [{ url: 'http://127.0.0.1:8090', apiKey: 'api-key-secret' }] }],
    mailSettings: { imap: { host: 'mail.example.com', port: 993, encryption: 'tls' } },
    administrators: [{ name: 'admin', domains: ['*'] }],
  });
  const service = await serve({ ...config as NonNullable<typeof config>, server: { ...(config as NonNullable<typeof config>).server, port: 0 }, log: { level: 'silent' } });
  expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
  await service.stop();
}, 600_000);

it.each([
  ['init, at the third question', ['init', '-o', '{folder}/config.yaml'], [[/https address that people see/, '\r'], [/Folder for the module's own database/, '\r'], [/Which webmail/, '\u0003']]],
  ['a new password', ['set', 'alice@example.test'], [[/New password of alice/, 'Half-a-pass\u0003']]],
  ['an administrator\'s password', ['hash-password'], [[/Password/, 'half\u0003']]],
  ['the current password of a write test', ['doctor', '--write-test', 'alice@example.test'], [[/Current password of alice/, '\u0003']]],
] as const)('Ctrl+C at %s: exit code 130, nothing half written, the terminal as it was', async (_name, words, keys) => {
  const folder = mkdtempSync(join(tmpdir(), 'mailbox-password-init-'));
  const data = join(folder, 'data');
  mkdirSync(data);
  const { screen, status } = await atTerminal(words.map((word) => word.replace('{folder}', folder)), { MAILBOX_PASSWORD__DATADIR: data }, keys);
  expect([status, screen.includes('Stopped. Nothing was done.')]).toEqual([130, true]);
  expect(screen).not.toMatch(/^ +at |Half-a-pass/m);
  expect(screen.slice(screen.indexOf('Stopped.'))).toMatch(/icanon\s+echo\s/);
  expect(readdirSync(folder)).toEqual(['data']);
}, 300_000);
