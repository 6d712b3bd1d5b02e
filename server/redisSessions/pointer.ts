/** JSON pointers (RFC 6901): `/passport/user`. */
export const POINTER = /^(\/([^~/]|~[01])*)+$/;

/** The value at a pointer, in what JSON or PHP's serialisation was decoded to; undefined where there is none. */
export function valueAt(root: unknown, pointer: string): unknown {
  let value = root;
  for (const token of pointer.slice(1).split('/')) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null) return undefined;
    if (value instanceof Map) value = value.get(key);
    else value = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  }
  return value;
}

/** Numbers from here on are milliseconds: as seconds they would be after the year 5100. */
const MILLISECONDS_FROM = 100_000_000_000;

/** ISO 8601 with a zone, seconds or milliseconds since 1970 -> milliseconds; null where it is none of them. */
export function timeOf(value: unknown): number | null {
  if (value instanceof Map || typeof value === 'object') return null;
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value)) {
    const at = Date.parse(value);
    return Number.isNaN(at) ? null : at;
  }
  const number = typeof value === 'number' ? value : typeof value === 'string' && /^\d{9,14}(\.\d+)?$/.test(value) ? Number(value) : NaN;
  if (!Number.isFinite(number) || number <= 0) return null;
  return Math.floor(number >= MILLISECONDS_FROM ? number : number * 1000);
}
