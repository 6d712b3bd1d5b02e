import { codePointLength } from './normalizePassword.ts';
import type { CharacterClass, PasswordPolicy, PolicyContext } from './passwordPolicy.ts';
import { CHARACTER_CLASSES } from './passwordPolicy.ts';
import { buildPasswordSchema } from './passwordSchema.ts';

/** Web Crypto (W3C WebCryptoAPI section 10.1.1), or a test's stand-in. */
export interface RandomSource {
  getRandomValues(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer>;
}

const GENERATED_LENGTH = 16;
const MOST_DRAWS = 1000;

/** Without the characters that people misread: I l 1 | O o 0. */
const ALPHABETS: Record<CharacterClass, string> = {
  upper: 'ABCDEFGHJKLMNPQRSTUVWXYZ',
  lower: 'abcdefghijkmnpqrstuvwxyz',
  digit: '23456789',
  special: ',./!@#$%^&*',
};

const LOOK_ALIKES: Record<CharacterClass, string> = { upper: 'IO', lower: 'lo', digit: '01', special: '' };

/** A whole number from 0 to `below` - 1. Draws at the uneven end of the range are thrown away, so there is no modulo bias. */
export function randomBelow(below: number, random: RandomSource): number {
  const limit = Math.floor(0x1_0000_0000 / below) * below;
  const box = new Uint32Array(1);
  let drawn: number;
  do {
    drawn = random.getRandomValues(box)[0] ?? limit;
  } while (drawn >= limit);
  return drawn % below;
}

const pick = (alphabet: string, random: RandomSource): string => alphabet.charAt(randomBelow(alphabet.length, random));

/** Fisher-Yates (Durstenfeld), in place. */
function shuffle(characters: string[], random: RandomSource): string[] {
  for (let last = characters.length - 1; last > 0; last -= 1) {
    const other = randomBelow(last + 1, random);
    const kept = characters[last] as string;
    characters[last] = characters[other] as string;
    characters[other] = kept;
  }
  return characters;
}

export interface GenerateOptions extends PolicyContext {
  /** Also draw I, l, O, o, 0 and 1. */
  readonly lookAlikes?: boolean;
}

/**
 * A new password that the policy accepts: at least 16 characters or what the policy needs, one of every required class.
 * Throws a RangeError where no password can satisfy the policy.
 */
export function generatePassword(policy: PasswordPolicy, random: RandomSource, options: GenerateOptions = {}): string {
  const alphabet = (name: CharacterClass): string => ALPHABETS[name] + (options.lookAlikes ? LOOK_ALIKES[name] : '');
  const everything = CHARACTER_CLASSES.map(alphabet).join('');
  const most = Math.min(policy.maxLength, policy.maxBytes ?? policy.maxLength);
  const length = Math.min(Math.max(GENERATED_LENGTH, policy.minLength), most);
  const schema = buildPasswordSchema(policy, options);
  for (let draw = 0; draw < MOST_DRAWS; draw += 1) {
    const characters = policy.requiredClasses.map((name) => pick(alphabet(name), random));
    while (characters.length < length) characters.push(pick(everything, random));
    const password = shuffle(characters, random).join('');
    if (codePointLength(password) === length && schema.isValidSync(password)) return password;
  }
  throw new RangeError('No password can satisfy this policy');
}
