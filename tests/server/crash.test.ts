import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ALICE, NEW, tempFolder } from '../fixtures/service.ts';

const root = join(__dirname, '..', '..');
const children: ChildProcess[] = [];
afterAll(() => { for (const child of children) child.kill('SIGKILL'); });

async function launch(dataDir: string, hop: string) {
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'tests/fixtures/crashingServer.ts'), dataDir, hop], {
    cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, url: line.toString().trim() };
}

async function logIn(url: string, password: string) {
  const answer = await fetch(`${url}/host/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ address: ALICE.address, password }) });
  return { status: answer.status, cookie: (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '' };
}

const alive = async (url: string, cookie: string): Promise<boolean> => (await fetch(`${url}/host/messages`, { headers: { cookie } })).status === 200;

async function until(condition: () => Promise<boolean>, ms: number): Promise<boolean> {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    if (await condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

const BEFORE = ['before record', 'after record'];
const AFTER = ['after change', 'before confirm', 'after confirm', 'before complete', 'after complete', 'before audit'];

test.each([...BEFORE, ...AFTER])('I1 killed %s and started again: nobody with the old password stays', async (hop) => {
  const dataDir = tempFolder();
  const first = await launch(dataDir, hop);
  const { cookie } = await logIn(first.url, ALICE.password);
  const { csrfToken } = (await (await fetch(`${first.url}/host/session`, { headers: { cookie } })).json()) as { csrfToken: string };
  const died = once(first.child, 'exit');
  await fetch(`${first.url}/mailbox-password/api/v1/password`, {
    method: 'POST', headers: { cookie, 'x-csrf-token': csrfToken, 'content-type': 'application/json' }, body: JSON.stringify({ currentPassword: ALICE.password, newPassword: NEW }),
  }).catch(() => undefined);
  await died;

  const { url, child } = await launch(dataDir, 'never');
  if (BEFORE.includes(hop)) {
    expect((await logIn(url, ALICE.password)).status).toBe(200);
    expect(await alive(url, cookie)).toBe(true);
    expect((await logIn(url, NEW)).status).toBe(401);
  } else {
    const fresh = await logIn(url, NEW);
    expect(fresh.status).toBe(200);
    expect((await logIn(url, ALICE.password)).status).toBe(401);
    expect(await until(async () => !(await alive(url, cookie)), 5000)).toBe(true);
    expect(await alive(url, fresh.cookie)).toBe(true);
  }
  child.kill('SIGKILL');
}, 60_000);

test.each(['after record', 'before complete', 'after complete'])('"log out all others" killed %s and started again: the others are logged out, who asked is not', async (hop) => {
  const dataDir = tempFolder();
  const first = await launch(dataDir, hop);
  const { cookie } = await logIn(first.url, ALICE.password);
  const panel = `${first.url}/mailbox-password/panel/api/v1`;
  const entered = await fetch(`${panel}/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(ALICE) });
  const own = (entered.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const { csrfToken } = (await entered.json()) as { csrfToken: string };
  const died = once(first.child, 'exit');
  await fetch(`${panel}/devices/end-many`, { method: 'POST', headers: { cookie: own, 'x-csrf-token': csrfToken, 'content-type': 'application/json' }, body: JSON.stringify({ which: 'others' }) }).catch(() => undefined);
  await died;
  const { url, child } = await launch(dataDir, 'never');
  expect(await until(async () => !(await alive(url, cookie)), 5000)).toBe(true);
  expect((await fetch(`${url}/mailbox-password/panel/api/v1/session`, { headers: { cookie: own } })).status).toBe(200);
  expect((await logIn(url, ALICE.password)).status).toBe(200);
  child.kill('SIGKILL');
}, 60_000);
