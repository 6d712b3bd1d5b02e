import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { ModuleError } from '../../../module/errors.ts';
import { createHasher, WRITE_SCHEMES } from '../../../server/hashing/hasher.ts';
import { Secret } from '../../../server/secret.ts';

const PASSWORD = `Grün & {weird}$1 "quoted"`;
const doveadm = (...args: string[]) => spawnSync('doveadm', ['-c', '/dev/null', '-O', 'pw', ...args], { encoding: 'utf8' });
const dovecotHash = (scheme: string, password = PASSWORD) => {
  const { stdout, stderr } = doveadm('-s', scheme, '-p', password);
  if (!stdout.startsWith('{')) throw new Error(stderr);
  return stdout.trim();
};
const dovecotAccepts = (stored: string, password = PASSWORD) => doveadm('-t', stored, '-p', password).status === 0;
const make = (scheme: (typeof WRITE_SCHEMES)[number], more = {}) => createHasher({ scheme, prefix: true, ...more });

describe('schemes, both ways against doveadm pw', () => {
  it.each(['ARGON2ID', 'ARGON2I', 'BLF-CRYPT', 'SHA512-CRYPT', 'SHA256-CRYPT', 'SSHA512', 'SSHA256', 'SSHA512.HEX', 'MD5-CRYPT', 'CRYPT'])('verifies what Dovecot wrote as %s, with and without prefix', async (scheme) => {
    const hasher = await make('ARGON2ID', { bareScheme: scheme.replace('.HEX', '') });
    const stored = dovecotHash(scheme);
    const bare = stored.slice(stored.indexOf('}') + 1);
    for (const form of scheme === 'SSHA512.HEX' ? [stored] : [stored, bare]) {
      expect(await hasher.verify(form, new Secret(PASSWORD))).toBe(true);
      for (const wrong of ['', `${PASSWORD} `, PASSWORD.slice(1), 'nobody']) expect(await hasher.verify(form, new Secret(wrong))).toBe(false);
    }
  }, 60_000);

  it.each(WRITE_SCHEMES)('Dovecot verifies what was written as %s', async (scheme) => {
    const hasher = await make(scheme);
    const stored = await hasher.hash(new Secret(PASSWORD));
    expect(stored.startsWith(`{${scheme}}$`)).toBe(true);
    expect(dovecotAccepts(stored)).toBe(true);
    expect(dovecotAccepts(stored, 'another')).toBe(false);
    expect(await hasher.verify(stored, new Secret(PASSWORD))).toBe(true);
    expect(stored).toHaveLength(hasher.length);
    expect(await hasher.hash(new Secret(PASSWORD))).not.toBe(stored);
  });

  it('writes without prefix, and with the cost it was given', async () => {
    expect(await (await createHasher({ scheme: 'SHA512-CRYPT', prefix: false, sha512Rounds: 6000 })).hash(new Secret('x'))).toMatch(/^\$6\$rounds=6000\$/);
    expect(await (await createHasher({ scheme: 'BLF-CRYPT', prefix: false, bcryptCost: 6 })).hash(new Secret('x'))).toMatch(/^\$2y\$06\$/);
    expect(await (await createHasher({ scheme: 'ARGON2ID', prefix: false, argon2: { memoryKiB: 8192, passes: 3, lanes: 1 } })).hash(new Secret('x'))).toContain('m=8192,t=3,p=1');
  });
});

describe('what a scheme cannot hold', () => {
  const code = (promise: Promise<unknown>) => promise.then(() => 'no error', (error: unknown) => (error as ModuleError).code);

  it('bcrypt takes 72 bytes and refuses the 73rd, never cuts', async () => {
    const hasher = await make('BLF-CRYPT', { bcryptCost: 4 });
    const fits = 'é'.repeat(36);
    expect(await hasher.verify(await hasher.hash(new Secret(fits)), new Secret(fits))).toBe(true);
    expect(await code(hasher.hash(new Secret(`${fits}x`)))).toBe('PASSWORD_TOO_LONG_FOR_SCHEME');
  });

  it('libcrypt takes 511 bytes', async () => {
    const hasher = await make('SHA512-CRYPT');
    expect(await hasher.verify(await hasher.hash(new Secret('x'.repeat(511))), new Secret('x'.repeat(511)))).toBe(true);
    expect(await code(hasher.hash(new Secret('x'.repeat(512))))).toBe('PASSWORD_TOO_LONG_FOR_SCHEME');
    expect(await hasher.verify(hasher.decoy, new Secret('x'.repeat(5000)))).toBe(false);
  });

  it('a NUL never shortens a password', async () => {
    for (const scheme of WRITE_SCHEMES) {
      const hasher = await make(scheme);
      expect(await hasher.verify(await hasher.hash(new Secret('abc')), new Secret('abc\0def'))).toBe(false);
      expect(await code(hasher.hash(new Secret('abc\0def')))).toBe('PASSWORD_REJECTED_BY_SERVER');
    }
  });

  it('an unknown scheme is a misconfiguration, broken values are nobody\'s password', async () => {
    const hasher = await make('ARGON2ID');
    expect(await code(hasher.verify('{FANCY}x', new Secret('x')))).toBe('ACCOUNTS_MISCONFIGURED');
    expect(await code(hasher.verify('plainly', new Secret('plainly')))).toBe('ACCOUNTS_MISCONFIGURED');
    for (const broken of ['{ARGON2ID}', '{ARGON2ID}$argon2id$v=19$m=1', '{BLF-CRYPT}$2y$', '{SHA512-CRYPT}', '{SSHA512}', '{SSHA512}AAAA', '{CRYPT}*', '{SHA512-CRYPT}*0'])
      expect(await hasher.verify(broken, new Secret(''))).toBe(false);
  });

  it('a mailbox with an unknown scheme is not refused before the work was done that any other takes (I7)', async () => {
    const hasher = await make('ARGON2ID');
    const worked: number[] = [];
    expect(await code(hasher.verifyOf('a@example.test', '{FANCY}x', new Secret('x'), (milliseconds) => { worked.push(milliseconds); }))).toBe('ACCOUNTS_MISCONFIGURED');
    expect(worked).toHaveLength(1);
  });
});

it('hashing leaves the event loop free', async () => {
  for (const scheme of WRITE_SCHEMES) {
    const hasher = await make(scheme, { bcryptCost: 11, sha512Rounds: 100_000, argon2: { memoryKiB: 65_536, passes: 4, lanes: 1 } });
    let ticks = 0;
    const timer = setInterval(() => { ticks += 1; }, 1);
    await hasher.hash(new Secret('x'));
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(5);
  }
});
