// What a look-up in an offline breach list costs: `tsx tests/bench/breachFile.ts [LINES]`. Compared with the same list in memory.
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { countIn } from '../../server/passwordPolicy/sortedHashes.ts';
import { watchFile } from '../../server/passwordPolicy/watchedFile.ts';

const lines = Number(process.argv[2] ?? 2_000_000);
const folder = mkdtempSync(join(tmpdir(), 'mailbox-password-bench-'));
const path = join(folder, 'pwned.txt');

// Evenly spread and ascending, as SHA-1 is: the first 6 bytes count up, the rest is random.
const target = openSync(path, 'w');
const hashes: string[] = [];
let piece = '';
for (let at = 0; at < lines; at += 1) {
  const hash = (Math.floor((at / lines) * 2 ** 48).toString(16).padStart(12, '0') + randomBytes(14).toString('hex')).toUpperCase();
  hashes.push(hash);
  piece += `${hash}:${String(at % 1000 + 1)}\r\n`;
  if (piece.length > 1_000_000) { writeSync(target, piece); piece = ''; }
}
writeSync(target, piece);
closeSync(target);

const before = process.memoryUsage().rss;
const startedAt = performance.now();
const file = await watchFile(path, pino({ level: 'silent' }));
const opened = performance.now() - startedAt;

const asked = Array.from({ length: 5_000 }, (_, at) => (at % 2 === 0 ? String(hashes[Math.floor(Math.random() * lines)]) : createHash('sha1').update(String(at)).digest('hex').toUpperCase()));
for (const hash of asked.slice(0, 500)) await file.use((list) => countIn(list, hash));
const times: number[] = [];
let found = 0;
for (const hash of asked) {
  const since = performance.now();
  if (await file.use((list) => countIn(list, hash)) > 0) found += 1;
  times.push(performance.now() - since);
}
const grown = process.memoryUsage().rss - before;

const inMemory = new Set(hashes);
const since = performance.now();
let same = 0;
for (const hash of asked) if (inMemory.has(hash)) same += 1;
const memoryUs = ((performance.now() - since) * 1000) / asked.length;

times.sort((left, right) => left - right);
const at = (part: number): number => Math.round((times[Math.floor(times.length * part)] ?? 0) * 1000);
const mean = times.reduce((sum, time) => sum + time, 0) / times.length * 1000;
console.log(`${String(lines)} lines, ${String(Math.round(lines * 44.9 / 1e6))} MB; opened and looked at in ${opened.toFixed(0)} ms; memory grew by ${(grown / 1e6).toFixed(1)} MB`);
console.log(`look-up on the disk: median ${String(at(0.5))} us, 99% ${String(at(0.99))} us, mean ${mean.toFixed(0)} us; ${String(found)} of ${String(asked.length)} found (${found === same ? 'as' : 'NOT as'} in memory)`);
console.log(`look-up in memory: ${memoryUs.toFixed(2)} us; ratio ${(mean / memoryUs).toFixed(0)}`);
await file.close();
rmSync(folder, { recursive: true });
