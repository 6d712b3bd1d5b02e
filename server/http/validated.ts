import type { Schema } from 'yup';
import { ModuleError } from '../../module/errors.ts';
import { validateRequest } from '../../module/requests/validateRequest.ts';

/** The body or the query as its schema has it. */
export function validated<T>(schema: Schema<T>, given: unknown): T {
  const verdict = validateRequest(schema, given);
  if ('value' in verdict) return verdict.value;
  const onlyPolicy = verdict.fields.every(({ code }) => code.startsWith('PASSWORD_'));
  throw new ModuleError(onlyPolicy ? 'PASSWORD_REJECTED' : 'REQUEST_INVALID', { fields: verdict.fields });
}
