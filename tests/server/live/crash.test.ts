import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ALICE, BOB, NEW, tempFolder } from '../../fixtures/service.ts';
import { imapClient, type MailClient } from '../../services/mailClients.ts';
import { BACKENDS } from '../../services/mailBackends.ts';
import { type AnyMailPlatform, platformOn } from '../../services/mailPlatform.ts';
import { sleep, until } from '../../services/process.ts';

const root = join(__dirname, '..', '..', '..');
const BEFORE = ['before record', 'after record'];
const AFTER = ['after change', 'before confirm', 'after confirm', 'before complete', 'after complete', 'before audit'];

describe.each(['mariadb', 'postgres', 'ldap', 'http', 'passwdFile'] as const)('killed between two hops, accounts on %s, Dovecot', (engine) => {
  let platform: AnyMailPlatform;
  const children: ChildProcess[] = [];
  let clients: MailClient[] = [];
  beforeAll(async () => { platform = await platformOn(await BACKENDS[engine]()); }, 60_000);
  beforeEach(async () => { await platform.seed(); });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    for (const client of clients) client.close();
  });
  afterAll(async () => { await platform.stop(); });

  async function launch(dataDir: string, hop: string): Promise<{ child: ChildProcess; url: string }> {
    const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'tests/fixtures/crashingServer.ts'), dataDir, hop,
      JSON.stringify({ accounts: platform.overrides.accounts, sessions: platform.overrides.sessions, timeouts: { accountsMs: 1500, sessionsMs: 3000, hostMs: 1500 } })], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
    children.push(child);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return { child, url: line.toString().trim() };
  }

  it.each([...BEFORE, ...AFTER])('%s', async (hop) => {
    const dataDir = tempFolder();
    const { child, url } = await launch(dataDir, hop);
    const login = await fetch(`${url}/host/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(ALICE) });
    const cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const { csrfToken } = (await (await fetch(`${url}/host/session`, { headers: { cookie } })).json()) as { csrfToken: string };
    const [old, idle, bob] = await Promise.all([
      imapClient(platform.dovecot.imap, ALICE.address, ALICE.password), imapClient(platform.dovecot.imap, ALICE.address, ALICE.password, { idle: true }),
      imapClient(platform.dovecot.imap, BOB.address, BOB.password, { idle: true }),
    ]);
    clients = [old, idle, bob].filter((client) => client !== null);
    const states = () => Promise.all(clients.map((client) => client.alive()));
    const died = once(child, 'exit');
    await fetch(`${url}/mailbox-password/api/v1/password`, { method: 'POST', headers: { cookie, 'x-csrf-token': csrfToken, 'content-type': 'application/json' }, body: JSON.stringify({ currentPassword: ALICE.password, newPassword: NEW }) }).catch(() => undefined);
    await died;
    if (BEFORE.includes(hop)) {
      await launch(dataDir, 'never');
      await sleep(700);
      expect(await states()).toEqual([true, true, true]);
      expect(await platform.accepts(ALICE.address, ALICE.password)).toBe(true);
      expect(await platform.accepts(ALICE.address, NEW)).toBe(false);
      return;
    }
    // A session of the new password, from another address and a second later, so that Dovecot can tell it from the old ones.
    await sleep(1100);
    const fresh = await imapClient(platform.dovecot.imap, ALICE.address, NEW, { idle: true, from: '127.0.0.9' });
    await launch(dataDir, 'never');
    await until('the log-out', async () => (await states()).join() === 'false,false,true', 60_000);
    expect(await platform.accepts(ALICE.address, ALICE.password)).toBe(false);
    expect(await platform.accepts(ALICE.address, NEW)).toBe(true);
    expect(await fresh?.alive()).toBe(true);
    fresh?.close();
  }, 180_000);
});
