/** What a described request can speak of. */
export type Placeholder = 'address' | 'local' | 'domain' | 'password' | 'currentPassword' | 'search' | 'cursor' | 'limit' | 'mark' | 'version';

/** All are texts, but `mark` and `version`, which may be any simple JSON value: where they are the whole text, they stay what they are. */
export type TemplateValues = Readonly<Partial<Record<Placeholder, string | number | boolean | null>>>;

/** A JSON value in whose strings placeholders stand; keys are never templates. */
export type JsonTemplate = string | number | boolean | null | readonly JsonTemplate[] | { readonly [key: string]: JsonTemplate };

const IN_BRACES = /\{([A-Za-z]+)\}/g;

/** The names in braces of a text or of every string in a JSON template, known or not. */
export function namesIn(template: unknown): readonly string[] {
  if (typeof template === 'string') return [...template.matchAll(IN_BRACES)].map((match) => match[1] ?? '');
  if (typeof template !== 'object' || template === null) return [];
  return Object.values(template).flatMap(namesIn);
}

/** One pass: braces inside a value (a password may hold `{address}`) are not looked at again. */
const fill = (template: string, values: TemplateValues, write: (value: string) => string): string =>
  template.replaceAll(IN_BRACES, (_whole, name: string) => write(String(values[name as Placeholder] ?? '')));

/** Values are replaced inside the structure; only then is it written as JSON. */
export function fillJson(template: JsonTemplate, values: TemplateValues): JsonTemplate {
  if (typeof template === 'string') {
    const whole = values[/^\{([A-Za-z]+)\}$/.exec(template)?.[1] as Placeholder];
    return whole !== undefined && typeof whole !== 'string' ? whole : fill(template, values, (value) => value);
  }
  if (Array.isArray(template)) return (template as readonly JsonTemplate[]).map((item) => fillJson(item, values));
  if (typeof template === 'object' && template !== null) {
    // fromEntries defines own keys, also one named __proto__.
    return Object.fromEntries(Object.entries(template).map(([key, item]) => [key, fillJson(item, values)]));
  }
  return template;
}

/** `application/x-www-form-urlencoded`. */
export function fillForm(template: Readonly<Record<string, string>>, values: TemplateValues): string {
  return new URLSearchParams(Object.entries(template).map(([key, text]) => [key, fill(text, values, (value) => value)])).toString();
}

/**
 * The path (and query) of a request, or null where a value could make it another one: `/` and `\` are decoded by some proxies
 * before they route, and `.` and `..` are resolved by URL parsers.
 */
export function fillPath(template: string, values: TemplateValues): string | null {
  const [path = '', ...query] = template.split('?');
  const inPath = namesIn(path).map((name) => String(values[name as Placeholder] ?? ''));
  if (inPath.some((value) => /[/\\]/.test(value) || value === '')) return null;
  const filled = fill(path, values, encodeURIComponent);
  if (filled.split('/').some((segment) => segment === '.' || segment === '..')) return null;
  return query.length === 0 ? filled : `${filled}?${fill(query.join('?'), values, encodeURIComponent)}`;
}
