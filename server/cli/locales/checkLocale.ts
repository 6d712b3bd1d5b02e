import { readFileSync } from 'node:fs';
import { regionOf } from '../../../module/texts/matchLanguage.ts';
import { pluralCategories, requiredKeys, sourceText, splitPlural } from '../../../module/texts/pluralKeys.ts';
import { localePath, UNTRANSLATED } from '../../texts/localeFile.ts';
import { ellipsisRule, endingRule, invisibleRule, markupRule, spaceRule } from './characterRules.ts';
import { complain, type Complaint, type Finding, warn } from './finding.ts';
import { englishRule, englishWords } from './englishRule.ts';
import { jsonProblem } from './jsonProblem.ts';
import { glossaryRule, lengthRule, sameRule, scriptRule } from './languageRules.ts';
import { type LocaleSources, NO_GLOSSARY } from './localeSources.ts';
import { nearest } from './nearest.ts';
import { placeholderRule } from './placeholderRule.ts';
import { sortedJson } from './sortedJson.ts';

const TEXT_RULES = [placeholderRule, markupRule, spaceRule, invisibleRule, ellipsisRule, endingRule, sameRule, scriptRule, englishRule, lengthRule, glossaryRule];
/** What the English texts themselves pass. */
const NOT_FOR_ENGLISH = new Set([sameRule, englishRule]);
const REVIEWED = /^(no|\d{4}-\d{2}-\d{2} \S.*)$/;

export interface CheckOptions {
  /** The folder with the file; another than the shipped one where an operator has texts of his own. */
  readonly folder: string;
  /** What is missing falls back, and is only a warning. */
  readonly partial: boolean;
}

/** Everything that is wrong with one language file, in the order of its lines. */
export function checkLocale(tag: string, sources: LocaleSources, options: CheckOptions): readonly Finding[] {
  const file = localePath(options.folder, tag);
  const content = readFileSync(file, 'utf8');
  const found: Finding[] = [];
  const report = (line: number, key: string | null, complaint: Complaint, severity: Finding['severity'] = complaint.severity ?? 'error'): void => {
    found.push({ file, line, key, rule: complaint.rule, severity, message: complaint.message, suggestion: complaint.suggestion });
  };
  const canonical = canonicalTag(tag);
  if (canonical !== tag) report(1, null, complain('tag', `${tag} is not how the language is written`, canonical === null ? 'a BCP 47 tag is expected, such as pt-BR' : `call the file ${canonical}.json`));

  const broken = jsonProblem(content);
  if (broken !== null) {
    report(broken.line, null, complain('json', broken.message, broken.suggestion));
    return found;
  }
  const all = JSON.parse(content) as Readonly<Record<string, unknown>>;
  const lines = new Map<string, number>();
  for (const { key, line } of keyLines(content)) {
    if (lines.has(key)) report(line, key, complain('duplicate', `stands here and on line ${String(lines.get(key))}`, 'keep one of the two'));
    else lines.set(key, line);
  }
  const lineOf = (key: string): number => lines.get(key) ?? 1;
  /** Where a key that is not there would follow. */
  const lineBefore = (key: string): number => Math.max(1, ...[...lines].filter(([each]) => each < key).map(([, line]) => line));
  if (content !== sortedJson(all)) report(1, null, complain('format', 'the keys are not sorted, or the lines are not laid out as in the other files', `put it right with: locales check ${tag} --fix`));

  const { english } = sources;
  // In a folder of one's own a file lies over the shipped one: it may hold a single text.
  const over = options.folder !== sources.home;
  // A regional file (en-GB beside en) holds only what differs from its language.
  const parent = regionOf(tag, sources.tags);
  const glossary = sources.glossary(tag) ?? (parent === null ? null : sources.glossary(parent)) ?? NO_GLOSSARY;
  const words = englishWords(english);
  const missing: string[] = [];
  for (const [key, text] of Object.entries(all)) {
    const line = lineOf(key);
    if (typeof text !== 'string') report(line, key, complain('json', 'is not a text', 'write the text between double quotes'));
    else if (key === '@reviewed') {
      if (!REVIEWED.test(text)) report(line, key, complain('reviewed', 'says neither "no" nor who and when', '"no", or a day and a name: "2026-11-24 Ada Lovelace"'));
    } else if (key !== '@name') {
      const { category } = splitPlural(key, english);
      const source = key.startsWith('@') ? undefined : sourceText(key, english);
      if (source === undefined) report(line, key, complain('extra', 'English has no such key', suggestKey(key, requiredKeys(tag, english))));
      else if (category !== null && !pluralCategories(tag).includes(category)) report(line, key, complain('plural', `the language has no form "${category}"`, `delete it; the forms are ${pluralCategories(tag).join(', ')}`));
      else if (text.trim() === '') report(line, key, complain('empty', 'is empty', `English: ${source}`));
      else if (text.startsWith(UNTRANSLATED)) {
        missing.push(key);
        report(line, key, complain('untranslated', 'is not translated yet', `replace all of it: ${source}`), options.partial ? 'warning' : 'error');
      } else {
        const { base } = splitPlural(key, english);
        const context = { tag, key, text, english: source, many: english[`${base}_other`] ?? source, category, note: sources.notes[base], glossary, words };
        const rules = tag === 'en' || parent === 'en' ? TEXT_RULES.filter((rule) => !NOT_FOR_ENGLISH.has(rule)) : TEXT_RULES;
        for (const rule of rules) {
          // An operator's own sentence may do without an address.
          for (const complaint of rule(context)) report(line, key, complaint, over && rule === placeholderRule ? 'warning' : undefined);
        }
        if (parent !== null && parentText(key, parent, sources) === text) report(line, key, complain('same', `the same as in ${parent}.json`, 'delete the line: a regional file holds only what differs'));
      }
    }
  }
  if (!('@reviewed' in all) && tag !== 'en' && !over) report(1, null, complain('reviewed', 'does not say whether a native speaker has reviewed it', 'add "@reviewed": "no" as its first line'));
  if (parent === null && !(over && sources.tags.includes(tag))) {
    for (const key of requiredKeys(tag, english)) {
      if (key in all) continue;
      const { category } = splitPlural(key, english);
      const complaint = category === null
        ? complain('missing', 'is missing: people would read English', `add it: ${sourceText(key, english) ?? ''}`)
        : complain('plural', `the form "${category}" is missing`, `add it, for example for the number ${exampleNumber(tag, category)}: ${sourceText(key, english) ?? ''}`);
      report(lineBefore(key), key, complaint, options.partial ? 'warning' : 'error');
    }
    if (tag !== 'en' && sources.glossary(tag) === null && !over) report(1, null, warn('glossary', 'the language has no glossary', `write locales/glossary/${tag}.json first; it keeps one word for one thing`));
  }
  return found.sort((left, right) => left.line - right.line);
}

function parentText(key: string, parent: string, sources: LocaleSources): string | undefined {
  const path = localePath(sources.home, parent);
  return (JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>)[key];
}

function canonicalTag(tag: string): string | null {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null;
  } catch {
    return null;
  }
}

/** Where each key stands; a key that stands twice comes twice, which `JSON.parse` hides. */
const keyLines = (content: string): readonly { readonly key: string; readonly line: number }[] => content.split('\n').flatMap((text, at) => {
  const key = /^\s*\{?\s*("(?:[^"\\]|\\.)*")\s*:/.exec(text)?.[1];
  return key === undefined ? [] : [{ key: JSON.parse(key) as string, line: at + 1 }];
});

function suggestKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  return near === undefined ? 'delete the line' : `did you mean ${near}? Otherwise delete the line`;
}

function exampleNumber(tag: string, category: string): string {
  const rules = new Intl.PluralRules(tag);
  const numbers = [...Array.from({ length: 201 }, (_, number) => number), 1_000_000, 0.5, 1.5];
  const example = numbers.find((number) => rules.select(number) === category);
  return example === undefined ? '(rare)' : String(example);
}
