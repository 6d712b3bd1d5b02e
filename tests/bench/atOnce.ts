// `npm run bench:once [OTHER TREE]`: where the time of a change goes with 1, 10 and 50 under way at once, hop by hop, over MariaDB and Dovecot.
// With a second checkout of this project its service takes turns with this one in the same run, over the same servers: ratios of before and after.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'libsql';
import { stringify } from 'yaml';
import { createHasher, type WriteScheme } from '../../server/hashing/hasher.ts';
import { Secret } from '../../server/secret.ts';
import { tempFolder } from '../fixtures/service.ts';
import { startMailPlatform } from '../services/mailPlatform.ts';

const other = process.argv[2] === '' ? undefined : process.argv[2];
const rounds = Number(process.argv[3] ?? 5);
const schemes = (process.argv[4] ?? 'ARGON2ID,SHA512-CRYPT').split(',') as WriteScheme[];
const USERS = 50;
const FIRST = 'First-Pass/1';
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const json = { 'content-type': 'application/json' };
/** Clock ticks, of /proc. */
const TICK_MS = 10;

async function startOurs(tree: string, overrides: object, addresses: readonly string[]) {
  const folder = tempFolder();
  const file = join(folder, 'config.yaml');
  const unlimited = { points: 100_000, windowSeconds: 1 };
  writeFileSync(file, stringify({ ...overrides, dataDir: folder, server: { port: 0 }, timeouts: { accountsMs: 20_000, sessionsMs: 20_000, hostMs: 20_000 }, rateLimit: { wrongPasswordsPerMailbox: unlimited, wrongPasswordsPerAddress: unlimited } }));
  const child = spawn(process.execPath, [...(process.env['BENCH_NODE'] ?? '').split(' ').filter(Boolean), '--import', 'tsx', 'tests/fixtures/slowService.ts', file, '0'], { cwd: tree, stdio: ['ignore', 'pipe', 'pipe'] });
  process.once('exit', () => { child.kill('SIGKILL'); });
  const hops: Record<string, number>[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => { reject(new Error('the service did not start')); });
    for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', (line) => {
      const said = (line.startsWith('{') ? JSON.parse(line) : {}) as { state?: string; url?: string; msg?: string; hops?: Record<string, number> };
      if (said.state === 'ready') resolve(said.url ?? '');
      if (said.msg === 'password change' && said.hops !== undefined) hops.push(said.hops);
    });
  });
  const host = new Database(join(folder, 'host.db'));
  const insert = host.prepare("INSERT INTO mailbox (address, display_name, hash, enabled, password_changed_at, sessions_valid_from, change_required) VALUES (?, ?, '-', 1, 0, 0, 0)");
  for (const address of addresses) insert.run(address, address);
  host.close();
  const cpuMs = (): number => readFileSync(`/proc/${String(child.pid)}/stat`, 'utf8').split(' ').slice(13, 15).reduce((sum, ticks) => sum + Number(ticks) * TICK_MS, 0);
  return { url, hops, cpuMs, stop: () => { child.kill(); } };
}

for (const scheme of schemes) {
  const platform = await startMailPlatform('mariadb', { scheme });
  const hash = await (await createHasher({ scheme, prefix: true })).hash(new Secret(FIRST));
  const addresses = Array.from({ length: USERS }, (_, at) => `user${String(at)}@example.test`);
  await platform.database.query(`INSERT INTO mailbox (username, password, domain) VALUES ${addresses.map((address) => `('${address}', '${hash}', 'example.test')`).join(',')}`);
  const sides = [{ name: 'here', ...(await startOurs(process.cwd(), platform.overrides, addresses)) }, ...(other === undefined ? [] : [{ name: 'other', ...(await startOurs(other, platform.overrides, addresses)) }])];
  const current = new Map(addresses.map((address) => [address, FIRST]));
  let serial = 0;

  const race = async ({ url }: { url: string }, atOnce: number): Promise<{ wall: number; each: number[] }> => {
    const people: { address: string; headers: Record<string, string> }[] = [];
    for (const address of addresses.slice(0, atOnce)) {
      const answer = await fetch(`${url}/host/login`, { method: 'POST', headers: json, body: JSON.stringify({ address, password: current.get(address) }) });
      const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
      const { csrfToken } = (await (await fetch(`${url}/host/session`, { headers: { cookie } })).json()) as { csrfToken?: string };
      people.push({ address, headers: { ...json, cookie, 'x-csrf-token': csrfToken ?? '' } });
    }
    const began = performance.now();
    const each = await Promise.all(people.map(async ({ address, headers }) => {
      const newPassword = `Next-Pass/${String(serial += 1)}`;
      const since = performance.now();
      const answer = await fetch(`${url}/mailbox-password/api/v1/password`, { method: 'POST', headers, body: JSON.stringify({ currentPassword: current.get(address), newPassword }) });
      const text = await answer.text();
      if (!text.includes('"revocation":"done"')) throw new Error(text);
      current.set(address, newPassword);
      return performance.now() - since;
    }));
    return { wall: performance.now() - began, each };
  };
  for (const side of sides) await race(side, 4);

  for (const atOnce of [1, 10, USERS]) {
    const found = sides.map(() => ({ times: [] as number[], walls: [] as number[], cpu: 0, hops: [] as Record<string, number>[] }));
    for (let round = 0; round < (atOnce === 1 ? 4 * rounds : atOnce === 10 ? rounds : Math.ceil(rounds / 2)); round += 1) {
      for (const [at, side] of sides.entries()) {
        side.hops.length = 0;
        const cpu = side.cpuMs();
        const { wall, each } = await race(side, atOnce);
        const kept = found[at];
        kept?.times.push(...each);
        kept?.walls.push(wall);
        kept?.hops.push(...side.hops);
        if (kept !== undefined) kept.cpu += side.cpuMs() - cpu;
      }
    }
    const [here, before] = found;
    for (const [at, { times, walls, cpu, hops }] of found.entries()) {
      const names = [...new Set(hops.flatMap((each) => Object.keys(each)))];
      console.log(`${scheme}, ${String(atOnce).padStart(2)} at once, ${(sides[at]?.name ?? '').padEnd(5)}: ${median(times).toFixed(0)} ms, ${((atOnce * 1000) / median(walls)).toFixed(1)} a second, processor ${(cpu / times.length).toFixed(0)} ms; ${names.map((name) => `${name} ${median(hops.map((each) => each[name] ?? 0)).toFixed(1)}`).join(', ')}`);
    }
    if (here !== undefined && before !== undefined) console.log(`${scheme}, ${String(atOnce).padStart(2)} at once: here / other ${(median(here.times) / median(before.times)).toFixed(2)}, a second ${(median(before.walls) / median(here.walls)).toFixed(2)}`);
  }
  for (const side of sides) side.stop();
  await platform.stop();
}
process.exit(0);
