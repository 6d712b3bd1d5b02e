import type { ErrorParams } from '../errors.ts';

/** The classes of characters that a policy can require. `special` is every Unicode punctuation mark or symbol. */
export const CHARACTER_CLASSES = ['upper', 'lower', 'digit', 'special'] as const;

export type CharacterClass = (typeof CHARACTER_CLASSES)[number];

/** `PASSWORD_BREACHED`: known from a data leak. `PASSWORD_IN_HISTORY`: one of the last `count` passwords of this mailbox. */
export type ServerRuleCode = 'PASSWORD_BREACHED' | 'PASSWORD_IN_HISTORY';

/** A rule of the server alone. Everybody is told that it is there; its verdict comes with the answer to a change or a set. */
export interface ServerRule {
  readonly code: ServerRuleCode;
  readonly params: ErrorParams;
}

/**
 * What a new password must be. Lengths are counted in code points after NFC normalisation, not in bytes or UTF-16 units;
 * `maxBytes` counts UTF-8 bytes and exists for back ends with a byte limit (bcrypt: 72).
 */
export interface PasswordPolicy {
  /** Code points, 1 to 256. */
  readonly minLength: number;
  /** Code points, at least `minLength`, at most 1024. */
  readonly maxLength: number;
  /** UTF-8 bytes; null = no limit but `maxLength`. */
  readonly maxBytes: number | null;
  readonly requiredClasses: readonly CharacterClass[];
  /** Refuse a password that contains the address, its local part or its domain (case-insensitive, parts of 3 or more). */
  readonly forbidAddress: boolean;
  readonly forbidCurrent: boolean;
  /** Refuse the passwords of the list that ships with the module (case-insensitive). */
  readonly forbidCommon: boolean;
  /** zxcvbn score, 0 (off) to 4. */
  readonly minStrength: 0 | 1 | 2 | 3 | 4;
  /** What only the server can judge, in the order in which people are shown it; empty = nothing. */
  readonly serverRules: readonly ServerRule[];
}

/** The policy of most hosting platforms: 8 or more, all four classes. */
const DEFAULT: PasswordPolicy = {
  minLength: 8,
  maxLength: 128,
  maxBytes: null,
  requiredClasses: ['upper', 'lower', 'digit', 'special'],
  forbidAddress: true,
  forbidCurrent: true,
  forbidCommon: true,
  minStrength: 0,
  serverRules: [],
};

/** NIST SP 800-63B-4, section 3.1.1.2: 15 or more where a password is the only factor, no composition rules, a blocklist. */
const NIST: PasswordPolicy = { ...DEFAULT, minLength: 15, maxLength: 256, requiredClasses: [] };

export const POLICY_PRESETS = { default: DEFAULT, nist: NIST } as const satisfies Record<string, PasswordPolicy>;

export type PolicyPreset = keyof typeof POLICY_PRESETS;

/** What the rules may know about the mailbox besides the password itself. */
export interface PolicyContext {
  /** The full e-mail address, or undefined where it is not known yet. */
  readonly address?: string | undefined;
  /** The current password as typed; undefined for an administrator's set. */
  readonly currentPassword?: string | undefined;
}
