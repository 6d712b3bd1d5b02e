import type { Config } from '../../module/config/configSchema.ts';
import type { ServerRule } from '../../module/policy/passwordPolicy.ts';
import { ConfigError } from '../config/configProblem.ts';
import { creating } from '../config/creating.ts';
import { createPort } from '../createPort.ts';
import type { PolicyDriverContext } from '../drivers/defineDriver.ts';
import { DRIVERS } from '../drivers/registry.ts';
import type { PasswordPolicyProvider } from '../ports/passwordPolicyProvider.ts';

/** The server-only rules of the configuration. */
export async function createServerRules(config: Config, context: PolicyDriverContext): Promise<readonly PasswordPolicyProvider[]> {
  const rules: PasswordPolicyProvider[] = [];
  const problems: string[] = [];
  for (const [at, entry] of config.serverRules.entries()) {
    try {
      rules.push(await creating(`serverRules[${String(at)}]`, () =>
        createPort<PasswordPolicyProvider, PolicyDriverContext>(DRIVERS.policy, 'serverRules', entry, { ...context, name: entry.driver })));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length === 0) return rules;
  await Promise.allSettled(rules.map((rule) => rule.close()));
  throw new ConfigError(problems);
}

/** Two breach lists are one line of the checklist. */
export const distinctRules = (rules: readonly PasswordPolicyProvider[]): readonly ServerRule[] =>
  [...new Map(rules.map(({ rule }) => [rule.code, rule])).values()];
