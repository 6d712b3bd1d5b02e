import { object, string } from 'yup';
import type { PasswordPolicy } from '../policy/passwordPolicy.ts';
import { buildPasswordSchema } from '../policy/passwordSchema.ts';
import type { PolicyResources } from '../policy/rules/rule.ts';

const LONGEST_CURRENT = 1024;

/** An existing password is held to no policy, only to what can be sent at all. */
const currentPassword = string()
  .typeError('WRONG_TYPE')
  .required('REQUIRED')
  .max(LONGEST_CURRENT, 'TOO_LONG')
  .matches(/^[^\p{Cs}\0]*$/u, { message: 'MALFORMED', excludeEmptyString: true });

/** The body of `changeOwnPassword`. Unknown keys are refused. */
export function changeOwnPasswordSchema(policy: PasswordPolicy, address: string, current: unknown, resources: PolicyResources) {
  const context = { address, currentPassword: typeof current === 'string' ? current : undefined };
  return object({ currentPassword, newPassword: buildPasswordSchema(policy, context, resources) })
    .typeError('WRONG_TYPE')
    .required('REQUIRED')
    .noUnknown('UNKNOWN_KEY');
}
