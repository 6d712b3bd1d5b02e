import { array, boolean, object, type ObjectShape, string } from 'yup';
import { OUTCOMES } from '../panelOperations.ts';
import type { PasswordPolicy } from '../policy/passwordPolicy.ts';
import { buildPasswordSchema } from '../policy/passwordSchema.ts';
import type { PolicyResources } from '../policy/rules/rule.ts';

const body = <Shape extends ObjectShape>(shape: Shape) => object(shape).typeError('WRONG_TYPE').required('REQUIRED').noUnknown('UNKNOWN_KEY');
const text = (max: number) => string().typeError('WRONG_TYPE').max(max, 'TOO_LONG').matches(/^[^\p{Cc}\p{Cs}]*$/u, { message: 'MALFORMED', excludeEmptyString: true });
const password = string().typeError('WRONG_TYPE').required('REQUIRED').max(1024, 'TOO_LONG').matches(/^[^\p{Cs}\0]*$/u, { message: 'MALFORMED', excludeEmptyString: true });
const address = text(320).required('REQUIRED').matches(/^[^@].*@[^@]+$/, { message: 'MALFORMED', excludeEmptyString: true });
const cursor = text(2048);
const millis = string().typeError('WRONG_TYPE').matches(/^\d{1,15}$/, 'MALFORMED');

export const userLogInSchema = body({ address: text(320).required('REQUIRED'), password });
export const adminLogInSchema = body({ name: text(64).required('REQUIRED'), password });
export const emptySchema = body({});

export const endDeviceSchema = body({ store: text(64).required('REQUIRED'), id: text(512).required('REQUIRED') });
export const endDevicesSchema = body({ which: string().typeError('WRONG_TYPE').oneOf(['others', 'all'] as const, 'MALFORMED').required('REQUIRED') });

export const listDomainsSchema = body({ search: text(253), cursor });
export const listMailboxesSchema = body({ domain: text(253).required('REQUIRED'), search: text(320), cursor });
export const mailboxSchema = body({ address });
export const requireChangeSchema = body({ address, required: boolean().typeError('WRONG_TYPE').required('REQUIRED') });
export const countSessionsSchema = body({ addresses: array(address).typeError('WRONG_TYPE').max(100, 'TOO_LONG').required('REQUIRED') });
export const historySchema = body({
  mailbox: text(320), administrator: text(64), outcome: string().typeError('WRONG_TYPE').oneOf(OUTCOMES, 'MALFORMED'), from: millis, to: millis, cursor,
});

/** No current password: an administrator sets one. The policy is the owner's. */
export const setPasswordSchema = (policy: PasswordPolicy, mailbox: string, resources: PolicyResources) =>
  body({ address, newPassword: buildPasswordSchema(policy, { address: mailbox }, resources), passwordVersion: text(256).nullable().defined(), requireChange: boolean().typeError('WRONG_TYPE') });

export const checkPasswordToSetSchema = (policy: PasswordPolicy, mailbox: string, resources: PolicyResources) => body({ address, newPassword: buildPasswordSchema(policy, { address: mailbox }, resources) });
