import type { CheckPasswordResponse } from '../../module/operations.ts';
import { ModuleError } from '../../module/errors.ts';
import { normalizePassword } from '../../module/policy/normalizePassword.ts';
import type { RuleOutcome } from '../../module/policy/rules/rule.ts';
import type { CallOptions } from '../ports/accountApi.ts';
import type { PasswordPolicyProvider, ProposedPassword } from '../ports/passwordPolicyProvider.ts';
import type { RateLimit, RateLimiter } from '../ports/rateLimiter.ts';
import { Secret } from '../secret.ts';
import { type ReplaceDependencies, type Requester, writeOutcome } from './replacePassword.ts';
import { verifyTyped } from './verifyTyped.ts';

/** Enough for somebody who looks for a password; a look-up costs several hashes and a question to the breach list. */
const CHECKS: RateLimit = { points: 40, windowSeconds: 300 };

interface CheckDependencies extends ReplaceDependencies {
  readonly limiter: RateLimiter;
}

interface OwnerAsks { readonly requester: Requester; readonly address: string; readonly currentPassword: string; readonly newPassword: string }
interface AdministratorAsks { readonly administrator: string; readonly address: string; readonly newPassword: string }

async function outcomeOf(rule: PasswordPolicyProvider, proposed: ProposedPassword, options: CallOptions): Promise<RuleOutcome> {
  // Configured to refuse: with this password nobody gets through now.
  return rule.judge(proposed, options).catch(() => 'unavailable');
}

/** Two providers may share one code: the one line that people see says the worst of them. */
const WORST: readonly RuleOutcome[] = ['violated', 'unavailable', 'unknown', 'met'];

async function outcomes(rules: readonly PasswordPolicyProvider[], address: string, next: Secret, { accountsTimeoutMs }: CheckDependencies): Promise<CheckPasswordResponse> {
  const options = { signal: AbortSignal.timeout(accountsTimeoutMs) };
  const all = await Promise.all(rules.map(async (rule) => ({ code: rule.rule.code, outcome: await outcomeOf(rule, { address, next }, options) })));
  const codes = [...new Set(all.map(({ code }) => code))];
  return { rules: codes.map((code) => ({ code, outcome: WORST.find((outcome) => all.some((one) => one.code === code && one.outcome === outcome)) ?? 'unknown' })) };
}

async function counted(key: string, { limiter, metrics }: CheckDependencies): Promise<void> {
  const answer = await limiter.take(`check ${key.toLowerCase()}`, CHECKS);
  if (answer.taken) return;
  metrics.rateLimited('check');
  throw new ModuleError('RATE_LIMITED', { params: { retryAfterSeconds: Math.max(1, Math.ceil(answer.retryAfterMs / 1000)) } });
}

/**
 * What the server-only rules would say of a new password, before it is sent for good. The current one is proved first, as for the change: else
 * whoever has a session could find out by the history which passwords the mailbox has or had. A wrong one is written down as a change that
 * was refused. Nothing is kept of the candidate, and nothing is changed.
 */
export async function checkNewPassword({ requester, address, currentPassword, newPassword }: OwnerAsks, dependencies: CheckDependencies): Promise<CheckPasswordResponse> {
  const { accounts, rules, accountsTimeoutMs } = dependencies;
  if (rules.length === 0) return { rules: [] };
  const current = await verifyTyped(currentPassword, address, accounts, () => ({ signal: AbortSignal.timeout(accountsTimeoutMs) }));
  if (current === null) {
    await writeOutcome({ audit: { action: 'change', actor: address, actorKind: 'owner' }, requester, address, outcome: 'CURRENT_PASSWORD_WRONG' }, dependencies);
    throw new ModuleError('CURRENT_PASSWORD_WRONG', { fields: [{ field: 'currentPassword', code: 'CURRENT_PASSWORD_WRONG' }] });
  }
  await counted(address, dependencies);
  return outcomes(rules, address, new Secret(normalizePassword(newPassword)), dependencies);
}

/** The same for an administrator, who has proved no password of the mailbox and is told nothing of those that it has or had. */
export async function checkPasswordToSet({ administrator, address, newPassword }: AdministratorAsks, dependencies: CheckDependencies): Promise<CheckPasswordResponse> {
  const rules = dependencies.rules.filter(({ tellsOfThePast }) => !tellsOfThePast);
  if (rules.length === 0) return { rules: [] };
  await counted(` administrator ${administrator}`, dependencies);
  return outcomes(rules, address, new Secret(normalizePassword(newPassword)), dependencies);
}
