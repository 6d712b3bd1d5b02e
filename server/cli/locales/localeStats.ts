import { readFileSync } from 'node:fs';
import { regionOf } from '../../../module/texts/matchLanguage.ts';
import { requiredKeys } from '../../../module/texts/pluralKeys.ts';
import { readJson } from '../../paths.ts';
import { localePath, localeTags, readTexts } from '../../texts/localeFile.ts';
import { jsonProblem } from './jsonProblem.ts';
import { LocaleProblem } from './localeProblem.ts';
import type { LocaleSources } from './localeSources.ts';

export interface LocaleStats {
  readonly tag: string;
  readonly name: string;
  readonly translated: number;
  readonly wanted: number;
  /** "no", a day and a name, or null for the source. */
  readonly reviewed: string | null;
  /** The language whose texts show through; null for a whole language. */
  readonly differsFrom: string | null;
}

/** How far each language of a folder is. */
export function localeStats(sources: LocaleSources, folder: string): readonly LocaleStats[] {
  return localeTags(folder).map((tag) => {
    const differsFrom = regionOf(tag, sources.tags);
    const problem = jsonProblem(readFileSync(localePath(folder, tag), 'utf8'));
    if (problem !== null) throw new LocaleProblem(`${localePath(folder, tag)}:${String(problem.line)}: ${problem.message}\n    -> ${problem.suggestion}`);
    const texts = readTexts(folder, tag);
    const wanted = requiredKeys(tag, sources.english);
    const translated = Object.keys(texts).filter((key) => wanted.includes(key)).length;
    const reviewed = (readJson(localePath(folder, tag)) as Record<string, string>)['@reviewed'];
    return {
      tag, name: new Intl.DisplayNames('en', { type: 'language' }).of(tag) ?? tag, translated,
      wanted: differsFrom === null ? wanted.length : translated, reviewed: tag === 'en' ? null : (reviewed ?? 'no'), differsFrom,
    };
  });
}

/** As a table for a terminal. */
export function statsTable(rows: readonly LocaleStats[]): string {
  const line = (row: LocaleStats): string => [
    row.tag.padEnd(8), row.name.padEnd(26),
    row.differsFrom === null ? `${String(row.translated).padStart(4)} of ${String(row.wanted)}  ${String(Math.floor((100 * row.translated) / row.wanted)).padStart(3)} %` : `${String(row.translated).padStart(4)} differ from ${row.differsFrom}`.padEnd(18),
    row.reviewed === null ? 'the source' : row.reviewed === 'no' ? 'not reviewed' : `reviewed ${row.reviewed}`,
  ].join('  ').trimEnd();
  const whole = rows.filter(({ translated, wanted }) => translated === wanted).length;
  const reviewed = rows.filter((row) => row.reviewed !== 'no').length;
  return `${rows.map(line).join('\n')}\n\n${String(rows.length)} languages, ${String(whole)} complete, ${String(reviewed - 1)} reviewed by a native speaker\n`;
}
