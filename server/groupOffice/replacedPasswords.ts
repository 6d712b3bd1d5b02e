import { createHmac, randomBytes } from 'node:crypto';
import type { Secret } from '../secret.ts';

const KEEP_MS = 60 * 60 * 1000;

/**
 * Which passwords were just replaced here. A log-in is asked of a mail server that may say yes from its auth cache until that is
 * flushed (Dovecot: `auth_cache_ttl`, one hour by default): of two changes at once with the same current password both would win.
 * Holds no password: an HMAC under a key that dies with the process.
 */
export function replacedPasswords(now: () => number) {
  const key = randomBytes(32);
  const replaced = new Map<string, number>();
  const mark = (address: string, password: Secret): string => createHmac('sha256', key).update(address.toLowerCase()).update('\0').update(password.reveal()).digest('base64');
  return {
    has(address: string, password: Secret): boolean {
      return (replaced.get(mark(address, password)) ?? 0) > now();
    },
    /** `next` counts again, whatever it was before. `current` is null where it is not known. */
    note(address: string, current: Secret | null, next: Secret): void {
      for (const [old, until] of replaced) if (until <= now()) replaced.delete(old);
      if (current !== null) replaced.set(mark(address, current), now() + KEEP_MS);
      replaced.delete(mark(address, next));
    },
  };
}
