import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import * as argon2 from '@node-rs/argon2';
import { ModuleError } from '../../module/errors.ts';
import { NotVerifiable } from '../ports/accountApi.ts';
import { Secret } from '../secret.ts';
import { createDecoys } from './decoys.ts';
import { hashing, type Took } from './hashing.ts';
import { crypt, LIBCRYPT_MAX_BYTES } from './libcrypt.ts';
import { isLocked, parseStored } from './storedHash.ts';

/** Schemes (Dovecot's word) in which new passwords are written. */
export const WRITE_SCHEMES = ['ARGON2ID', 'BLF-CRYPT', 'SHA512-CRYPT'] as const;
export type WriteScheme = (typeof WRITE_SCHEMES)[number];

export interface HasherOptions {
  readonly scheme: WriteScheme;
  /** Write `{SCHEME}` in front, as Dovecot's own databases mostly do. */
  readonly prefix: boolean;
  /** What a stored value without a prefix and without a telling form is; for example `SSHA512`. */
  readonly bareScheme?: string;
  readonly argon2?: { readonly memoryKiB: number; readonly passes: number; readonly lanes: number };
  /** log2 of the rounds of BLF-CRYPT, 4 to 31. */
  readonly bcryptCost?: number;
  /** Rounds of SHA512-CRYPT, 1,000 to 999,999,999. */
  readonly sha512Rounds?: number;
}

export interface Hasher {
  readonly scheme: WriteScheme;
  /** UTF-8 bytes; a longer password is refused, never cut. Null: the scheme has no limit. */
  readonly maxPasswordBytes: number | null;
  /** A hash of nobody's password, in the scheme that is written. */
  readonly decoy: string;
  /** Characters that a stored hash takes. */
  readonly length: number;
  /** Throws PASSWORD_TOO_LONG_FOR_SCHEME. `took`: see {@link Took}. */
  hash(password: Secret, took?: Took): Promise<string>;
  /** Throws ACCOUNTS_MISCONFIGURED for a scheme that cannot be verified here. */
  verify(stored: string, password: Secret, took?: Took): Promise<boolean>;
  /**
   * {@link verify} for a mailbox that may not be there (`stored` null) or may have no password that fits (`isLocked`): then false, after the
   * work that other mailboxes cost here (I7).
   */
  verifyOf(address: string, stored: string | null, password: Secret, took?: Took): Promise<boolean>;
}

/** OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane. */
const ARGON2_DEFAULT = { memoryKiB: 19_456, passes: 2, lanes: 1 };
const BCRYPT_ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const CRYPT_SCHEMES = new Set(['BLF-CRYPT', 'SHA512-CRYPT', 'SHA256-CRYPT', 'MD5-CRYPT', 'CRYPT']);
const SALTED: Readonly<Record<string, { readonly algorithm: string; readonly bytes: number }>> = {
  SSHA512: { algorithm: 'sha512', bytes: 64 }, SSHA256: { algorithm: 'sha256', bytes: 32 },
};

const equal = (left: Buffer, right: Buffer): boolean => left.length === right.length && timingSafeEqual(left, right);

/** Salt in crypt(3)'s alphabet: six bits of each random byte, so no character is likelier than another. */
const salt = (length: number): string => [...randomBytes(length)].map((byte) => BCRYPT_ALPHABET[byte & 63]).join('');

/** The 22 characters of a bcrypt salt hold 128 bits: of the last one only two bits count, so it is one of four. */
const bcryptSalt = (): string => salt(21) + '.Oeu'.charAt((randomBytes(1)[0] ?? 0) & 3);

const MAX_BYTES: Record<WriteScheme, number | null> = { ARGON2ID: null, 'BLF-CRYPT': 72, 'SHA512-CRYPT': LIBCRYPT_MAX_BYTES };

/** A stored value's scheme, and whether it can be verified here. */
export function schemeOf(stored: string, bareScheme: string | undefined): { readonly scheme: string; readonly verifiable: boolean } {
  const scheme = parseStored(stored).scheme ?? bareScheme?.toUpperCase() ?? null;
  return { scheme: scheme ?? 'unknown', verifiable: scheme !== null && (scheme === 'ARGON2ID' || scheme === 'ARGON2I' || CRYPT_SCHEMES.has(scheme) || Object.hasOwn(SALTED, scheme)) };
}

async function verifyParsed(stored: string, bareScheme: string | undefined, password: string): Promise<boolean> {
  const { scheme: told, encoding, value } = parseStored(stored);
  const scheme = told ?? bareScheme?.toUpperCase() ?? null;
  if (scheme === 'ARGON2ID' || scheme === 'ARGON2I') return argon2.verify(value, password).catch(() => false);
  if (scheme !== null && CRYPT_SCHEMES.has(scheme)) {
    const result = await crypt(password, value);
    return result !== null && equal(Buffer.from(result), Buffer.from(value));
  }
  const salted = scheme === null ? undefined : SALTED[scheme];
  if (salted === undefined) {
    const detail = `scheme ${scheme ?? 'unknown'} cannot be verified`;
    throw new ModuleError('ACCOUNTS_MISCONFIGURED', { detail, cause: new NotVerifiable(detail) });
  }
  const bytes = Buffer.from(value, encoding === 'hex' ? 'hex' : 'base64');
  const digest = createHash(salted.algorithm).update(password).update(bytes.subarray(salted.bytes)).digest();
  return bytes.length > salted.bytes && equal(digest, bytes.subarray(0, salted.bytes));
}

/**
 * Makes and verifies stored passwords as Dovecot does. All expensive work is in the thread pool, as much at once as there are processors. Verifying accepts a password of
 * which bcrypt sees only 72 bytes, as Dovecot would; writing never makes such a hash.
 */
export async function createHasher(options: HasherOptions): Promise<Hasher> {
  const { scheme, prefix, bareScheme } = options;
  const { memoryKiB, passes, lanes } = options.argon2 ?? ARGON2_DEFAULT;
  const maxPasswordBytes = MAX_BYTES[scheme];

  async function write(password: string): Promise<string> {
    if (scheme === 'ARGON2ID') return argon2.hash(password, { memoryCost: memoryKiB, timeCost: passes, parallelism: lanes });
    const rounds = options.sha512Rounds === undefined ? '' : `rounds=${String(options.sha512Rounds)}$`;
    const setting = scheme === 'BLF-CRYPT' ? `$2y$${String(options.bcryptCost ?? 10).padStart(2, '0')}$${bcryptSalt()}` : `$6$${rounds}${salt(16)}`;
    const result = await crypt(password, setting);
    if (result === null) throw new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: `this system's libcrypt refuses ${scheme}` });
    return result;
  }

  const finish = (value: string): string => (prefix ? `{${scheme}}${value}` : value);
  const decoy = finish(await write(randomBytes(12).toString('base64')));
  const decoys = createDecoys(decoy);

  async function verify(stored: string, password: Secret, took?: Took): Promise<boolean> {
    const plain = password.reveal();
    // No store of mail passwords can hold a NUL; the work is done all the same.
    if (plain.includes('\0')) {
      await hashing(() => verifyParsed(decoy, undefined, 'nobody'), took);
      return false;
    }
    return hashing(() => verifyParsed(stored, bareScheme, plain), took);
  }

  return {
    scheme, maxPasswordBytes, decoy, length: decoy.length, verify,
    async hash(password, took) {
      const plain = password.reveal();
      if (maxPasswordBytes !== null && Buffer.byteLength(plain) > maxPasswordBytes) {
        throw new ModuleError('PASSWORD_TOO_LONG_FOR_SCHEME', { params: { max: maxPasswordBytes } });
      }
      if (plain.includes('\0')) throw new ModuleError('PASSWORD_REJECTED_BY_SERVER', { detail: 'NUL' });
      return finish(await hashing(() => write(plain), took));
    },
    async verifyOf(address, stored, password, took) {
      const own = stored === null || isLocked(stored) ? null : stored;
      const { verifiable } = schemeOf(own ?? decoy, bareScheme);
      // Refused below, and not sooner than anybody else's (I7).
      if (!verifiable) await verify(decoys.of(address), password, took);
      else if (own !== null) decoys.seen(address, own);
      const right = await verify(own ?? decoys.of(address), password, took);
      return right && own !== null;
    },
  };
}
