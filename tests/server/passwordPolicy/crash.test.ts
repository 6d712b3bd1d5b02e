import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ALICE, BOB, NEW, tempFolder } from '../../fixtures/service.ts';
import { sleep } from '../../services/process.ts';

const root = join(__dirname, '..', '..', '..');
const children: ChildProcess[] = [];
afterAll(() => { for (const child of children) child.kill('SIGKILL'); });

async function launch(dataDir: string, hop: string) {
  const more = JSON.stringify({ serverRules: [{ driver: 'history', count: 5 }] });
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'tests/fixtures/crashingServer.ts'), dataDir, hop, more], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, url: line.toString().trim() };
}

/** The codes at the new password, or `changed`; null where the service died meanwhile. */
async function changePassword(url: string, address: string, currentPassword: string, newPassword: string): Promise<string | null> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/host/login`, { method: 'POST', headers, body: JSON.stringify({ address, password: currentPassword }) });
  const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const { csrfToken } = (await (await fetch(`${url}/host/session`, { headers: { cookie } })).json()) as { csrfToken: string };
  const changed = await fetch(`${url}/mailbox-password/api/v1/password`, {
    method: 'POST', headers: { ...headers, cookie, 'x-csrf-token': csrfToken }, body: JSON.stringify({ currentPassword, newPassword }),
  }).catch(() => null);
  if (changed === null) return null;
  const { fields = [] } = (await changed.json()) as { fields?: readonly { code: string }[] };
  return changed.status === 200 ? 'changed' : fields.map(({ code }) => code).join(' ');
}

test.each(['before record', 'after record'])('killed %s: the history knows nothing of a change that did not happen', async (hop) => {
  const dataDir = tempFolder();
  const first = await launch(dataDir, hop);
  const died = once(first.child, 'exit');
  expect(await changePassword(first.url, ALICE.address, ALICE.password, NEW)).toBeNull();
  await died;
  const second = await launch(dataDir, 'never');
  // The interrupted one is settled meanwhile.
  await sleep(3000);
  expect(await changePassword(second.url, ALICE.address, ALICE.password, NEW)).toBe('changed');
  second.child.kill('SIGKILL');
}, 60_000);

test.each(['after change', 'before confirm', 'after confirm', 'before complete', 'after complete', 'before audit'])('killed %s: the history knows the change, and the password that it replaced', async (hop) => {
  const dataDir = tempFolder();
  const first = await launch(dataDir, hop);
  const died = once(first.child, 'exit');
  expect(await changePassword(first.url, ALICE.address, ALICE.password, NEW)).toBeNull();
  await died;
  const second = await launch(dataDir, 'never');
  // At once, and when the interrupted one has been settled.
  expect(await changePassword(second.url, ALICE.address, NEW, ALICE.password)).toBe('PASSWORD_IN_HISTORY');
  await sleep(3000);
  expect(await changePassword(second.url, ALICE.address, NEW, 'Third!Harvest42')).toBe('changed');
  expect(await changePassword(second.url, ALICE.address, 'Third!Harvest42', NEW)).toBe('PASSWORD_IN_HISTORY');
  expect(await changePassword(second.url, ALICE.address, 'Third!Harvest42', ALICE.password)).toBe('PASSWORD_IN_HISTORY');
  // Another mailbox is another matter.
  expect(await changePassword(second.url, BOB.address, BOB.password, NEW)).toBe('changed');
  second.child.kill('SIGKILL');
}, 60_000);
