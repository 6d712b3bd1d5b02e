// `npx tsx tests/bench/strength.ts`: how long everybody else waits while strengths of long bad passwords are worked out, in a thread and on the event loop.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { strength } from '../../module/policy/passwordStrength.ts';
import { createStrengthJudge } from '../../server/passwordPolicy/strengthJudge.ts';

const CANDIDATES = ['4@({[<3690!1|l70$5+7%2'.repeat(3), 'p4ssw0rd'.repeat(8), 'aB3!'.repeat(16), 'qwertyuiopasdfghjklzxcvbnm'.repeat(3), '1|l!4@3e0o5$7+'.repeat(5), 'abcabcabd'.repeat(7), '😀é'.repeat(32), 'P@$$w0rd1990'.repeat(6)];
const ROUNDS = 10;
const judge = createStrengthJudge({ waiting: 1000, waitingOfOne: 1000 });
// Both warm: the dictionaries are loaded.
strength('x');
await judge('x', 'one');

async function delayed(work: (password: string) => Promise<unknown>): Promise<{ readonly longestMs: number; readonly tookMs: number }> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await pause(20);
  const since = performance.now();
  for (let round = 0; round < ROUNDS; round += 1) for (const candidate of CANDIDATES) await work(candidate);
  const tookMs = performance.now() - since;
  await pause(20);
  delay.disable();
  return { longestMs: delay.max / 1e6, tookMs };
}

for (const candidate of CANDIDATES) {
  const since = performance.now();
  strength(candidate);
  console.log(`${(performance.now() - since).toFixed(0)} ms for ${String([...candidate].length)} characters, ${candidate.slice(0, 12)}...`);
}
const there = await delayed(async (password) => judge(password, 'one'));
const here = await delayed(async (password) => { strength(password); await pause(0); });
console.log(`longest delay of the event loop: in a thread ${there.longestMs.toFixed(0)} ms, on the event loop ${here.longestMs.toFixed(0)} ms (${(here.longestMs / there.longestMs).toFixed(1)} times); all of them took ${there.tookMs.toFixed(0)} ms and ${here.tookMs.toFixed(0)} ms`);
