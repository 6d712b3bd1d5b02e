import { createHash } from 'node:crypto';

/** A stored password taken apart: Dovecot's `{SCHEME}` or `{SCHEME.ENCODING}` in front, or what its own form tells. */
export interface StoredHash {
  /** Upper case, without braces and encoding; null where nothing tells. */
  readonly scheme: string | null;
  readonly encoding: 'b64' | 'hex' | null;
  readonly value: string;
  readonly prefixed: boolean;
}

const PREFIX = /^\{([A-Za-z0-9-]+)(?:\.(b64|base64|hex))?\}/i;

const BY_FORM: readonly (readonly [RegExp, string])[] = [
  [/^\$argon2id\$/, 'ARGON2ID'], [/^\$argon2i\$/, 'ARGON2I'], [/^\$2[abxy]\$/, 'BLF-CRYPT'],
  [/^\$6\$/, 'SHA512-CRYPT'], [/^\$5\$/, 'SHA256-CRYPT'], [/^\$1\$/, 'MD5-CRYPT'], [/^\$y\$/, 'CRYPT'],
];

/** Doc: https://doc.dovecot.org/2.3/configuration_manual/authentication/password_schemes/ */
export function parseStored(stored: string): StoredHash {
  const prefix = PREFIX.exec(stored);
  const value = prefix === null ? stored : stored.slice(prefix[0].length);
  const named = prefix?.[1]?.toUpperCase() ?? null;
  const formed = BY_FORM.find(([form]) => form.test(value))?.[1] ?? null;
  const encoding = prefix?.[2]?.toLowerCase();
  return {
    scheme: named === null || named === 'CRYPT' ? (formed ?? named) : named,
    encoding: encoding === undefined ? null : encoding === 'hex' ? 'hex' : 'b64',
    value,
    prefixed: prefix !== null,
  };
}

/** Differs after every change; tells nothing of the password, since a hash stands between it and the stored one. */
export const versionOf = (stored: string): string => createHash('sha256').update(stored).digest('hex');

/** Whether the stored password is the very one against which the current one was verified a moment ago (`ChangeOptions.verifiedVersion`). */
export const isProven = (stored: string | null, { verifiedVersion = null }: { readonly verifiedVersion?: string | null }): boolean =>
  stored !== null && verifiedVersion !== null && versionOf(stored) === verifiedVersion;

/** No password fits: nothing is stored, or it is marked as `passwd -l` and `usermod -L` do. */
export const isLocked = (stored: string): boolean => stored === '' || /^[!*]/.test(stored);
