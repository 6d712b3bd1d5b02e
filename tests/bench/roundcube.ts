// `npm run bench:roundcube [MEASURED CHANGES A USER]`: a change here and by Roundcube's password plugin (driver sql), by HTTP through the same nginx, over
// the same MariaDB, Dovecot and scheme, in turns in one run. Then: who of those logged in before is still there afterwards.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { stringify } from 'yaml';
import { createHasher } from '../../server/hashing/hasher.ts';
import { Secret } from '../../server/secret.ts';
import { tempFolder } from '../fixtures/service.ts';
import { imapClient, pop3Client } from '../services/mailClients.ts';
import { startMailPlatform } from '../services/mailPlatform.ts';
import { sleep } from '../services/process.ts';
import { enterRoundcube, missingForRoundcube, startRoundcube } from '../services/roundcube.ts';

const missing = missingForRoundcube();
if (missing.length > 0) {
  console.error(`Needed from Debian: apt-get install --no-install-recommends ${missing.join(' ')}`);
  process.exit(1);
}
const rounds = Number(process.argv[2] ?? 5);
const USERS = 50;
const FIRST = 'First-Pass/1';
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const json = { 'content-type': 'application/json' };
let serial = 0;
const nextPassword = (): string => `Next-Pass/${String(serial += 1)}`;

interface Person { change(current: string, next: string): Promise<boolean>; alive(): Promise<boolean> }

async function enterOurs(url: string, address: string, password: string): Promise<Person> {
  const answer = await fetch(`${url}/host/login`, { method: 'POST', headers: json, body: JSON.stringify({ address, password }) });
  const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const { csrfToken } = (await (await fetch(`${url}/host/session`, { headers: { cookie } })).json()) as { csrfToken?: string };
  if (answer.status !== 200) throw new Error(`we did not let ${address} in: ${String(answer.status)}`);
  return {
    async change(currentPassword, newPassword) {
      const changed = await fetch(`${url}/mailbox-password/api/v1/password`, { method: 'POST', headers: { ...json, cookie, 'x-csrf-token': csrfToken ?? '' }, body: JSON.stringify({ currentPassword, newPassword }) });
      if (changed.status !== 200) console.log(`  ours: ${String(changed.status)} ${await changed.clone().text()}`);
      return changed.status === 200 && ((await changed.json()) as { revocation: string }).revocation === 'done';
    },
    alive: async () => (await fetch(`${url}/host/messages`, { headers: { cookie } })).status === 200,
  };
}

async function startOurs(overrides: object, addresses: readonly string[]) {
  const folder = tempFolder();
  const file = join(folder, 'config.yaml');
  const unlimited = { points: 100_000, windowSeconds: 1 };
  writeFileSync(file, stringify({ ...overrides, dataDir: folder, server: { port: 0 }, timeouts: { accountsMs: 20_000, sessionsMs: 20_000, hostMs: 20_000 }, rateLimit: { wrongPasswordsPerMailbox: unlimited, wrongPasswordsPerAddress: unlimited } }));
  const child = spawn(process.execPath, ['--import', 'tsx', 'tests/fixtures/slowService.ts', file, '0'], { stdio: ['ignore', 'pipe', 'ignore'] });
  process.once('exit', () => { child.kill('SIGKILL'); });
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.once('exit', () => { reject(new Error('the service did not start')); });
    child.stdout.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-20_000);
      const line = text.split('\n').find((one) => one.includes('"state":"ready"'));
      if (line !== undefined) resolve((JSON.parse(line) as { url: string }).url);
    });
  });
  // The small webmail knows its own mailboxes' web sessions only.
  const host = new Database(join(folder, 'host.db'));
  const insert = host.prepare("INSERT INTO mailbox (address, display_name, hash, enabled, password_changed_at, sessions_valid_from, change_required) VALUES (?, ?, '-', 1, 0, 0, 0)");
  for (const address of addresses) insert.run(address, address);
  host.close();
  return { url, stop: () => { child.kill(); } };
}

for (const scheme of ['ARGON2ID', 'SHA512-CRYPT', 'BLF-CRYPT'] as const) {
  const platform = await startMailPlatform('mariadb', { scheme });
  const hash = await (await createHasher({ scheme, prefix: true })).hash(new Secret(FIRST));
  const addresses = Array.from({ length: USERS }, (_, at) => `user${String(at)}@example.test`);
  await platform.database.query(`INSERT INTO mailbox (username, password, domain) VALUES ${addresses.map((address) => `('${address}', '${hash}', 'example.test')`).join(',')}`);
  const ours = await startOurs(platform.overrides, addresses);
  const roundcube = await startRoundcube({ imap: platform.dovecot.imap, database: platform.database.url, scheme, workers: 8, proxied: ours.url });
  // PHP's workers outlive a master that is killed: it is asked to end, whatever happened.
  try {
    const enter = { ours: (address: string, password: string) => enterOurs(roundcube.proxied, address, password), roundcube: (address: string, password: string) => enterRoundcube(roundcube.url, address, password) } as const;
    const current = new Map(addresses.map((address) => [address, FIRST]));
    const failures: Record<keyof typeof enter, number> = { ours: 0, roundcube: 0 };

    /** One change each of so many at once; log-ins before it are not counted. */
    const race = async (side: keyof typeof enter, atOnce: number): Promise<{ wall: number; each: number[] }> => {
      const people = [];
      for (const address of addresses.slice(0, atOnce)) people.push({ address, person: await enter[side](address, current.get(address) ?? '') });
      const began = performance.now();
      const each = await Promise.all(people.map(async ({ address, person }) => {
        const next = nextPassword();
        const since = performance.now();
        if (await person.change(current.get(address) ?? '', next).catch(() => false)) current.set(address, next);
        else { failures[side] += 1; console.log(`  ${side}: a change of ${address} failed`); }
        return performance.now() - since;
      }));
      return { wall: performance.now() - began, each };
    };
    await race('ours', 2);
    await race('roundcube', 2);

    console.log(`\n${scheme}, both through one nginx; Roundcube with 8 PHP workers:`);
    for (const atOnce of [1, 10, USERS]) {
      const times = { ours: [] as number[], roundcube: [] as number[] };
      const walls = { ours: [] as number[], roundcube: [] as number[] };
      for (let round = 0; round < (atOnce === 1 ? 3 * rounds : atOnce === 10 ? rounds : 2); round += 1) {
        for (const side of ['ours', 'roundcube'] as const) {
          const { wall, each } = await race(side, atOnce);
          times[side].push(...each);
          walls[side].push(wall);
        }
      }
      const rate = (side: 'ours' | 'roundcube'): number => (atOnce * 1000) / median(walls[side]);
      console.log(`  ${String(atOnce).padStart(2)} at once: a change takes ours ${median(times.ours).toFixed(0)} ms, Roundcube ${median(times.roundcube).toFixed(0)} ms, ratio ${(median(times.ours) / median(times.roundcube)).toFixed(2)}; changes a second: ours ${rate('ours').toFixed(1)}, Roundcube ${rate('roundcube').toFixed(1)}, ratio ${(rate('ours') / rate('roundcube')).toFixed(2)}`);
    }
    console.log(`  failed: ours ${String(failures.ours)}, Roundcube ${String(failures.roundcube)}`);

    if (scheme === 'ARGON2ID') {
      for (const side of ['ours', 'roundcube'] as const) {
        const address = addresses[side === 'ours' ? 0 : 1] ?? '';
        const old = current.get(address) ?? '';
        const [browser, second] = [await enter[side](address, old), await enter[side](address, old)];
        const clients = { 'IMAP IDLE': await imapClient(platform.dovecot.imap, address, old, { idle: true }), IMAP: await imapClient(platform.dovecot.imap, address, old), POP3: await pop3Client(platform.dovecot.pop3, address, old) };
        if (!(await second.alive())) throw new Error(`${side}: the second browser does not work before the change`);
        const next = nextPassword();
        if (!(await browser.change(old, next))) throw new Error(`${side}: the change failed`);
        const changedAt = Date.now();
        for (const after of [0, 1, 5, 60]) {
          await sleep(Math.max(0, changedAt + after * 1000 - Date.now()));
          const living = await Promise.all(Object.entries(clients).map(async ([name, client]) => (await client?.alive() === true ? [name] : [])));
          const alive = [...living.flat(), ...(await second.alive().catch(() => false) ? ['second browser'] : [])];
          const oldPassword = await imapClient(platform.dovecot.imap, address, old);
          oldPassword?.close();
          console.log(`  ${side}, ${String(after)} s after the change: still there: ${alive.join(', ') || 'nobody'}; the old password ${oldPassword === null ? 'is refused' : 'STILL LOGS IN (auth cache)'}`);
        }
        for (const client of Object.values(clients)) client?.close();
        current.set(address, next);
      }
    }
  } finally {
    await roundcube.stop();
    ours.stop();
    await platform.stop();
  }
}
process.exit(0);
