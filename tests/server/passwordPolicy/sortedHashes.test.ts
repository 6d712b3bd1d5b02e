import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { countIn, mustBeSorted, type RandomAccess } from '../../../server/passwordPolicy/sortedHashes.ts';
import { watchFile } from '../../../server/passwordPolicy/watchedFile.ts';

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex').toUpperCase();

function inMemory(text: string): RandomAccess {
  const bytes = Buffer.from(text, 'latin1');
  return { size: bytes.length, read: async (position, length) => bytes.subarray(position, position + length) };
}

const words = Array.from({ length: 3000 }, (_, at) => `password-${String(at)}`);
const entries = words.map((word, at) => ({ hash: sha1(word), count: at + 1 })).sort((left, right) => (left.hash < right.hash ? -1 : 1));
const listOf = (lines: typeof entries, end: string, last = end): string => lines.map(({ hash, count }) => `${hash}:${String(count)}`).join(end) + (lines.length > 0 ? last : '');

describe.each([['LF', '\n'], ['CRLF', '\r\n']])('%s', (_name, end) => {
  // 1 and 2: a single look; 90 to 100: just around one block; 3000: several steps.
  test.each([1, 2, 90, 93, 95, 100, 3000])('%i lines: every one is found, with its count, and nothing else is', async (size) => {
    const lines = entries.slice(0, size);
    for (const last of [end, '']) {
      const file = inMemory(listOf(lines, end, last));
      await mustBeSorted(file);
      for (const { hash, count } of lines) expect([hash, await countIn(file, hash)]).toEqual([hash, count]);
      for (const absent of ['0'.repeat(40), 'F'.repeat(40), ...Array.from({ length: 50 }, (_, at) => sha1(`absent ${String(at)}`))]) expect(await countIn(file, absent)).toBe(0);
    }
  });
});

test('lower-case digits, lines without a count', async () => {
  const file = inMemory(entries.map(({ hash }) => `${hash.toLowerCase()}\n`).join(''));
  await mustBeSorted(file);
  expect(await countIn(file, entries[1234]?.hash ?? '')).toBe(1);
});

test.each([
  ['empty', '', /empty/],
  ['a web page', '<html>\n'.repeat(2000), /HASH:COUNT/],
  ['NTLM, 32 digits', `${'A'.repeat(32)}:5\n`.repeat(400), /HASH:COUNT/],
  ['ordered by how often', listOf([...entries].sort((left, right) => right.count - left.count), '\r\n'), /ascending/],
  ['two lines exchanged', listOf([entries[1], entries[0], ...entries.slice(2)] as typeof entries, '\n'), /ascending/],
  ['the same line twice', listOf([entries[0], ...entries] as typeof entries, '\n'), /ascending/],
  ['a last line that was cut off', listOf(entries, '\n').slice(0, -20), /HASH:COUNT/],
  ['no line ends at all', 'A'.repeat(100_000), /HASH:COUNT|no line ends/],
  ['zeros, as in a download that was not finished', '\0'.repeat(100_000), /HASH:COUNT|no line ends/],
])('%s is refused', async (_name, text, message) => {
  await expect(mustBeSorted(inMemory(text))).rejects.toThrow(message);
});

describe('a long list of which a part is missing, in order all the same', () => {
  const long = Array.from({ length: 60_000 }, (_, at) => sha1(`long ${String(at)}`)).sort();
  const file = (hashes: readonly string[]): RandomAccess => inMemory(hashes.map((hash) => `${hash}:1\r\n`).join(''));

  test.each([
    ['cut off between two lines', long.slice(0, -1000), /ends with [0-9A-F]{5}: it was cut off/], ['without its beginning', long.slice(1000), /begins with/],
    ['with a hole', [...long.slice(0, 20_000), ...long.slice(30_000)], /a part is missing/],
  ])('%s', async (_name, hashes, message) => {
    await expect(mustBeSorted(file(hashes))).rejects.toThrow(message);
  });

  test('a whole one is taken', () => mustBeSorted(file(long)));
});

/** A list of 2,000,000,000 entries, made as it is read: entry i has the hash i * STEP and 43 bytes. */
const LINE_BYTES = 43;
const COUNT = 2_000_000_000;
/** Evenly spread over all hashes; the last digit is 0. */
const STEP = ((1n << 160n) / BigInt(COUNT) >> 8n) << 8n;
const hashAt = (at: number): string => (BigInt(at) * STEP).toString(16).toUpperCase().padStart(40, '0');
function huge(onRead: (position: number, bytes: Buffer) => void = () => undefined): RandomAccess & { reads: number } {
  const file = {
    size: COUNT * LINE_BYTES,
    reads: 0,
    async read(position: number, length: number) {
      file.reads += 1;
      const first = Math.floor(position / LINE_BYTES);
      const lines = Array.from({ length: Math.ceil(length / LINE_BYTES) + 1 }, (_, at) => (first + at < COUNT ? `${hashAt(first + at)}:${String((first + at) % 9 + 1)}\n` : '')).join('');
      const bytes = Buffer.from(lines.slice(position - first * LINE_BYTES).slice(0, length), 'latin1');
      onRead(position, bytes);
      return bytes;
    },
  };
  return file;
}

test('86 GB: 26 reads at most, first, last and between, present and absent', async () => {
  const file = huge();
  await mustBeSorted(file);
  for (const at of [0, 1, 94, 95, 96, 99_999_999, 100_000_000, 1_234_567_890, COUNT - 2, COUNT - 1]) {
    file.reads = 0;
    expect(await countIn(file, hashAt(at))).toBe(at % 9 + 1);
    expect(file.reads).toBeLessThanOrEqual(26);
    expect(await countIn(file, `${hashAt(at).slice(0, -1)}1`)).toBe(0);
  }
});

test('a real file beyond 4 GiB is read at the right places', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mailbox-password-'));
  const path = join(folder, 'sparse.txt');
  const target = openSync(path, 'w+');
  const keep = huge((position, bytes) => { writeSync(target, bytes, 0, bytes.length, position); });
  ftruncateSync(target, keep.size);
  // What these look at is written; all else is a hole.
  await mustBeSorted(keep);
  await countIn(keep, hashAt(COUNT - 5));
  await countIn(keep, `${hashAt(COUNT - 5).slice(0, -1)}1`);
  closeSync(target);
  expect(statSync(path).size).toBe(86_000_000_000);
  const file = await watchFile(path, pino({ level: 'silent' }));
  expect(await file.use((list) => countIn(list, hashAt(COUNT - 5)))).toBe((COUNT - 5) % 9 + 1);
  expect(await file.use((list) => countIn(list, `${hashAt(COUNT - 5).slice(0, -1)}1`))).toBe(0);
  // A place that was never written is no line: said, not taken for "not there".
  await expect(file.use((list) => countIn(list, hashAt(666_666_666)))).rejects.toThrow(/byte \d+/);
  await file.close();
  rmSync(folder, { recursive: true });
});
