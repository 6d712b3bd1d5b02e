import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../paths.ts';
import { localeTags, readTexts } from '../../texts/localeFile.ts';
import { jsonProblem } from './jsonProblem.ts';
import { LocaleProblem } from './localeProblem.ts';

/** What translators are told about one text. */
export interface Note {
  /** Where it is shown and what it means. */
  readonly where: string;
  /** What each `{{placeholder}}` stands for. */
  readonly params?: Readonly<Record<string, string>>;
  /** The most columns it may take: a Latin letter is 1, a Chinese, Japanese or Korean one 2. */
  readonly max?: number;
  /** It may be as in English in every language: a name such as STARTTLS. */
  readonly same?: boolean;
}

export interface Glossary {
  readonly language: string;
  readonly register: string;
  readonly terms: Readonly<Record<string, string>>;
  /** Words that must not be used -> what to use. */
  readonly avoid: Readonly<Record<string, string>>;
  /** Keys whose text is rightly the same as in English, for example "Server". */
  readonly same: readonly string[];
  /** Words that are spelled as in English and are right here: "server", Dutch "was". */
  readonly sameWords: readonly string[];
  readonly sources: readonly string[];
}

function read(path: string): unknown {
  const content = readFileSync(path, 'utf8');
  const problem = jsonProblem(content);
  if (problem !== null) throw new LocaleProblem(`${path}:${String(problem.line)}: ${problem.message}\n    -> ${problem.suggestion}`);
  return JSON.parse(content) as unknown;
}

export const shippedFolder = (): string => join(packageRoot(), 'locales');

export const NO_GLOSSARY: Glossary = { language: '', register: '', terms: {}, avoid: {}, same: [], sameWords: [], sources: [] };

/** What languages are measured by: the English texts, their notes, the glossaries. All of it ships with the module. */
export function localeSources(home = shippedFolder()) {
  const glossaryPath = (tag: string): string => join(home, 'glossary', `${tag}.json`);
  read(join(home, 'en.json'));
  return {
    home,
    english: readTexts(home, 'en'),
    notes: read(join(home, 'notes', 'en.json')) as Readonly<Record<string, Note>>,
    tags: localeTags(home),
    glossaryPath,
    glossary: (tag: string): Glossary | null => (existsSync(glossaryPath(tag)) ? { ...NO_GLOSSARY, ...(read(glossaryPath(tag)) as Partial<Glossary>) } : null),
  };
}

export type LocaleSources = ReturnType<typeof localeSources>;
