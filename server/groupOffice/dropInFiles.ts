import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { packageRoot, readJson } from '../paths.ts';
import { localeTags, readTexts } from '../texts/localeFile.ts';

export interface DropInSettings {
  /** The service's path on the same host. */
  readonly basePath: string;
  /** What users see who have a password of Group-Office itself: our section below the native one, instead of it, or never. */
  readonly localUsers: 'below' | 'instead' | 'never';
}

/** Group-Office's own names of languages (its go/core/language), where they are not `language_region` in lower case. */
const ISO: Readonly<Record<string, string>> = { bn: 'bn_bd', pt: 'pt_pt', zh: 'cn', 'zh-CN': 'cn', 'zh-Hans': 'cn', 'zh-Hant': 'zh_tw', no: 'nb' };

export const groupOfficeIso = (tag: string): string => ISO[tag] ?? tag.toLowerCase().replace('-', '_');

/** A PHP string literal of any text. */
export const phpString = (text: string): string => `'${text.replaceAll(/['\\]/g, String.raw`\$&`).replaceAll('\0', '')}'`;

/** Texts of ours that the drop-in shows by itself. */
const BY_KEY = ['section.loadFailed', 'section.consequence'] as const;

/** Texts that Group-Office itself shows; everything else is shown by the section, from `locales/` over HTTP. */
function languageFile(texts: Readonly<Record<string, string>>, fallback: Readonly<Record<string, string>>): string {
  // What Group-Office finds no text for it shows by its key: the heading's is the English word.
  const entries = { name: 'module.name', description: 'module.description', Password: 'section.title', ...Object.fromEntries(BY_KEY.map((key) => [key, key])) };
  const lines = Object.entries(entries).map(([key, from]) => `\t${phpString(key)} => ${phpString(texts[from] ?? fallback[from] ?? from)},\n`);
  return `<?php\n// Generated from locales/*.json.\nreturn [\n${lines.join('')}];\n`;
}

/**
 * The folder that an operator drops into `go/modules/mailboxpassword/mailboxpassword`, by path. Nothing in it carries a
 * hash: it changes with the module's version, the client's chunks come from the service.
 */
export function dropInFiles(settings: DropInSettings, root = packageRoot()): ReadonlyMap<string, Buffer> {
  const source = join(root, 'module', 'group-office');
  const files = new Map<string, Buffer>();
  for (const path of readdirSync(source, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!/\.(php|js|txt|png)$/.test(path)) continue;
    const content = readFileSync(join(source, path));
    const name = path.split(sep).join('/');
    if (name !== 'views/goui/Index.js') files.set(name, content);
    else files.set('views/goui/dist/Index.js', Buffer.from(withSettings(content.toString('utf8'), settings)));
  }
  const locales = join(root, 'locales');
  const { name, description } = { ...(readJson(join(root, 'package.json')) as { description: string }), ...(readJson(join(root, 'manifest.json')) as { name: string }) };
  const english = { 'module.name': name, 'module.description': description, ...readTexts(locales, 'en') };
  for (const tag of localeTags(locales)) {
    // `pt.json` and `pt-PT.json` would be one file: the more precise one, which sorts later, stays.
    const texts = readTexts(locales, tag);
    files.set(`language/${groupOfficeIso(tag)}.php`, Buffer.from(languageFile(texts, english)));
  }
  const version = (readJson(join(root, 'manifest.json')) as { version: string }).version;
  files.set('installed.json', Buffer.from(`${JSON.stringify({ version, basePath: settings.basePath, localUsers: settings.localUsers }, null, 2)}\n`));
  return files;
}

function withSettings(script: string, settings: DropInSettings): string {
  const line = /^const settings = \{.*?\};/m;
  if (!line.test(script)) throw new Error('views/goui/Index.js has no settings line');
  const { basePath, localUsers } = settings;
  return script.replace(line, () => `const settings = ${JSON.stringify({ basePath, localUsers }).replaceAll('<', '\\u003c')};`);
}

/** What stands in a Group-Office folder: null where nothing does, `changed` where a file differs from what we would write. */
export function compareDropIn(folder: string, files: ReadonlyMap<string, Buffer>): { readonly present: boolean; readonly changed: readonly string[] } {
  if (!existsSync(join(folder, 'Module.php'))) return { present: false, changed: [...files.keys()] };
  const changed = [...files].filter(([path, content]) => !existsSync(join(folder, path)) || !readFileSync(join(folder, path)).equals(content)).map(([path]) => path);
  return { present: true, changed };
}
