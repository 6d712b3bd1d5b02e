import { describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { NEW } from '../../fixtures/service.ts';
import { until } from '../../services/process.ts';
import { answers } from '../../services/slapd.ts';

const root = join(__dirname, '..', '..', '..');

/** A program and what it has said so far. */
function heard(child: ChildProcess): { said: () => string } {
  let text = '';
  for (const pipe of [child.stdout, child.stderr]) pipe?.on('data', (chunk: Buffer) => { text += chunk.toString(); });
  return { said: () => text };
}

describe('npm run try:dovecot', () => {
  it('comes up, does what it prints, and ends without a trace', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'tests/tryDovecot.ts')], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const { said } = heard(child);
    const clients: ChildProcess[] = [];
    try {
      await until('the printed help', async () => said().includes('Ctrl+C ends everything'), 120_000);
      const url = /Webmail +(\S+)/.exec(said())?.[1] ?? '';
      const [, address = '', password = ''] = /Mailboxes +(\S+) \/ (\S+)/.exec(said()) ?? [];
      const imap = Number(/IMAP (\d+)/.exec(said())?.[1]);
      const command = /^ +(node -e '.*')$/m.exec(said())?.[1] ?? '';
      // As printed, in a shell.
      const client = spawn('sh', ['-c', `exec ${command}`], { stdio: ['ignore', 'pipe', 'pipe'] });
      clients.push(client);
      const idle = heard(client);
      await until('IDLE', async () => idle.said().includes('+ idling'), 30_000);

      const login = await fetch(`${url}/host/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ address, password }) });
      const cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
      const { csrfToken } = (await (await fetch(`${url}/host/session`, { headers: { cookie } })).json()) as { csrfToken: string };
      const answer = await fetch(`${url}/mailbox-password/api/v1/password`, { method: 'POST', headers: { cookie, 'x-csrf-token': csrfToken, 'content-type': 'application/json' }, body: JSON.stringify({ currentPassword: password, newPassword: NEW }) });
      expect([answer.status, ((await answer.json()) as { revocation: string }).revocation]).toEqual([200, 'done']);
      await until('the end of the client', async () => idle.said().includes('-- the server ended the connection'), 30_000);

      const again = spawn('sh', ['-c', `exec ${command}`], { stdio: ['ignore', 'pipe', 'pipe'] });
      clients.push(again);
      const refused = heard(again);
      await until('the refusal', async () => /^a NO/m.test(refused.said()), 30_000);
      expect((await fetch(`${url}/panel`)).status).toBe(200);

      const ended = once(child, 'exit');
      child.kill('SIGINT');
      expect(await ended).toEqual([0, null]);
      expect([await answers(imap), await answers(Number(new URL(url).port))]).toEqual([false, false]);
    } finally {
      for (const one of [...clients, child]) one.kill('SIGKILL');
    }
  }, 240_000);
});
