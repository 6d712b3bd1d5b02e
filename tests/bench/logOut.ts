// `npm run bench:dovecot`: a change with Dovecot and MariaDB, split by hop, beside the same operations in a bare loop; and the
// time until the last of 1, 10 and 50 IDLE connections is closed. Ratios are of one run on one machine.
import { createConnection } from 'mysql2/promise';
import { DoveadmClient } from '../../server/dovecot/doveadmClient.ts';
import { patience } from '../../server/dovecot/patience.ts';
import { createHasher } from '../../server/hashing/hasher.ts';
import { Secret } from '../../server/secret.ts';
import { ALICE, change, logIn, startService } from '../fixtures/service.ts';
import { imapClient } from '../services/mailClients.ts';
import { startMailPlatform } from '../services/mailPlatform.ts';

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const ROUNDS = 15;

for (const scheme of ['ARGON2ID', 'SHA512-CRYPT'] as const) {
  const platform = await startMailPlatform('mariadb', { scheme });
  const service = await startService({ overrides: { ...platform.overrides, rateLimit: { wrongPasswordsPerMailbox: { points: 1000, windowSeconds: 1 }, wrongPasswordsPerAddress: { points: 1000, windowSeconds: 1 } } } });
  let current: string = ALICE.password;
  let serial = 0;
  const next = (): string => `Bench-Pass/${String(serial += 1)}`;
  const go = async (): Promise<number> => {
    const browser = await logIn(service.app, { address: ALICE.address, password: current });
    const password = next();
    const began = performance.now();
    const answer = await change(service.app, browser, { currentPassword: current, newPassword: password });
    if (answer.statusCode !== 200) throw new Error(answer.body);
    current = password;
    return performance.now() - began;
  };
  await go();
  service.lines.length = 0;
  const whole: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) whole.push(await go());
  const hops = service.lines.map((line) => JSON.parse(line) as { hops?: Record<string, number> }).flatMap(({ hops: found }) => (found === undefined ? [] : [found]));

  // Bare: hash verified twice (verify, change), one hash made, one SELECT per verification, one UPDATE, flush, who, kick, twice.
  const hasher = await createHasher({ scheme, prefix: true });
  const stored = await hasher.hash(new Secret('x'));
  const connection = await createConnection(platform.database.url);
  const doveadm = new DoveadmClient({ url: platform.dovecot.url, apiKey: platform.dovecot.apiKey }, { now: () => Date.now() });
  const signal = AbortSignal.timeout(600_000);
  const bare: number[] = [];
  const bareMail: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now();
    for (let twice = 0; twice < 2; twice += 1) {
      await connection.query("SELECT password FROM mailbox WHERE username = 'bob@example.test'");
      await hasher.verify(stored, new Secret('x'));
    }
    await connection.query("UPDATE mailbox SET password = ? WHERE username = 'bob@example.test'", [await hasher.hash(new Secret('y'))]);
    const mail = performance.now();
    for (let pass = 0; pass < 2; pass += 1) {
      await doveadm.callInTurn([['authCacheFlush', { user: ['bob@example.test'] }], ['who', { separateConnections: true, mask: ['bob@example.test'] }], ['kick', { mask: ['bob@example.test'] }]], signal);
    }
    bareMail.push(performance.now() - mail);
    bare.push(performance.now() - began);
  }
  await connection.end();
  const total = median(whole);
  const waited = median(hops.map((hop) => patience(median(bareMail) / 2, Math.max(hop['verify'] ?? 0, hop['change'] ?? 0))));
  console.log(`\n${scheme}: whole change ${total.toFixed(0)} ms = 1.00 (of it the second pass waits about ${waited.toFixed(0)} ms for log-ins under way = ${(waited / total).toFixed(2)})`);
  for (const name of ['verify', 'record', 'change', 'confirm', 'revoke', 'audit']) console.log(`  ${name.padEnd(8)} ${(median(hops.map((hop) => hop[name] ?? 0)) / total).toFixed(3)}`);
  console.log(`  the same operations in a bare loop, without the wait: ${(median(bare) / total).toFixed(3)} (of it doveadm ${(median(bareMail) / total).toFixed(3)}); ours without the wait: ${((total - waited) / total).toFixed(3)}`);

  if (scheme === 'ARGON2ID') {
    let one = 0;
    for (const count of [1, 10, 50]) {
      const samples: number[] = [];
      for (let round = 0; round < 3; round += 1) {
        const clients = await Promise.all(Array.from({ length: count }, () => imapClient(platform.dovecot.imap, ALICE.address, current, { idle: true })));
        const browser = await logIn(service.app, { address: ALICE.address, password: current });
        const password = next();
        const began = performance.now();
        const answered = change(service.app, browser, { currentPassword: current, newPassword: password });
        const last = Math.max(...await Promise.all(clients.map(async (client) => client?.ended ?? Infinity)));
        await answered;
        current = password;
        samples.push(last - began);
      }
      const time = median(samples);
      if (count === 1) one = time;
      console.log(`  last of ${String(count).padStart(2)} IDLE connections closed ${time.toFixed(0)} ms after the request = ${(time / one).toFixed(2)} of one`);
    }
  }
  await service.stop();
  await platform.stop();
}
process.exit(0);
