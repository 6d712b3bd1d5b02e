import { normalizePassword } from '../normalizePassword.ts';
import type { CharacterClass } from '../passwordPolicy.ts';
import { type PolicyRule, verdict } from './rule.ts';

/** Unicode general categories (UAX #44); `special` is every punctuation mark and symbol. */
const PATTERNS: Record<CharacterClass, RegExp> = {
  upper: /\p{Lu}/u,
  lower: /\p{Ll}/u,
  digit: /\p{Nd}/u,
  special: /[\p{P}\p{S}]/u,
};

export const needsClass = (name: CharacterClass): PolicyRule => ({
  code: `PASSWORD_NEEDS_${name.toUpperCase()}`,
  params: {},
  listed: true,
  check: (password) => verdict(PATTERNS[name].test(normalizePassword(password))),
});
