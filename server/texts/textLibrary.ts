import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { behind, chooseLanguage, regionOf } from '../../module/texts/matchLanguage.ts';
import { createTranslator, directionOf, type Translator } from '../../module/texts/translator.ts';
import { packageRoot } from '../paths.ts';
import { localePath, localeTags, readTexts } from './localeFile.ts';
import { PSEUDO_LANGUAGES, pseudoTexts } from './pseudoLanguage.ts';

export interface Language {
  readonly tag: string;
  /** In the language itself: "Deutsch". */
  readonly name: string;
  readonly direction: 'ltr' | 'rtl';
}

/** All texts, as the files are now: a new or changed file is seen with the next request, without a restart. */
export interface TextLibrary {
  /** What can be offered, by name. */
  languages(): readonly Language[];
  /** The best that there is for a list of wishes, most wanted first. */
  choose(wanted: readonly string[]): string;
  /** Texts in one language, `@language` among them: the language's, else those of the language behind it, else English. */
  texts(tag: string): Readonly<Record<string, string>>;
  translator(wanted: readonly string[]): Translator;
}

type OnBroken = (path: string, error: unknown) => void;

interface Read { readonly stamp: string; readonly texts: Readonly<Record<string, string>>; readonly name: string | undefined }

/** The shipped folder, then the operator's own, each over the last. A file that cannot be read is reported once and its last good state kept. */
export function createTextLibrary(ownFolder: string | null = null, onBroken: OnBroken = () => undefined, shipped = join(packageRoot(), 'locales')): TextLibrary {
  const folders = ownFolder === null ? [shipped] : [shipped, ownFolder];
  const cache = new Map<string, Read>();

  function read(folder: string, tag: string): Read | undefined {
    const path = localePath(folder, tag);
    const known = cache.get(path);
    try {
      const { mtimeMs, size, ino } = statSync(path);
      const stamp = `${String(mtimeMs)} ${String(size)} ${String(ino)}`;
      if (known?.stamp === stamp) return known;
      // Whatever comes of it, this state of the file is not tried again.
      cache.set(path, { stamp, texts: known?.texts ?? {}, name: known?.name });
      const name = (JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>)['@name'];
      cache.set(path, { stamp, texts: readTexts(folder, tag), name: typeof name === 'string' ? name : undefined });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') cache.delete(path);
      else onBroken(path, error);
    }
    return cache.get(path);
  }

  const listings = new Map<string, { readonly stamp: number; readonly tags: readonly string[] }>();
  /** A folder's time changes when a file comes or goes. */
  function tagsIn(folder: string): readonly string[] {
    try {
      const stamp = statSync(folder).mtimeMs;
      const known = listings.get(folder);
      if (known?.stamp === stamp) return known.tags;
      const tags = localeTags(folder);
      listings.set(folder, { stamp, tags });
      return tags;
    } catch (error) {
      // An operator may name a folder before making it.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') onBroken(folder, error);
      return [];
    }
  }

  const tags = (): readonly string[] => [...new Set(folders.flatMap(tagsIn))].sort();
  const isPseudo = (tag: string): tag is (typeof PSEUDO_LANGUAGES)[number] => (PSEUDO_LANGUAGES as readonly string[]).includes(tag);

  function choose(wanted: readonly string[]): string {
    const [first] = wanted;
    return first !== undefined && isPseudo(first) ? first : chooseLanguage(wanted, tags());
  }

  /** From English to the language itself, what comes later wins. */
  function chain(tag: string): readonly string[] {
    const there = tags();
    const found = [tag];
    for (let next = behind(tag, there); next !== null && !found.includes(next); next = behind(next, there)) found.push(next);
    return [...new Set(['en', ...found.reverse()])];
  }

  function texts(tag: string): Readonly<Record<string, string>> {
    const merged: Record<string, string> = {};
    for (const each of chain(isPseudo(tag) ? 'en' : tag)) for (const folder of folders) Object.assign(merged, read(folder, each)?.texts);
    return { '@language': tag, ...(isPseudo(tag) ? pseudoTexts(tag, merged) : merged) };
  }

  return {
    languages() {
      // A file that was only begun is not offered; one of a region may have nothing to differ in.
      const begun = (tag: string): boolean => regionOf(tag, tags()) !== null || folders.some((folder) => Object.keys(read(folder, tag)?.texts ?? {}).length > 0);
      const named = tags().filter(begun).map((tag): Language => ({ tag, name: folders.map((folder) => read(folder, tag)?.name).find(Boolean) ?? ownName(tag), direction: directionOf(tag) }));
      const { compare } = new Intl.Collator('en');
      return named.sort((left, right) => compare(left.name, right.name));
    },
    choose,
    texts,
    translator: (wanted) => createTranslator(texts(choose(wanted))),
  };
}

/** As the language writes itself, with the capital that a list wants: "Français", "English (United Kingdom)". */
function ownName(tag: string): string {
  const name = new Intl.DisplayNames([tag], { type: 'language', languageDisplay: 'standard' }).of(tag) ?? tag;
  const [first = '', ...rest] = name;
  return `${first.toLocaleUpperCase(tag)}${rest.join('')}`;
}
