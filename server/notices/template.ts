/** What a template may speak of. Each is a whole text in the reader's language, or empty where there is nothing to say. */
export const PLACEHOLDERS = [
  'subject', 'what', 'when', 'where', 'by', 'ended', 'pending', 'remind', 'mine', 'notMine', 'support', 'recovery', 'automatic',
  'address', 'time', 'language', 'direction',
] as const;

export type Placeholder = (typeof PLACEHOLDERS)[number];
export type Values = Readonly<Record<Placeholder, string>>;
export type TemplateKind = 'html' | 'txt';

/** `{{name}}` stands for a value; `{{#name}}...{{/name}}` is left out where the value is empty. */
export type Template = (values: Values) => string;

const TAG = /\{\{\s*([#/]?)\s*([A-Za-z]+)\s*\}\}/g;
const SECTION = /\{\{\s*#\s*([A-Za-z]+)\s*\}\}((?:(?!\{\{\s*[#/])[\s\S])*)\{\{\s*\/\s*\1\s*\}\}/g;
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;' };

/** Text as HTML: nothing of it is markup; a line end stays one. */
const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '').replaceAll('\n', '<br>');

/** Everything that is wrong with a template, a line each. */
export function templateProblems(source: string): string[] {
  const known: readonly string[] = PLACEHOLDERS;
  const problems = [...source.matchAll(TAG)].flatMap(([tag, , name]) => (known.includes(name ?? '') ? [] : [`${tag} is not known; there is ${known.map((each) => `{{${each}}}`).join(' ')}`]));
  const rest = source.replaceAll(SECTION, (_whole, _name, inside: string) => inside);
  problems.push(...[...rest.matchAll(TAG)].flatMap(([tag, mark]) => (mark === '' ? [] : [`${tag} has no counterpart, or stands within another section`])));
  // Two closing ones are common in style sheets.
  if (source.includes('{{{') || source.replaceAll(TAG, '').includes('{{')) problems.push('there are braces {{ that are no placeholder; a value is always escaped, {{{ does not exist');
  return [...new Set(problems)];
}

/** Values are inserted once: braces within them are text. Throws where {@link templateProblems} finds any. */
export function compileTemplate(source: string, kind: TemplateKind): Template {
  const problems = templateProblems(source);
  if (problems.length > 0) throw new Error(problems.join('; '));
  const written = kind === 'html' ? escapeHtml : (text: string) => text;
  return (values) => source
    .replaceAll(SECTION, (_whole, name: Placeholder, inside: string) => (values[name] === '' ? '' : inside))
    .replaceAll(TAG, (_tag, _mark, name: Placeholder) => written(values[name]));
}
