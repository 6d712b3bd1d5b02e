import { type Schema, ValidationError } from 'yup';
import type { ErrorParams, FieldProblem } from '../errors.ts';

export type Validated<T> = { readonly value: T } | { readonly fields: readonly FieldProblem[] };

/** Only numbers of the rules themselves go out: yup also hands over the value, which here is a password. */
function ownParams(params: Record<string, unknown> | undefined): ErrorParams {
  const own: Record<string, number> = {};
  for (const name of ['min', 'max', 'count'] as const) {
    const value = params?.[name];
    if (typeof value === 'number') own[name] = value;
  }
  return own;
}

function problem(error: ValidationError): FieldProblem {
  const params = ownParams(error.params);
  return { field: error.path ?? '', code: error.message, ...(Object.keys(params).length > 0 && { params }) };
}

/** Judges a request body without coercing anything; every problem comes back, each with its field and code. */
export function validateRequest<T>(schema: Schema<T>, body: unknown): Validated<T> {
  try {
    return { value: schema.validateSync(body, { strict: true, abortEarly: false }) };
  } catch (error) {
    if (!ValidationError.isError(error)) throw error;
    const errors = error.inner.length > 0 ? error.inner : [error];
    return { fields: errors.map(problem) };
  }
}
