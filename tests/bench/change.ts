// `npm run bench`: the median of a change, split by hop, beside the two Argon2id operations that it cannot do without.
import { hash, verify } from '@node-rs/argon2';
import { ARGON2ID } from '../../server/drivers/embeddedDatabase.ts';
import { ALICE, change, logIn, startService } from '../fixtures/service.ts';

const RUNS = 60;
const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
const { app, lines, stop } = await startService();
const whole: number[] = [];
const bare: number[] = [];
let current: string = ALICE.password;

for (let run = 0; run < RUNS; run += 1) {
  const next = `Bench-mark!${String(run)}x`;
  const browser = await logIn(app, { ...ALICE, password: current });
  let since = performance.now();
  const answer = await change(app, browser, { currentPassword: current, newPassword: next });
  whole.push(performance.now() - since);
  if (answer.statusCode !== 200) throw new Error(answer.body);
  current = next;
  // Verify twice (the use case and the compare-and-set) and hash once: what Argon2id alone takes.
  since = performance.now();
  const stored = await hash(next, ARGON2ID);
  await verify(stored, next);
  await verify(stored, next);
  bare.push(performance.now() - since);
}
await stop();

const hops = lines.map((line) => JSON.parse(line) as { msg: string; hops?: Record<string, number> }).filter(({ msg }) => msg === 'password change').map(({ hops: each }) => each ?? {});
const total = median(whole);
console.log(`${String(RUNS)} changes; whole request = 1.00, bare Argon2id (1 hash, 2 verifications) = ${(median(bare) / total).toFixed(2)}`);
for (const name of Object.keys(hops[0] ?? {})) console.log(`  ${name.padEnd(8)} ${(median(hops.map((each) => each[name] ?? 0)) / total).toFixed(3)}`);
console.log(`  (whole request: ${total.toFixed(1)} ms on this machine)`);
