import { isUtf8 } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../config/configProblem.ts';
import type { NoticeEvent } from '../ports/notices.ts';
import { DEFAULT_TEMPLATES } from './defaultTemplates.ts';
import { compileTemplate, type Template, type TemplateKind, templateProblems } from './template.ts';

/** `notice.html`, `notice.nl.html`, `notice.set.html`, `notice.set.nl.html`, and the same with `.txt`. */
const FILE = /^notice(\.(change|set|logout))?(\.[a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?\.(html|txt)$/;

/** The text of a file, or what is wrong with it. */
function read(path: string): { readonly source: string; readonly wrong: readonly string[] } {
  try {
    const bytes = readFileSync(path);
    if (!isUtf8(bytes)) return { source: '', wrong: ['it is not in UTF-8'] };
    // A mark of the byte order at the beginning is no part of the text.
    const source = new TextDecoder().decode(bytes);
    return { source, wrong: source.trim() === '' ? ['it is empty'] : templateProblems(source) };
  } catch (error) {
    return { source: '', wrong: [`it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`] };
  }
}

export type TemplateFor = (event: NoticeEvent, language: string, kind: TemplateKind) => Template;

/** The operator's own templates where there are any, else ours; the file that names most wins. Wrong ones do not start, all at once (I9). */
export function loadTemplates(folder: string | null): TemplateFor {
  const found = new Map<string, Template>([['notice.txt', compileTemplate(DEFAULT_TEMPLATES.txt, 'txt')], ['notice.html', compileTemplate(DEFAULT_TEMPLATES.html, 'html')]]);
  const problems: string[] = [];
  let names: string[] = [];
  try {
    names = folder === null ? [] : readdirSync(folder);
  } catch (error) {
    problems.push(`notices.templatesDir: ${String(folder)} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
  }
  for (const name of names.sort()) {
    if (name.startsWith('.') || name.endsWith('.md')) continue;
    const kind = FILE.exec(name)?.[5] as TemplateKind | undefined;
    if (kind === undefined) {
      problems.push(`notices.templatesDir: ${name} is no template; names are notice[.change|.set|.logout][.language].html or .txt`);
      continue;
    }
    const { source, wrong } = read(join(String(folder), name));
    problems.push(...wrong.map((problem) => `notices.templatesDir: ${name}: ${problem}`));
    if (wrong.length === 0) found.set(name, compileTemplate(source, kind));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return (event, language, kind) => {
    const short = language.split('-')[0] ?? language;
    const wanted = [`${event}.${language}`, `${event}.${short}`, event, language, short].map((part) => `notice.${part}.${kind}`);
    return [...wanted, `notice.${kind}`].map((name) => found.get(name)).find((template) => template !== undefined) as Template;
  };
}
