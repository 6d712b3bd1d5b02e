import { readFileSync } from 'node:fs';
import { ValidationError } from 'yup';
import { parse } from 'yaml';
import { type Config, configSchema, DEFAULT_CONFIG } from '../../module/config/configSchema.ts';

const PREFIX = 'MAILBOX_PASSWORD__';

type Tree = Record<string, unknown>;

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

function merge(base: Tree, over: Tree): Tree {
  const merged: Tree = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    // A driver's options belong to that driver: another driver starts from nothing.
    merged[key] = isTree(below) && isTree(value) && key !== 'host' ? merge(below, value) : value;
  }
  return merged;
}

/** `MAILBOX_PASSWORD__SERVER__PORT=8081` sets `server.port`; values are YAML scalars, names are matched without case. */
function fromEnvironment(environment: Readonly<Record<string, string | undefined>>, known: Tree): Tree {
  const tree: Tree = {};
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || value === undefined) continue;
    let into = tree;
    let model: Tree = known;
    const parts = name.slice(PREFIX.length).split('__');
    parts.forEach((part, at) => {
      const key = Object.keys(model).find((candidate) => candidate.toLowerCase() === part.toLowerCase()) ?? part.toLowerCase();
      if (at === parts.length - 1) {
        into[key] = parse(value) as unknown;
        return;
      }
      into[key] ??= {};
      into = into[key] as Tree;
      model = isTree(model[key]) ? model[key] : {};
    });
  }
  return tree;
}

/** A configuration that does not start. `problems` lists all of them, a line each: path, then what is wrong. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration has ${String(problems.length)} problem(s):\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

export interface ConfigSources {
  /** A YAML or JSON file; undefined = none. */
  readonly file?: string | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** What the command line says; it wins. */
  readonly overrides?: Tree;
}

/** `{ env: NAME }` and `{ file: PATH }` stand for a text kept elsewhere, so that no secret needs to be in the configuration. */
function resolveReferences(value: unknown, path: string, environment: Readonly<Record<string, string | undefined>>, problems: string[]): unknown {
  if (Array.isArray(value)) return value.map((item, at) => resolveReferences(item, `${path}[${String(at)}]`, environment, problems));
  if (!isTree(value)) return value;
  const [first, ...more] = Object.entries(value);
  if (first !== undefined && more.length === 0 && typeof first[1] === 'string') {
    const [kind, name] = [first[0], first[1]];
    if (kind === 'env') {
      const found = environment[name];
      if (found === undefined) problems.push(`${path}: the environment has no ${name}`);
      return found;
    }
    if (kind === 'file') {
      try {
        return readFileSync(name, 'utf8').replace(/\r?\n$/, '');
      } catch (error) {
        problems.push(`${path}: ${name} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
        return undefined;
      }
    }
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolveReferences(inner, path === '' ? key : `${path}.${key}`, environment, problems)]));
}

/** Defaults, then the file, then the environment, then the command line. Throws {@link ConfigError} with every problem (I9). */
export function loadConfig({ file, environment = {}, overrides = {} }: ConfigSources): Config {
  let own: unknown = {};
  if (file !== undefined) {
    try {
      own = parse(readFileSync(file, 'utf8')) ?? {};
    } catch (error) {
      throw new ConfigError([`${file}: ${error instanceof Error ? error.message : 'cannot be read'}`]);
    }
    if (!isTree(own)) throw new ConfigError([`${file}: a mapping of keys was expected`]);
  }
  const defaults = DEFAULT_CONFIG as unknown as Tree;
  const raw = [own as Tree, fromEnvironment(environment, defaults), overrides].reduce(merge, defaults);
  const unresolved: string[] = [];
  const resolved = resolveReferences(raw, '', environment, unresolved);
  if (unresolved.length > 0) throw new ConfigError(unresolved);
  try {
    return configSchema.validateSync(resolved, { strict: true, abortEarly: false });
  } catch (error) {
    if (!ValidationError.isError(error)) throw error;
    throw new ConfigError(error.inner.map((inner) => `${inner.path === undefined || inner.path === '' ? '(top level)' : inner.path}: ${inner.message}`));
  }
}
