import { codePointLength, normalizePassword } from '../normalizePassword.ts';
import { type PolicyRule, verdict } from './rule.ts';

export const tooShort = (min: number): PolicyRule => ({
  code: 'PASSWORD_TOO_SHORT',
  params: { min },
  listed: true,
  check: (password) => verdict(codePointLength(password) >= min),
});

export const tooLong = (max: number): PolicyRule => ({
  code: 'PASSWORD_TOO_LONG',
  params: { max },
  listed: false,
  check: (password) => verdict(codePointLength(password) <= max),
});

/** For back ends that count bytes (bcrypt takes 72): refused, never cut. */
export const tooManyBytes = (max: number): PolicyRule => ({
  code: 'PASSWORD_TOO_MANY_BYTES',
  params: { max },
  listed: false,
  check: (password) => verdict(new TextEncoder().encode(normalizePassword(password)).length <= max),
});
