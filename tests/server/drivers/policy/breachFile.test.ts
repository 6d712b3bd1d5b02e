import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import driver from '../../../../server/drivers/policy/breachFile.ts';
import { Secret } from '../../../../server/secret.ts';
import { optionsOf, policyContext } from './policyContext.ts';

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex').toUpperCase();
const proposed = (password: string) => ({ address: 'alice@example.test', next: new Secret(password) });
const call = { signal: AbortSignal.timeout(600_000) };
const listOf = (words: readonly string[]): string => words.map((word) => `${sha1(word)}:7\r\n`).sort().join('');

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mailbox-password-'));
  path = join(folder, 'pwned.txt');
});
afterEach(() => { rmSync(folder, { recursive: true }); });

const replaceBy = (text: string): void => {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
};

test('finds what is there by the count, and is ready', async () => {
  writeFileSync(path, listOf(['one', 'Grüße-8', 'three']));
  const rule = await driver.create(optionsOf(driver, { file: path }), policyContext('breachFile'));
  expect(await rule.judge(proposed('Grüße-8'), call)).toBe('violated');
  expect(await rule.judge(proposed('four'), call)).toBe('met');
  await rule.check(call);
  await rule.close();
  const often = await driver.create(optionsOf(driver, { file: path, minCount: 8 }), policyContext('breachFile'));
  expect(await often.judge(proposed('one'), call)).toBe('met');
  await often.close();
});

test('a new file that took its place counts with the next look-up, also while look-ups are under way', async () => {
  writeFileSync(path, listOf(['one']));
  const context = policyContext('breachFile');
  const rule = await driver.create(optionsOf(driver, { file: path }), context);
  expect(await rule.judge(proposed('two'), call)).toBe('met');
  const many = Array.from({ length: 50 }, () => rule.judge(proposed('one'), call));
  replaceBy(listOf(['one', 'two']));
  const more = Array.from({ length: 50 }, () => rule.judge(proposed('one'), call));
  expect(new Set(await Promise.all([...many, ...more]))).toEqual(new Set(['violated']));
  expect(await rule.judge(proposed('two'), call)).toBe('violated');
  expect(context.lines.join('')).toContain('was replaced');
  await rule.close();
});

test('a link that is turned to another file while it runs counts with the next look-up; one that leads nowhere leaves the file before', async () => {
  for (const name of ['november', 'december'] as const) writeFileSync(join(folder, name), listOf([name]));
  const turn = (target: string): void => {
    symlinkSync(target, `${path}.new`);
    renameSync(`${path}.new`, path);
  };
  turn('november');
  const rule = await driver.create(optionsOf(driver, { file: path }), policyContext('breachFile'));
  const verdicts = async () => [await rule.judge(proposed('november'), call), await rule.judge(proposed('december'), call)];
  expect(await verdicts()).toEqual(['violated', 'met']);
  turn('december');
  expect(await verdicts()).toEqual(['met', 'violated']);
  turn('january');
  expect(await verdicts()).toEqual(['met', 'violated']);
  await expect(rule.check(call)).rejects.toMatchObject({ code: 'POLICY_UNAVAILABLE' });
  turn('november');
  expect(await verdicts()).toEqual(['violated', 'met']);
  await rule.check(call);
  await rule.close();
});

test('replaced by nonsense, or gone: the one before serves, the log and check() say so, and a good one is taken again', async () => {
  writeFileSync(path, listOf(['one']));
  const context = policyContext('breachFile');
  const rule = await driver.create(optionsOf(driver, { file: path, onFailure: 'refuse' }), context);
  replaceBy('<html>quota exceeded</html>\n');
  for (let at = 0; at < 3; at += 1) expect(await rule.judge(proposed('one'), call)).toBe('violated');
  expect(context.lines.filter((line) => line.includes('cannot be used'))).toHaveLength(1);
  await expect(rule.check(call)).rejects.toMatchObject({ code: 'POLICY_UNAVAILABLE' });
  rmSync(path);
  expect(await rule.judge(proposed('one'), call)).toBe('violated');
  await expect(rule.check(call)).rejects.toMatchObject({ code: 'POLICY_UNAVAILABLE', message: expect.stringContaining('ENOENT') as string });
  replaceBy(listOf(['two']));
  expect(await rule.judge(proposed('one'), call)).toBe('met');
  await rule.check(call);
  await rule.close();
});

test.each(['accept', 'refuse'] as const)('overwritten in place while it is open: %s, never "not there" in silence', async (onFailure) => {
  writeFileSync(path, listOf(['one']));
  const context = policyContext('breachFile');
  const rule = await driver.create(optionsOf(driver, { file: path, onFailure }), context);
  writeFileSync(path, '');
  const asked = rule.judge(proposed('one'), call);
  if (onFailure === 'refuse') await expect(asked).rejects.toMatchObject({ code: 'POLICY_UNAVAILABLE' });
  else expect(await asked).toBe('unknown');
  if (onFailure === 'accept') expect(context.lines.join('')).toContain('was accepted');
  await rule.close();
});

test.each([
  ['not there', () => undefined, /ENOENT/], ['a folder', () => { mkdirSync(path); }, /not a file|EISDIR/],
  // What the downloader writes with -n: hashes of 32 digits, of another kind. It would match nothing, in silence.
  ['NTLM by mistake', () => { writeFileSync(path, Array.from({ length: 300 }, (_, at) => `${sha1(String(at)).slice(0, 32)}:7`).sort().join('\r\n')); }, /40 hexadecimal digits/],
  ['cut off in the middle of a line', () => { writeFileSync(path, listOf(['one', 'two', 'three']).slice(0, -20)); }, /40 hexadecimal digits/],
  ['empty', () => { writeFileSync(path, ''); }, /empty/], ['not sorted', () => { writeFileSync(path, listOf(['one', 'two']).split('\r\n').reverse().filter(Boolean).join('\n')); }, /ascending/],
])('%s: does not start, and says which file and why', async (_name, make, message) => {
  make();
  await expect(driver.create(optionsOf(driver, { file: path }), policyContext('breachFile'))).rejects.toMatchObject({ inner: [{ path: 'file', message: expect.stringMatching(message) as string }] });
});

test.each(['\n', '\r\n'])('line ends %j, with and without the last one', async (end) => {
  const words = Array.from({ length: 500 }, (_, at) => `word ${String(at)}`);
  const text = words.map((word) => `${sha1(word)}:7`).sort().join(end);
  for (const whole of [text, text + end]) {
    writeFileSync(path, whole);
    const rule = await driver.create(optionsOf(driver, { file: path }), policyContext('breachFile'));
    for (const word of words) expect([word, await rule.judge(proposed(word), call)]).toEqual([word, 'violated']);
    expect(await rule.judge(proposed('another'), call)).toBe('met');
    await rule.close();
  }
});
