import { ModuleError } from '../../module/errors.ts';
import type { CallOptions } from '../ports/accountApi.ts';
import type { PasswordPolicyProvider, ProposedPassword } from '../ports/passwordPolicyProvider.ts';

/** The server-only rules, all at once; every violation comes back, as those of the page do. */
export async function judgeByServer(providers: readonly PasswordPolicyProvider[], proposed: ProposedPassword, options: CallOptions): Promise<void> {
  const verdicts = await Promise.all(providers.map(async (provider) => {
    try {
      return await provider.judge(proposed, options) === 'violated' ? [provider.rule] : [];
    } catch (error) {
      throw error instanceof ModuleError ? error : new ModuleError('POLICY_UNAVAILABLE', { detail: provider.name, cause: error });
    }
  }));
  const violated = new Map(verdicts.flat().map((rule) => [rule.code, rule]));
  if (violated.size === 0) return;
  throw new ModuleError('PASSWORD_REJECTED', { fields: [...violated.values()].map(({ code, params }) => ({ field: 'newPassword', code, params })) });
}
