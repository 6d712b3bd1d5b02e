import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ALICE, tempFolder } from '../../fixtures/service.ts';
import { freePort, remove, run, type Running, serviceFolder, sleep, started, until } from '../../services/process.ts';

jest.setTimeout(240_000);

const ROOT = join(__dirname, '../../..');
const SHIPPED = join(ROOT, 'server/package/deploy/fail2ban');
/** Behind the proxy; documentation's own ranges. */
const [CLUMSY, THIEF, THIEF6, PATIENT] = ['203.0.113.20', '203.0.113.66', '2001:db8::66', '203.0.113.77'];

const folder = serviceFolder('fail2ban');
const [conf, log, bans, socket] = ['conf', 'service.log', 'bans', 'f2b.sock'].map((name) => join(folder, name)) as [string, string, string, string];
let service: ChildProcess;
let jail: Running;
let url: string;

/** Debian's own configuration with our two files in it, as docs/install.md copies them; and an action that touches no firewall. */
function configure(): void {
  cpSync('/etc/fail2ban', conf, { recursive: true });
  for (const path of ['jail.d', 'jail.local', 'fail2ban.local']) rmSync(join(conf, path), { recursive: true, force: true });
  cpSync(SHIPPED, conf, { recursive: true });
  // Else it would remember the bans of the run before, in the machine's own database.
  writeFileSync(join(conf, 'fail2ban.local'), '[Definition]\ndbfile = None\n');
  writeFileSync(join(conf, 'action.d/write-down.conf'), `[Definition]\nactionban = echo "ban <ip> <failures>" >> ${bans}\nactionunban = echo "unban <ip>" >> ${bans}\n`);
  // 127.0.0.1 is the proxy: it would be banned like anybody, if it were what the lines name.
  writeFileSync(join(conf, 'jail.local'), `[DEFAULT]\nignoreself = false\nignoreip =\n[mailbox-password]\nbackend = polling\nlogpath = ${log}\naction = write-down\n`);
}

const told = (): string[] => (existsSync(bans) ? readFileSync(bans, 'utf8').trim().split('\n') : []);
const client = (...args: string[]) => spawnSync('fail2ban-client', ['-s', socket, '-p', join(folder, 'pid'), ...args], { encoding: 'utf8' });

beforeAll(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${String(port)}`;
  const file = join(folder, 'config.yaml');
  writeFileSync(file, stringify({ dataDir: tempFolder(), server: { port, trustProxy: ['127.0.0.1'] }, rateLimit: { wrongPasswordsPerMailbox: { points: 10, windowSeconds: 900 }, wrongPasswordsPerAddress: { points: 10, windowSeconds: 900 } } }));
  service = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'server/cli/main.ts'), 'serve', '-c', file], { cwd: ROOT, stdio: ['ignore', 'ignore', openSync(log, 'a')] });
  await until('the service', async () => (await fetch(`${url}/healthz`)).status === 200, 120_000);
  configure();
  jail = run('fail2ban-server', ['-c', conf, '-s', socket, '-p', join(folder, 'pid'), '--logtarget', join(folder, 'f2b.log'), '--syslogsocket', 'none', '-f', 'start']);
  await started(jail, async () => { await sleep(300); return client('status', 'mailbox-password').status === 0; });
});
afterAll(async () => {
  await jail.kill();
  service.kill();
  remove(folder);
});

/** As the proxy forwards it: the address is the one that it sees. */
const logIn = (from: string, password: string, address = ALICE.address) =>
  fetch(`${url}/mailbox-password/panel/api/v1/login`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-forwarded-for': from, 'x-forwarded-proto': 'http' }, body: JSON.stringify({ address, password }) });

test('somebody who goes on guessing is banned after as many refusals as the jail says, over IPv4 and IPv6; who mistypes twice is not, and the proxy never is', async () => {
  expect(client('get', 'mailbox-password', 'maxretry').stdout.trim()).toBe('15');
  for (const password of ['Wonder-lnd-7', 'Wonder-land-8']) expect((await logIn(CLUMSY, password)).status).toBe(401);
  expect((await logIn(CLUMSY, ALICE.password)).status).toBe(200);

  // One fewer than it takes.
  for (let n = 1; n <= 14; n += 1) await logIn(PATIENT, `Guess-number-${String(n)}`, `nobody${String(n)}@example.test`);
  for (const thief of [THIEF, THIEF6]) {
    const codes = new Set<number>();
    for (let n = 1; n <= 15; n += 1) codes.add((await logIn(thief, `Guess-number-${String(n)}`, `user${String(n)}@example.test`)).status);
    // Our own limit refuses some of them unseen: these count too.
    expect([...codes]).toEqual([401, 429]);
    await until(`the ban of ${thief}`, () => Promise.resolve(told().some((line) => line.startsWith(`ban ${thief} `))), 60_000);
  }
  // Everything that was written was read by now.
  await sleep(3000);
  expect(told()).toEqual([`ban ${THIEF} 15`, `ban ${THIEF6} 15`]);
  const status = client('status', 'mailbox-password').stdout;
  expect(status).toMatch(/Total failed:\s+46/);
  expect(status).toMatch(/Total banned:\s+2/);
  for (const name of ['203.0.113.66', '2001:db8::66']) expect(readFileSync(log, 'utf8')).toContain(`"remoteAddress":"${name}","msg":"request refused"`);
  expect(readFileSync(log, 'utf8')).not.toContain('"remoteAddress":"127.0.0.1","msg":"request refused"');

  await logIn(PATIENT, 'Guess-number-15');
  await until('the ban of the patient one', () => Promise.resolve(told().length === 3), 60_000);
  expect(told()[2]).toBe(`ban ${PATIENT} 15`);
});
