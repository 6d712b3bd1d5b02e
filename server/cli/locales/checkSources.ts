import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { splitPlural } from '../../../module/texts/pluralKeys.ts';
import { localePath } from '../../texts/localeFile.ts';
import { complain, type Complaint, type Finding } from './finding.ts';
import { type Glossary, type LocaleSources, NO_GLOSSARY, type Note } from './localeSources.ts';
import { sortedJson, sortedLines } from './sortedJson.ts';
import { textWidth } from './textWidth.ts';

const placeholders = (text: string): readonly string[] => [...new Set([...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name ?? ''))].sort();

/** The English texts against their notes, both ways. */
export function checkNotes(sources: LocaleSources): readonly Finding[] {
  const { english, notes, home } = sources;
  const file = join(home, 'notes', 'en.json');
  const content = readFileSync(file, 'utf8').split('\n');
  const found: Finding[] = [];
  const report = (key: string | null, complaint: Complaint): void => {
    const line = Math.max(1, content.findIndex((text) => key !== null && text.trimStart().startsWith(`${JSON.stringify(key)}:`)) + 1);
    found.push({ file, line, key, rule: complaint.rule, severity: 'error', message: complaint.message, suggestion: complaint.suggestion });
  };
  const byBase = new Map<string, string[]>();
  for (const [key, text] of Object.entries(english)) {
    const { base } = splitPlural(key, english);
    byBase.set(base, [...(byBase.get(base) ?? []), text]);
  }
  if (content.join('\n') !== sortedLines(notes)) report(null, complain('format', 'the notes are not sorted, or not one on a line', 'mailbox-password locales check --fix'));
  for (const key of Object.keys(notes)) if (!byBase.has(key)) report(key, complain('note', 'a note for a text that is not there', 'delete the line'));
  for (const [key, texts] of byBase) {
    const note: Note | undefined = notes[key];
    if (note === undefined || note.where.trim() === '') {
      report(key, complain('note', `${key} has no note`, `add "${key}": { "where": "where it is shown, what it means" }`));
      continue;
    }
    const wanted = [...new Set(texts.flatMap(placeholders))].sort();
    const told = Object.keys(note.params ?? {}).sort();
    if (wanted.join() !== told.join()) report(key, complain('note', `explains the placeholders "${told.join(', ')}", the text has "${wanted.join(', ')}"`, 'explain each of them under "params"'));
    for (const text of texts) if (note.max !== undefined && textWidth(text) > note.max) report(key, complain('length', `English itself is longer than ${String(note.max)} columns`, 'raise "max" if it fits, or shorten the text'));
  }
  return found;
}

/** A glossary against the one of English: the same terms, and keys that exist. */
export function checkGlossary(tag: string, sources: LocaleSources): readonly Finding[] {
  const glossary = sources.glossary(tag);
  if (glossary === null) return [];
  const file = sources.glossaryPath(tag);
  const content = readFileSync(file, 'utf8');
  const found: Finding[] = [];
  const report = (word: string, complaint: Complaint): void => {
    const line = Math.max(1, content.split('\n').findIndex((text) => text.includes(JSON.stringify(word))) + 1);
    found.push({ file, line, key: word, rule: complaint.rule, severity: 'error', message: complaint.message, suggestion: complaint.suggestion });
  };
  const english: Glossary = sources.glossary('en') ?? NO_GLOSSARY;
  for (const [term, meaning] of Object.entries(english.terms)) if ((glossary.terms[term] ?? '').trim() === '') report(term, complain('glossary', `no word for ${term}`, meaning));
  for (const term of Object.keys(glossary.terms)) if (!(term in english.terms)) report(term, complain('glossary', 'English has no such term', 'delete it, or add it to glossary/en.json with what it means'));
  const bases = new Set(Object.keys(sources.english).flatMap((key) => [key, splitPlural(key, sources.english).base]));
  for (const key of glossary.same) if (!bases.has(key)) report(key, complain('glossary', '"same" names a key that English has not', 'delete it'));
  if (glossary.register.trim() === '') report('register', complain('glossary', 'does not say how people are addressed', 'formal or informal, as the mail software of the language does, and which software'));
  return found;
}

/** What `--fix` writes: the same content, laid out. Null where nothing changes, or where a person must look first. */
export function fixedLayout(folder: string, tag: string): string | null {
  const content = readFileSync(localePath(folder, tag), 'utf8');
  try {
    const laidOut = sortedJson(JSON.parse(content) as Record<string, unknown>);
    return laidOut === content ? null : laidOut;
  } catch {
    return null;
  }
}
