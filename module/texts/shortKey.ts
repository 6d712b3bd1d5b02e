/**
 * A key in four letters (FNV-1a, 32 bits, base 36): what browsers are sent, because the keys of a language are a third of its
 * compressed size. A test holds that no two keys of en.json come out alike; the plural form stays readable.
 */
export function shortKey(key: string): string {
  const form = /_(?:zero|one|two|few|many|other)$/.exec(key)?.[0] ?? '';
  let hash = 0x811c9dc5;
  for (const letter of key.slice(0, key.length - form.length)) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  return (hash >>> 0).toString(36).padStart(4, '0').slice(-4) + form;
}

export const withShortKeys = (texts: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(texts).map(([key, text]) => [key.startsWith('@') ? key : shortKey(key), text]));
