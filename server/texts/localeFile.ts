import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = /^([a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3})\.json$/;
/** Begins a text that `locales add` put there and nobody has translated: it counts as missing. */
export const UNTRANSLATED = '@todo ';

/** Whether a file may be called by it: a language of two or three letters, then script and region. */
export const isLocaleTag = (tag: string): boolean => FILE.test(`${tag}.json`);

/** The tags of the languages in a folder; none where there is no such folder. */
export function localeTags(folder: string): readonly string[] {
  try {
    return readdirSync(folder).flatMap((name) => FILE.exec(name)?.[1] ?? []).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

export const localePath = (folder: string, tag: string): string => join(folder, `${tag}.json`);

/** What a language file says, without its marks (`@reviewed`) and without what nobody has translated. Throws where it is not a flat object of texts. */
export function readTexts(folder: string, tag: string): Record<string, string> {
  const all: unknown = JSON.parse(readFileSync(localePath(folder, tag), 'utf8'));
  if (typeof all !== 'object' || all === null || Array.isArray(all)) throw new TypeError(`${tag}.json holds no object`);
  const texts: Record<string, string> = {};
  for (const [key, text] of Object.entries(all)) {
    if (typeof text !== 'string') throw new TypeError(`${tag}.json: ${key} is not a text`);
    if (!key.startsWith('@') && text !== '' && !text.startsWith(UNTRANSLATED)) texts[key] = text;
  }
  return texts;
}
