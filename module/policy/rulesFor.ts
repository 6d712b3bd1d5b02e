import type { PasswordPolicy } from './passwordPolicy.ts';
import { needsClass } from './rules/characterClass.ts';
import { containsAddress, isCurrent, tooCommon, tooWeak } from './rules/forbidden.ts';
import { tooLong, tooManyBytes, tooShort } from './rules/length.ts';
import type { PolicyRule } from './rules/rule.ts';
import { judgedByServer } from './rules/judgedByServer.ts';
import { noControlCharacters, noLoneSurrogates } from './rules/wellFormed.ts';

/** The policy as a list of rules, in the order in which people are shown them. */
export function rulesFor(policy: PasswordPolicy): readonly PolicyRule[] {
  return [
    tooShort(policy.minLength),
    ...policy.requiredClasses.map(needsClass),
    ...(policy.forbidAddress ? [containsAddress] : []),
    ...(policy.forbidCurrent ? [isCurrent] : []),
    ...(policy.forbidCommon ? [tooCommon] : []),
    ...(policy.minStrength > 0 ? [tooWeak(policy.minStrength)] : []),
    ...policy.serverRules.map(judgedByServer),
    tooLong(policy.maxLength),
    ...(policy.maxBytes === null ? [] : [tooManyBytes(policy.maxBytes)]),
    noControlCharacters,
    noLoneSurrogates,
  ];
}
