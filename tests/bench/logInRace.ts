// `npm run bench:race [CHANGES] [WHICH] [OTHERS] [kept]`: log-ins with the old password without a pause while it is changed, calm and on a busy machine. Counts who is
// still there a second after "done". The second pass is what keeps it at 0; without it (secondPassMs: 0) it is not. With OTHERS so many other mailboxes are changed at the same moment: the wait is measured then where many want to be served. `kept`: doveadm's processes serve many requests each, so that a request tells nothing of how long a new process takes.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import Database from 'libsql';
import { createHasher } from '../../server/hashing/hasher.ts';
import { Secret } from '../../server/secret.ts';
import { ALICE, change, logIn, startService } from '../fixtures/service.ts';
import { startMailPlatform } from '../services/mailPlatform.ts';
import { sleep } from '../services/process.ts';
import type { HammerOrder, HammerReport } from './logInHammer.ts';

const changes = Number(process.argv[2] ?? 25);
const only = process.argv[3];
const others = Array.from({ length: Number(process.argv[4] ?? 0) }, (_, at) => `other${String(at)}@example.test`);
const extra = process.argv[5] === 'kept' ? 'service doveadm {\n service_count = 1000\n process_min_avail = 2\n}\n' : '';
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const unlimited = { wrongPasswordsPerMailbox: { points: 100_000, windowSeconds: 1 }, wrongPasswordsPerAddress: { points: 100_000, windowSeconds: 1 } };

const hammer: ChildProcess = fork(join(process.cwd(), 'tests/bench/logInHammer.ts'), { execArgv: ['--import', 'tsx'] });
await once(hammer, 'message');
const told = async (): Promise<HammerReport> => {
  const answer = once(hammer, 'message');
  hammer.send('report');
  return (await answer)[0] as HammerReport;
};

for (const [scheme, engine] of [['ARGON2ID', 'mariadb'], ['BLF-CRYPT', 'mariadb'], ['ARGON2ID', 'postgres']] as const) {
  const platform = await startMailPlatform(engine, { scheme, extra });
  let current: string = ALICE.password;
  let currentOfOthers: string = ALICE.password;
  if (others.length > 0) {
    const hash = await (await createHasher({ scheme, prefix: true })).hash(new Secret(currentOfOthers));
    await platform.database.query(`INSERT INTO mailbox (username, password, domain) VALUES ${others.map((address) => `('${address}', '${hash}', 'example.test')`).join(',')}`);
  }
  let serial = 0;
  for (const [name, secondPassMs] of [['without a second pass', 0], ['fixed, 250 ms', 250], ['by measure', undefined]] as const) {
    if (only !== undefined && only !== name.split(/[ ,]/)[0]) continue;
    const [web, mail] = platform.overrides.sessions;
    const service = await startService({ overrides: { ...platform.overrides, sessions: [web, { ...mail, ...(secondPassMs !== undefined && { secondPassMs }) }], rateLimit: unlimited, timeouts: { accountsMs: 20_000, sessionsMs: 20_000, hostMs: 20_000 } } });
    const host = new Database(join(service.dataDir, 'host.db'));
    for (const address of others) host.prepare("INSERT INTO mailbox (address, display_name, hash, enabled, password_changed_at, sessions_valid_from, change_required) VALUES (?, ?, '-', 1, 0, 0, 0)").run(address, address);
    host.close();
    for (const [load, loops, burners] of [['calm, 1 at a time', 1, 0], ['8 at a time', 8, 0], ['24 at a time, processors busy', 24, 3]] as const) {
      const busy = Array.from({ length: burners }, () => spawn(process.execPath, ['-e', 'for (;;);']));
      const sum = { tried: 0, letIn: 0, alive: 0, slowest: 0, pending: 0 };
      const took: number[] = [];
      for (let at = 0; at < changes; at += 1) {
        const browser = await logIn(service.app, { address: ALICE.address, password: current });
        const crowd = [];
        for (const address of others) crowd.push(await logIn(service.app, { address, password: currentOfOthers }));
        hammer.send({ port: platform.dovecot.imap, user: ALICE.address, password: current, loops } satisfies HammerOrder);
        await sleep(150 + Math.random() * 150);
        hammer.send('slowest');
        const next = `Race-Pass/${String(serial += 1)}`;
        const since = performance.now();
        const along = crowd.map((one) => change(service.app, one, { currentPassword: currentOfOthers, newPassword: next }));
        const answer = await change(service.app, browser, { currentPassword: current, newPassword: next });
        took.push(performance.now() - since);
        if (answer.statusCode !== 200) throw new Error(answer.body);
        current = next;
        for (const one of await Promise.all(along)) if (one.statusCode !== 200) throw new Error(one.body);
        currentOfOthers = next;
        if (answer.json<{ revocation: string }>().revocation !== 'done') sum.pending += 1;
        await sleep(1000);
        const { tried, letIn, alive, slowest } = await told();
        sum.tried += tried;
        sum.letIn += letIn;
        sum.alive += alive;
        sum.slowest = Math.max(sum.slowest, slowest);
      }
      for (const one of busy) one.kill('SIGKILL');
      console.log(`${scheme} on ${engine}, ${name}, ${load}: ${String(changes)} changes, ${String(sum.tried)} log-ins tried, ${String(sum.letIn)} let in, ALIVE AFTER ${String(sum.alive)}, ${String(sum.pending)} pending; a change ${median(took).toFixed(0)} ms (median), the slowest log-in near one ${sum.slowest.toFixed(0)} ms`);
    }
    await service.stop();
  }
  await platform.stop();
}
hammer.kill();
process.exit(0);
