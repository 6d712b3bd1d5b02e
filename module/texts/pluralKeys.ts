const SUFFIX = /_(zero|one|two|few|many|other)$/;

/** The plural categories that a language tells apart (CLDR, as this Intl knows it); `other` alone for a language that it does not know. */
export const pluralCategories = (tag: string): readonly Intl.LDMLPluralRule[] =>
  Intl.PluralRules.supportedLocalesOf(tag).length === 0 ? ['other'] : [...new Intl.PluralRules(tag).resolvedOptions().pluralCategories].sort();

/** `done.count_few` is `{ base: 'done.count', category: 'few' }` where the source has `done.count_other`; any other key is its own base. */
export function splitPlural(key: string, source: Readonly<Record<string, string>>): { readonly base: string; readonly category: Intl.LDMLPluralRule | null } {
  const base = key.replace(SUFFIX, '');
  return base !== key && `${base}_other` in source ? { base, category: key.slice(base.length + 1) as Intl.LDMLPluralRule } : { base: key, category: null };
}

/** Every key that a complete file of the language has, sorted. */
export function requiredKeys(tag: string, source: Readonly<Record<string, string>>): readonly string[] {
  const bases = new Map(Object.keys(source).filter((key) => !key.startsWith('@')).map((key) => {
    const { base, category } = splitPlural(key, source);
    return [base, category !== null] as const;
  }));
  return [...bases].flatMap(([base, plural]) => (plural ? pluralCategories(tag).map((category) => `${base}_${category}`) : [base])).sort();
}

/** The English text that a key of another language stands for; undefined where English has none. */
export function sourceText(key: string, source: Readonly<Record<string, string>>): string | undefined {
  const { base, category } = splitPlural(key, source);
  return category === null ? source[key] : (source[`${base}_${category === 'one' ? 'one' : 'other'}`] ?? source[`${base}_other`]);
}
