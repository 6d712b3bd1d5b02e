/** Text for a cell of a table. */
export const cell = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;');

export const code = (text: string): string => (text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``).replaceAll('|', '\\|');

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n');

const begin = (name: string): string => `<!-- generated: ${name} (npm run docs) -->`;
const end = (name: string): string => `<!-- /generated: ${name} -->`;

/** A document with one generated part in its place; the rest is hand-written and stays. Throws where the place is missing. */
export function withPart(document: string, name: string, part: string): string {
  const [from, to] = [document.indexOf(begin(name)), document.indexOf(end(name))];
  if (from < 0 || to < from) throw new Error(`the document has no place for "${name}": ${begin(name)} ... ${end(name)}`);
  return `${document.slice(0, from)}${begin(name)}\n\n${part.trim()}\n\n${document.slice(to)}`;
}
