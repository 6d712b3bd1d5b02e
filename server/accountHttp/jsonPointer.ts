/**
 * What a JSON pointer (RFC 6901) points at. `*` as a whole segment stands for every element of an array (an addition of ours):
 * the answer is a list, with one entry per element. A place that is not there gives no entry for a plain pointer and
 * `undefined` for an element, so that "every element" cannot be met by those that lack the key.
 */
export function valuesAt(document: unknown, pointer: string): readonly unknown[] {
  let found: readonly unknown[] = [document];
  for (const segment of pointer === '' ? [] : pointer.slice(1).split('/')) {
    const key = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    found = found.flatMap((value) => (key === '*' && Array.isArray(value) ? (value as unknown[]) : [child(value, key)]));
  }
  return pointer.includes('*') ? found : found.filter((value) => value !== undefined);
}

/** The one value at a pointer, or undefined. */
export const valueAt = (document: unknown, pointer: string): unknown => valuesAt(document, pointer)[0];

function child(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return /^(0|[1-9]\d{0,8})$/.test(key) ? (value as unknown[])[Number(key)] : undefined;
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}
