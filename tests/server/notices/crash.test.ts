import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { readMail } from '../../fixtures/mailText.ts';
import { ALICE, NEW, tempFolder } from '../../fixtures/service.ts';
import { freePort, sleep } from '../../services/process.ts';
import { startSmtpSink } from '../../services/smtpSink.ts';

const root = join(__dirname, '..', '..', '..');
const children: ChildProcess[] = [];
afterAll(() => { for (const child of children) child.kill('SIGKILL'); });

async function launch(dataDir: string, hop: string, port: number) {
  const more = {
    notify: { driver: 'smtp', host: '127.0.0.1', port, encryption: 'none' },
    notices: { from: { name: 'Example', address: 'no-reply@example.test' }, firstDelayMs: 100, maxDelayMs: 500 },
  };
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'tests/fixtures/crashingServer.ts'), dataDir, hop, JSON.stringify(more)], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, url: line.toString().trim() };
}

async function changePassword(url: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/host/login`, { method: 'POST', headers, body: JSON.stringify({ address: ALICE.address, password: ALICE.password }) });
  const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const { csrfToken } = (await (await fetch(`${url}/host/session`, { headers: { cookie } })).json()) as { csrfToken: string };
  await fetch(`${url}/mailbox-password/api/v1/password`, {
    method: 'POST', headers: { ...headers, cookie, 'x-csrf-token': csrfToken }, body: JSON.stringify({ currentPassword: ALICE.password, newPassword: NEW }),
  }).catch(() => undefined);
}

test.each([
  ['before record', 0], ['after record', 0], ['after change', 1], ['before confirm', 1], ['after confirm', 1], ['before complete', 1], ['after complete', 1], ['before audit', 1],
] as const)('killed %s and started again: %i notice', async (hop, expected) => {
  const sink = await startSmtpSink();
  const dataDir = tempFolder();
  const first = await launch(dataDir, hop, sink.port);
  const died = once(first.child, 'exit');
  await changePassword(first.url);
  await died;
  const second = await launch(dataDir, 'never', sink.port);
  if (expected > 0) await sink.arrived(expected, 30_000);
  // Whatever else would come has come by now.
  await sleep(2500);
  expect(sink.mails.map(({ to }) => to)).toEqual(expected === 0 ? [] : [[ALICE.address]]);
  if (expected > 0) expect(readMail(sink.mails[0]?.raw ?? '').text).toContain('was changed');
  second.child.kill('SIGKILL');
  await sink.stop();
}, 90_000);

test('killed when the relay had the mail and had not said so: it comes once more, as the same mail', async () => {
  let victim: ChildProcess | null = null;
  const sink = await startSmtpSink({ onTaken: async () => {
    if (victim === null) return;
    const dying = once(victim, 'exit');
    victim.kill('SIGKILL');
    victim = null;
    await dying;
  } });
  const dataDir = tempFolder();
  const first = await launch(dataDir, 'never', sink.port);
  victim = first.child;
  const died = once(first.child, 'exit');
  await changePassword(first.url);
  await died;
  const second = await launch(dataDir, 'never', sink.port);
  const mails = await sink.arrived(2, 30_000);
  expect(mails[0]?.raw).toBe(mails[1]?.raw);
  await sleep(1500);
  expect(sink.mails).toHaveLength(2);
  second.child.kill('SIGKILL');
  await sink.stop();
}, 90_000);

test('the relay is away, the process is killed, another one starts while it still is: the mail comes when the relay does, once, with the Date of the change', async () => {
  const port = await freePort();
  const dataDir = tempFolder();
  const first = await launch(dataDir, 'never', port);
  await changePassword(first.url);
  const changedBy = Date.now();
  // It has tried, and waits.
  await sleep(1500);
  const died = once(first.child, 'exit');
  first.child.kill('SIGKILL');
  await died;
  const second = await launch(dataDir, 'never', port);
  await sleep(2500);
  const sink = await startSmtpSink({ port });
  const [mail] = await sink.arrived(1, 30_000);
  await sleep(2000);
  expect(sink.mails).toHaveLength(1);
  expect(mail?.to).toEqual([ALICE.address]);
  expect(Date.parse(readMail(mail?.raw ?? '').headers['date'] ?? '')).toBeLessThanOrEqual(changedBy);
  second.child.kill('SIGKILL');
  await sink.stop();
}, 90_000);
