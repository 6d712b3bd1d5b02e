import type { ValidationError } from 'yup';
import type { ConfigKey } from './configKeys.ts';

/** One thing that is wrong with a configuration. Everything in it may be shown: secrets are masked already. */
export interface ConfigProblem {
  /** `accounts[0].url`; `(top level)` for the whole. */
  readonly path: string;
  readonly message: string;
  /** What stands there, as JSON, masked where it is secret; left out where nothing does. */
  readonly value?: string | undefined;
  readonly expected?: string | undefined;
  /** As YAML on one line. */
  readonly example?: string | undefined;
}

export const MASK = '********';

/** A configuration that does not start. `problems` lists all of them, a line each: path, then what is wrong. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];
  readonly details: readonly ConfigProblem[];

  constructor(problems: readonly (string | ConfigProblem)[]) {
    const details = problems.map((problem) => (typeof problem === 'string' ? fromLine(problem) : problem));
    const lines = details.map(({ path, message }) => `${path}: ${message}`);
    super(`The configuration has ${String(lines.length)} problem(s):\n${lines.map((line) => `  - ${line}`).join('\n')}`);
    this.problems = lines;
    this.details = details;
  }
}

function fromLine(line: string): ConfigProblem {
  const at = line.indexOf(': ');
  return at < 0 ? { path: '(top level)', message: line } : { path: line.slice(0, at), message: line.slice(at + 2) };
}

/** An example as it may stand in a YAML file, on one line. */
export function exampleText(example: unknown): string {
  // Some examples are YAML already.
  if (typeof example === 'string' && /^\{.*\}$|^\[.*\]$/.test(example)) return example;
  if (typeof example === 'string') return example === '' || /^[\s!&*%@`'"]|: |\s#|^\[.*[^\]]$/.test(example) ? JSON.stringify(example) : example;
  if (Array.isArray(example)) return `[${example.map(exampleText).join(', ')}]`;
  if (typeof example === 'object' && example !== null) return `{ ${Object.entries(example).map(([key, value]) => `${key}: ${exampleText(value)}`).join(', ')} }`;
  return JSON.stringify(example);
}

const shown = (value: unknown, secret: boolean): string | undefined => {
  if (value === undefined) return undefined;
  if (secret) return MASK;
  // What holds other keys may hold secrets.
  if (typeof value === 'object' && value !== null && !(Array.isArray(value) && value.every((one) => typeof one !== 'object'))) return undefined;
  const text = JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
};

/** The known name that a mistyped one is nearest to, if it is near. */
function nearest(name: string, names: readonly string[]): string | undefined {
  const distance = (left: string, right: string): number => {
    let row = Array.from({ length: right.length + 1 }, (_, at) => at);
    for (const [at, character] of [...left].entries())
      row = row.reduce<number[]>((next, above, column) => [...next, column === 0 ? at + 1
        : Math.min(above + 1, (next[column - 1] ?? 0) + 1, (row[column - 1] ?? 0) + (character === right[column - 1] ? 0 : 1))], []);
    return row.at(-1) ?? 0;
  };
  const [best] = names.map((known) => ({ known, far: distance(name.toLowerCase(), known.toLowerCase()) })).sort((one, two) => one.far - two.far);
  return best !== undefined && best.far <= (name.length < 4 ? 1 : Math.max(2, Math.floor(name.length / 3))) ? best.known : undefined;
}

/** Of what has no example of its own in the schema. */
const EXAMPLES: Readonly<Record<string, string>> = {
  host: '{ driver: embedded }', accounts: '[{ driver: sql, domains: ["*"], url: { file: /etc/mailbox-password/accounts.url }, preset: postfixadmin }]',
  sessions: '[{ driver: dovecot, name: mail, backends: [{ url: "http://127.0.0.1:8090", apiKey: { file: /etc/mailbox-password/doveadm.key } }] }]',
  notify: '{ driver: smtp, host: 127.0.0.1, port: 25, encryption: none }', administrators: '[]',
};

/** Where an unknown key is at home, if the schema knows its name elsewhere. */
function home(name: string, path: string, homesOf: (name: string) => readonly string[]): string {
  const homes = homesOf(name).filter((one) => one !== path);
  if (homes.length === 0) return '';
  const words = homes.slice(0, 3).map((one) => (one === '' ? 'the top level' : one)).join(', ');
  return ` (it is a key of ${words}: mind how far it is indented)`;
}

/** A number or a switch that was written as a text. */
const isQuoted = (value: unknown, expected: string | undefined): boolean => typeof value === 'string' && expected !== undefined
  && ((/number/.test(expected) && /^-?\d+(\.\d+)?$/.test(value)) || (/true or false/.test(expected) && /^(true|false)$/.test(value)));

/** What is wrong with a value of the wrong type. */
function wrongType(value: unknown, expected: string | undefined): string {
  if (value === null) return 'is empty: give it a value, or take the line away';
  if (isQuoted(value, expected)) return 'is a text: take the quotes away';
  return `is not ${expected ?? 'of the right type'}`;
}

export interface ProblemContext {
  /** What stands before yup's own path. */
  readonly prefix: string;
  readonly keyAt: (path: string) => ConfigKey | null;
  /** As written, references unresolved. */
  readonly valueAt: (path: string) => unknown;
  /** Names that may stand below a path. */
  readonly namesAt: (path: string) => readonly string[];
  /** Paths below which a key of this name may stand; `` is the top level. */
  readonly homesOf?: (name: string) => readonly string[];
}

/** yup's errors as problems. Its own words for a wrong type repeat the value, which may be a secret: they are not used. */
export function problemsOf(error: ValidationError, { prefix, keyAt, valueAt, namesAt, homesOf = () => [] }: ProblemContext): ConfigProblem[] {
  const errors = error.inner.length === 0 ? [error] : error.inner;
  return errors.map(({ path: own = '', type, message, params }) => {
    const path = [prefix, own].filter((part) => part !== '').join('.').replaceAll('.[', '[');
    const at = path === '' ? '(top level)' : path;
    if (type === 'noUnknown') {
      const unknown = String(params?.['unknown']).split(', ');
      const said = unknown.map((name) => {
        const meant = nearest(name, namesAt(path));
        return `${name}${meant === undefined ? home(name, path, homesOf) : ` (did you mean ${meant}?)`}`;
      });
      return { path: at, message: `unknown key ${said.join(', ')}`, expected: `only ${namesAt(path).join(', ')}` };
    }
    const key = path === '' ? null : keyAt(path);
    const value = path === '' ? undefined : valueAt(path);
    const isMissing = value === undefined;
    const expected = key?.expected;
    const isWrongType = type === 'typeError' || value === null;
    const words = isMissing ? 'is missing' : isWrongType ? wrongType(value, expected) : message;
    // A rule between the keys below says itself what it wants.
    const isRule = !isMissing && !isWrongType && typeof value === 'object';
    const example = key?.example ?? EXAMPLES[path];
    return {
      path: at, message: words, value: shown(value, key?.secret ?? false), ...(!isRule && { expected }),
      ...(example !== undefined && { example: exampleText(example) }),
    };
  });
}
