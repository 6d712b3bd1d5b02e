import { isCommon } from '../../module/policy/commonPasswords.ts';
import type { PasswordPolicy } from '../../module/policy/passwordPolicy.ts';
import type { PolicyResources } from '../../module/policy/rules/rule.ts';
import { createStrengthJudge } from './strengthJudge.ts';

/** One thread for the whole process, also while a configuration is exchanged. */
const strengthOf = createStrengthJudge();

/**
 * Everything that the rules need to judge `newPassword`, a part of a request that nobody has looked at yet; the strength is worked out only
 * where the policy asks for one. `who` asks: the mailbox of an owner, or an administrator's name. Throws `OVERLOADED` and `POLICY_UNAVAILABLE`.
 */
export async function policyResources({ minStrength }: PasswordPolicy, newPassword: unknown, who: string): Promise<PolicyResources> {
  if (minStrength === 0 || typeof newPassword !== 'string' || newPassword === '') return { isCommon };
  const score = await strengthOf(newPassword, who);
  return { isCommon, strength: () => score };
}
