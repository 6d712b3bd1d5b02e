import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { regionOf } from '../../../module/texts/matchLanguage.ts';
import { requiredKeys, sourceText } from '../../../module/texts/pluralKeys.ts';
import { isLocaleTag, localePath, UNTRANSLATED } from '../../texts/localeFile.ts';
import { LocaleProblem } from './localeProblem.ts';
import type { LocaleSources } from './localeSources.ts';
import { sortedJson } from './sortedJson.ts';

/**
 * Begins a language: its file with every key, each holding the English text behind `@todo `, and an empty glossary. Until a
 * text is translated people read the fallback. Answers the paths that were written; an existing file is never touched.
 */
export function addLocale(tag: string, sources: LocaleSources, folder: string): readonly string[] {
  refuseTag(tag);
  const path = localePath(folder, tag);
  if (existsSync(path)) throw new LocaleProblem(`${path} is there already; see what it lacks with: locales check ${tag}`);
  const regional = regionOf(tag, sources.tags) !== null;
  const hints = regional ? [] : requiredKeys(tag, sources.english).map((key) => [key, `${UNTRANSLATED}${sourceText(key, sources.english) ?? ''}`]);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, sortedJson({ '@reviewed': 'no', ...Object.fromEntries(hints) as Record<string, string> }));
  const glossary = sources.glossaryPath(tag);
  if (regional || existsSync(glossary) || folder !== sources.home) return [path];
  const terms = Object.fromEntries(Object.keys(sources.glossary('en')?.terms ?? {}).map((term) => [term, '']));
  const name = new Intl.DisplayNames('en', { type: 'language' }).of(tag) ?? tag;
  mkdirSync(dirname(glossary), { recursive: true });
  writeFileSync(glossary, `${JSON.stringify({ language: name, register: '', terms, avoid: {}, same: [], sameWords: [], sources: [] }, null, 2)}\n`);
  return [path, glossary];
}

/** Throws where the tag is not how the language is written, with the tag that was probably meant. */
function refuseTag(tag: string): void {
  let canonical: string | undefined;
  try {
    [canonical] = Intl.getCanonicalLocales(tag.replaceAll('_', '-'));
  } catch { /* said below */ }
  if (canonical === undefined || !isLocaleTag(canonical)) throw new LocaleProblem(`"${tag}" is no BCP 47 tag, such as sk, pt-BR or sr-Latn`);
  if (canonical !== tag) throw new LocaleProblem(`"${tag}" is no BCP 47 tag; write it as ${canonical}`);
  const { language } = new Intl.Locale(tag);
  const names = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' });
  if (names.of(language) !== undefined) return;
  // "jp" is where Japanese is spoken, not its code.
  const spoken = language.length === 2 ? new Intl.Locale(`und-${language}`).maximize().language : 'en';
  throw new LocaleProblem(`no language has the code "${language}"${spoken === 'en' || spoken === 'und' ? '' : `; did you mean ${spoken} (${names.of(spoken) ?? spoken})?`}`);
}
