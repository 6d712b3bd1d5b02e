/** How every language file is laid out: keys sorted by code unit, one a line, two spaces, a newline at the end. */
export const sortedJson = (texts: Readonly<Record<string, unknown>>): string =>
  `${JSON.stringify(Object.fromEntries(Object.entries(texts).sort(([left], [right]) => (left < right ? -1 : 1))), null, 2)}\n`;

/** The same for records of small objects (notes): one entry a line. */
export const sortedLines = (entries: Readonly<Record<string, unknown>>): string =>
  `{\n${Object.entries(entries).sort(([left], [right]) => (left < right ? -1 : 1)).map(([key, value]) => `  ${JSON.stringify(key)}: ${spaced(value)}`).join(',\n')}\n}\n`;

function spaced(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${spaced(each)}`).join(', ')} }`;
}
