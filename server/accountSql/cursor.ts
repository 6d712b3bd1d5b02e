import { ModuleError } from '../../module/errors.ts';

/** Where a list goes on: in which of its parts, and behind which name. */
export const sealPosition = (part: string, after: string): string => Buffer.from(JSON.stringify([part, after])).toString('base64url');

/** RFC 5321 has at most 320 octets in an address; no database can hold a NUL or half a surrogate pair in a text. */
const isName = (value: unknown): value is string => typeof value === 'string' && Buffer.byteLength(value) <= 320 && !/[\p{Cc}\p{Cs}]/u.test(value);

/** A cursor comes from outside: what is not of this form, or of another list, is refused (`REQUEST_INVALID`). */
export function openPosition<Part extends string>(cursor: string, parts: readonly Part[]): readonly [part: Part, after: string] {
  let told: unknown;
  try {
    told = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    // Refused below.
  }
  if (Array.isArray(told) && told.length === 2) {
    const [named, after] = told as [unknown, unknown];
    const part = parts.find((one) => one === named);
    if (part !== undefined && isName(after)) return [part, after];
  }
  throw new ModuleError('REQUEST_INVALID', { detail: 'the cursor is none of this list' });
}
