import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cli, configFile } from '../../fixtures/cli.ts';
import { type MailClient } from '../../services/mailClients.ts';
import { type MailPlatform, startMailPlatform } from '../../services/mailPlatform.ts';

/** Each command is a process of its own; a loaded machine starts one in seconds. */
const SLOW = 180_000;
const ALICE = { address: 'alice@example.test', password: 'Wonder-land-7' };
const BOB = { address: 'bob@example.test', password: 'Builder-can-8' };
const NEXT = 'Fresh!Harvest42';

interface SetAnswer { readonly revocation: string; readonly ended: Record<string, number>; readonly pending: readonly string[]; readonly password?: string }
interface Listed { readonly sessions: readonly { readonly id: string; readonly store: string; readonly channel: string; readonly remoteAddress: string | null }[] }

const states = (clients: readonly MailClient[]) => Promise.all(clients.map((client) => client.alive()));

describe('the support desk, against MariaDB and Dovecot', () => {
  let platform: MailPlatform;
  let file = '';
  let dataDir = '';
  beforeAll(async () => {
    platform = await startMailPlatform('mariadb');
    ({ file, dataDir } = configFile(platform.overrides));
  }, 90_000);
  afterAll(async () => { await platform.stop(); });
  const run = (args: readonly string[], input = '') => cli([...args, '-c', file], { input });

  it('set: sessions listed before are dead after; the old password is refused, the new one works, the history names cli', async () => {
    const alices = await platform.connect(ALICE.address, ALICE.password);
    const bobs = await platform.connect(BOB.address, BOB.password);
    const listed = JSON.parse((await run(['sessions', ALICE.address, '--json'])).stdout) as Listed;
    expect(listed.sessions.map(({ channel }) => channel).sort()).toEqual(['imap', 'imap', 'managesieve', 'pop3', 'submission']);
    const set = await run(['set', ALICE.address, '--password-stdin', '--json'], `${NEXT}\n`);
    expect(set.status).toBe(0);
    expect(JSON.parse(set.stdout)).toMatchObject({ address: ALICE.address, revocation: 'done', pending: [], ended: { imap: 2, pop3: 1, submission: 1, managesieve: 1 } });
    expect(await states(alices)).toEqual([false, false, false, false, false]);
    expect(await states(bobs)).toEqual([true, true, true, true, true]);
    expect([await platform.accepts(ALICE.address, ALICE.password), await platform.accepts(ALICE.address, NEXT)]).toEqual([false, true]);
    const [event] = JSON.parse((await run(['audit', 'list', '--mailbox', ALICE.address, '--json'])).stdout) as Record<string, unknown>[];
    expect(event).toMatchObject({ action: 'set', actor: 'cli', actorKind: 'operator', address: ALICE.address, outcome: 'done', remoteAddress: 'local' });
    expect(`${set.stdout}${set.stderr}`).not.toContain(NEXT);
    for (const client of bobs) client.close();
  }, SLOW);

  it('set --generate prints a password once, and it works; a policy that is broken is refused with every rule, and changes nothing', async () => {
    const set = await run(['set', BOB.address, '--generate']);
    const password = /^New password: (\S+)$/m.exec(set.stdout)?.[1] ?? '';
    expect([set.status, set.stdout.split(password).length]).toEqual([0, 2]);
    expect(set.stderr).not.toContain(password);
    expect(await platform.accepts(BOB.address, password)).toBe(true);
    const weak = await run(['set', BOB.address, '--password-stdin'], 'short\n');
    expect(weak.status).toBe(65);
    expect(weak.stderr).toMatch(/PASSWORD_REJECTED[\s\S]*PASSWORD_TOO_SHORT, PASSWORD_NEEDS_UPPER/);
    expect(weak.stderr).not.toContain('short\n');
    expect(await platform.accepts(BOB.address, password)).toBe(true);
    expect(await run(['set', 'nobody@example.test', '--generate'])).toMatchObject({ status: 65, stdout: '', stderr: expect.stringContaining('ACCOUNT_NOT_FOUND') });
  }, SLOW);

  it('logout ends every connection and leaves the password; nobody there is success', async () => {
    await platform.seed();
    const alices = await platform.connect(ALICE.address, ALICE.password);
    const out = await run(['logout', ALICE.address, '--json']);
    expect([out.status, JSON.parse(out.stdout)]).toEqual([0, expect.objectContaining({ pending: [], ended: expect.objectContaining({ imap: 2, pop3: 1 }) })]);
    expect(await states(alices)).toEqual([false, false, false, false, false]);
    expect(await platform.accepts(ALICE.address, ALICE.password)).toBe(true);
    expect(await run(['logout', ALICE.address])).toMatchObject({ status: 0, stdout: `${ALICE.address}: Nobody was logged in.\n` });
    expect((await run(['logout', ALICE.address, '--session', 'zzz'])).status).toBe(1);
  }, SLOW);

  it('Dovecot down: the password is set, the log-out is owed, the exit code says so; MariaDB down: nothing was changed', async () => {
    await platform.seed();
    await platform.dovecot.kill();
    const set = await run(['set', ALICE.address, '--password-stdin', '--json'], `${NEXT}\n`);
    expect([set.status, (JSON.parse(set.stdout) as SetAnswer).pending]).toEqual([75, ['imap', 'pop3', 'submission', 'managesieve']]);
    const owed = await run(['outbox', 'list', '--json']);
    expect([owed.status, JSON.parse(owed.stdout)]).toEqual([1, { logOuts: [expect.objectContaining({ store: 'mail', address: ALICE.address, state: 'confirmed' })], notices: [], givenUp: [] }]);
    const sessions = await run(['sessions', ALICE.address]);
    expect([sessions.status, sessions.stderr]).toEqual([69, expect.stringContaining('no answer: imap')]);
    await platform.dovecot.start();
    await platform.database.kill();
    expect(await run(['set', ALICE.address, '--generate'])).toMatchObject({ status: 69, stdout: '', stderr: expect.stringContaining('ACCOUNTS_UNAVAILABLE') });
    await platform.database.start();
  }, SLOW);

  it('audit export: CSV and JSON lines hold the same events; maintenance refuses; migrate says what is done', async () => {
    const lines = (await run(['audit', 'export', '--format', 'jsonl'])).stdout.trim().split('\n').map((line) => JSON.parse(line) as { requestId: string });
    const csv = (await run(['audit', 'export'])).stdout.trim().split('\r\n');
    expect(lines.length).toBeGreaterThan(4);
    expect(csv).toHaveLength(lines.length + 1);
    for (const { requestId } of lines) expect(csv.filter((line) => line.includes(requestId))).toHaveLength(1);
    expect((await run(['audit', 'list', '--actor', 'somebody-else'])).status).toBe(1);
    const { file: closed } = configFile({ ...platform.overrides, dataDir, readOnly: true });
    expect(await cli(['set', ALICE.address, '--generate', '-c', closed])).toMatchObject({ status: 65, stderr: expect.stringContaining('READ_ONLY') });
    const status = JSON.parse((await run(['migrate', 'status', '--json'])).stdout) as { applied: string[]; pending: string[] };
    expect([status.applied[0], status.pending]).toEqual(['001_outbox_and_audit', []]);
    const fresh = configFile(platform.overrides);
    expect((await cli(['migrate', 'status', '-c', fresh.file])).status).toBe(1);
    expect(JSON.parse((await cli(['migrate', 'up', '--json', '-c', fresh.file])).stdout)).toEqual({ done: status.applied });
  }, SLOW);
});
