import type { Complaint } from './finding.ts';
import type { Glossary, Note } from './localeSources.ts';

/** One text of one language, beside what it translates. */
export interface TextInContext {
  readonly tag: string;
  readonly key: string;
  readonly text: string;
  readonly english: string;
  /** The English text for many, where there are plural forms; else the same again. */
  readonly many: string;
  readonly category: Intl.LDMLPluralRule | null;
  readonly note: Note | undefined;
  readonly glossary: Glossary;
  /** Every word of the English texts, in lower case. */
  readonly words: ReadonlySet<string>;
}

/** Judges one text; empty = nothing to say. */
export type TextRule = (context: TextInContext) => readonly Complaint[];
