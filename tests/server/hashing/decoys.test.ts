import { expect, it } from '@jest/globals';
import { createDecoys, withoutDigest } from '../../../server/hashing/decoys.ts';
import { createHasher } from '../../../server/hashing/hasher.ts';
import { Secret } from '../../../server/secret.ts';

const PASSWORD = new Secret('Wonder-land-7');
const write = (scheme: 'ARGON2ID' | 'BLF-CRYPT' | 'SHA512-CRYPT', more = {}) => createHasher({ scheme, prefix: true, ...more }).then((hasher) => hasher.hash(PASSWORD));
const names = Array.from({ length: 300 }, (_, n) => `nobody${String(n)}@example.test`);

it.each([
  ['BLF-CRYPT', { bcryptCost: 5 }, /^\{BLF-CRYPT\}\$2y\$05\$.{22}A{31}$/],
  ['SHA512-CRYPT', { sha512Rounds: 1234 }, /^\{SHA512-CRYPT\}\$6\$rounds=1234\$.{16}\$A{86}$/],
  ['ARGON2ID', {}, /^\{ARGON2ID\}\$argon2id\$v=19\$m=19456,t=2,p=1\$[^$]+\$A+$/],
] as const)('of a stored %s scheme, cost and salt are kept, nothing of the digest', async (scheme, more, form) => {
  const stored = await write(scheme, more);
  expect(withoutDigest(stored)).toMatch(form);
  const hasher = await createHasher({ scheme: 'ARGON2ID', prefix: true });
  expect(await hasher.verify(withoutDigest(stored), PASSWORD)).toBe(false);
});

it('of one without salt of its own nothing is kept but its scheme', () => {
  expect(withoutDigest('{SSHA512}c2VjcmV0LWRpZ2VzdA==')).toBe(`{SSHA512}${'A'.repeat(20)}`);
});

it('who is not there costs what those cost who are, not what is written today', () => {
  const decoys = createDecoys('{ARGON2ID}first');
  expect(names.map((name) => decoys.of(name))).toEqual(names.map(() => '{ARGON2ID}first'));
  decoys.seen('alice@example.test', '{BLF-CRYPT}$2y$12$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcde');
  expect(new Set(names.map((name) => decoys.of(name)))).toEqual(new Set([`{BLF-CRYPT}$2y$12$abcdefghijklmnopqrstuu${'A'.repeat(31)}`]));
});

it('where mailboxes have two schemes, so have the names of nobody, and each name always the same', () => {
  const decoys = createDecoys('{ARGON2ID}first');
  for (const name of names) decoys.seen(`known-${name}`, name.endsWith('1@example.test') || name.endsWith('2@example.test') ? '{SSHA512}AAAA' : '{SHA512-CRYPT}$6$s$d');
  const given = names.map((name) => decoys.of(name));
  expect(new Set(given)).toEqual(new Set(['{SSHA512}AAAA', '{SHA512-CRYPT}$6$s$A']));
  expect(names.map((name) => decoys.of(name.toUpperCase()))).toEqual(given);
});

it.each([null, '', '!', '*', '!$6$abcdefgh$x'])('a mailbox without a password that could fit (%p) is one whose password is wrong', async (stored) => {
  const hasher = await createHasher({ scheme: 'SHA512-CRYPT', prefix: false });
  expect(await hasher.verifyOf('alice@example.test', stored, PASSWORD)).toBe(false);
  expect(await hasher.verifyOf('alice@example.test', await hasher.hash(PASSWORD), PASSWORD)).toBe(true);
});
