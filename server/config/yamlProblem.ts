import { YAMLParseError } from 'yaml';

/** What to do about a mistake in the file's form, by the parser's code (https://eemeli.org/yaml/#yamlparseerror). */
const CURES: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'blanks before a key, no tabs',
  DUPLICATE_KEY: 'each key once; what belongs together stands below one of them',
  BAD_ALIAS: 'a text that begins with * stands in quotes: "*"',
  BAD_INDENT: 'keys that belong together begin in the same column',
  BLOCK_AS_IMPLICIT_KEY: 'keys that belong together begin in the same column; a text with ": " in it stands in quotes',
  BLOCK_IN_FLOW: 'a text with ": " in it stands in quotes; inside { } and [ ] commas part the entries',
  MISSING_CHAR: 'the quote or bracket that was opened is closed',
  IMPOSSIBLE: 'a YAML file',
};

/** The parser's words without the line that they show, which may hold a password; and what is expected there. */
export function yamlProblem(error: unknown): { readonly message: string; readonly expected?: string } {
  if (!(error instanceof Error)) return { message: 'cannot be read' };
  const { code } = error as NodeJS.ErrnoException;
  if (!(error instanceof YAMLParseError)) return { message: `cannot be read (${fileTrouble(code)})` };
  const expected = CURES[error.code];
  return { message: (error.message.split('\n')[0] ?? '').replace(/:$/, ''), ...(expected !== undefined && { expected }) };
}

/** Why a file cannot be read, in words. */
export function fileTrouble(code: string | undefined): string {
  if (code === 'ENOENT') return 'ENOENT: there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return `${code}: this user may not read it`;
  if (code === 'EISDIR') return 'EISDIR: it is a folder';
  return code ?? 'error';
}
