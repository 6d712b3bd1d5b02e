import { mixed, ValidationError } from 'yup';
import type { PasswordPolicy, PolicyContext } from './passwordPolicy.ts';
import type { PolicyResources } from './rules/rule.ts';
import { rulesFor } from './rulesFor.ts';

/**
 * The one judge of a new password. Every violation comes back at once, as a code with parameters; a rule whose resource is
 * missing passes here, and the server, which has every resource, decides.
 */
export function buildPasswordSchema(policy: PasswordPolicy, context: PolicyContext = {}, resources: PolicyResources = {}) {
  const rules = rulesFor(policy);
  return mixed<string>((value): value is string => typeof value === 'string')
    .typeError('WRONG_TYPE')
    .required('REQUIRED')
    .test('policy', function judge(value) {
      if (typeof value !== 'string') return true;
      if (value === '') return this.createError({ message: 'REQUIRED' });
      const violated = rules.filter((rule) => rule.check(value, context, resources) === 'violated');
      if (violated.length === 0) return true;
      const errors = violated.map((rule) => this.createError({ message: rule.code, params: { ...rule.params } }));
      return new ValidationError(errors, undefined, this.path);
    });
}
