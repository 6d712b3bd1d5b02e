import { readFileSync } from 'node:fs';
import { ValidationError } from 'yup';
import { parse } from 'yaml';
import { type Config, configSchema, DEFAULT_CONFIG } from '../../module/config/configSchema.ts';
import { topLevelKeys, keyAt } from './configKeys.ts';
import { ConfigError, type ConfigProblem, problemsOf } from './configProblem.ts';
import { driverAtIn, judgeDrivers } from './judgeDrivers.ts';
import { fromEnvironment, isTree, type Layer, merge, type Tree, valueAt } from './layers.ts';
import { resolveReferences } from './references.ts';
import { yamlProblem } from './yamlProblem.ts';

export { ConfigError } from './configProblem.ts';

export interface ConfigSources {
  /** A YAML or JSON file; undefined = none. */
  readonly file?: string | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** What the command line says; it wins. */
  readonly overrides?: Tree;
}

/** A configuration looked at, right or wrong. */
export interface Inspection {
  /** Null where there is any problem. */
  readonly config: Config | null;
  readonly problems: readonly ConfigProblem[];
  /** All layers merged, `{ file }` and `{ env }` as they are written. */
  readonly written: Tree;
  readonly layers: readonly Layer[];
}

/** The parser's own words show the line, and the line may hold a password: only what and where is said. */
function readFile(file: string): { readonly tree: Tree } | { readonly problem: ConfigProblem } {
  try {
    const own = (parse(readFileSync(file, 'utf8'), { prettyErrors: true }) ?? {}) as unknown;
    return isTree(own) ? { tree: own } : { problem: { path: file, message: 'a mapping of keys was expected', expected: 'keys with values', example: 'readOnly: false' } };
  } catch (error) {
    return { problem: { path: file, ...yamlProblem(error) } };
  }
}

/** Defaults, then the file, then the environment, then the command line, judged as a whole: every problem is found at once. Connects to nothing. */
export function inspectConfig({ file, environment = {}, overrides = {} }: ConfigSources): Inspection {
  const defaults = DEFAULT_CONFIG as unknown as Tree;
  const read = file === undefined ? { tree: {} } : readFile(file);
  if ('problem' in read) return { config: null, problems: [read.problem], written: defaults, layers: [{ origin: 'default', tree: defaults }] };
  const layers: Layer[] = [
    { origin: 'default', tree: defaults },
    { origin: `file ${file ?? ''}`, tree: read.tree },
    { origin: 'environment', tree: fromEnvironment(environment, defaults) },
    { origin: 'command line', tree: overrides },
  ];
  const written = layers.map(({ tree }) => tree).reduce(merge);
  const { value, problems: unread } = resolveReferences(written, environment);
  const resolved = value as Tree;
  const context = {
    keyAt: (path: string) => keyAt(path, driverAtIn(resolved)),
    valueAt: (path: string) => valueAt(written, path),
  };
  const problems: ConfigProblem[] = [...unread];
  let config: Config | null = null;
  try {
    config = configSchema.validateSync(resolved, { strict: true, abortEarly: false });
  } catch (error) {
    if (!ValidationError.isError(error)) throw error;
    const namesAt = (path: string): string[] => {
      const below = path === '' ? '' : `${path.replaceAll(/\[\d+\]/g, '[]')}.`;
      return topLevelKeys().flatMap(({ path: known }) => (known.startsWith(below) && !/[.[]/.test(known.slice(below.length)) ? [known.slice(below.length)] : []));
    };
    const homesOf = (name: string): string[] => topLevelKeys().flatMap(({ path: known }) => {
      const at = known.lastIndexOf('.');
      return !known.includes('[') && known.slice(at + 1) === name ? [known.slice(0, Math.max(0, at))] : [];
    });
    problems.push(...problemsOf(error, { ...context, prefix: '', namesAt, homesOf }));
  }
  problems.push(...judgeDrivers(resolved, context));
  // What could not be read is said once: not again as "is missing".
  const told = problems.filter(({ path, message }, at) => problems.findIndex((one) => one.path === path && (one.message === message || at >= unread.length && unread.includes(one))) === at);
  return { config: told.length === 0 ? config : null, problems: told, written, layers };
}

/** {@link inspectConfig} for whoever needs a right one. Throws {@link ConfigError} with every problem (I9). */
export function loadConfig(sources: ConfigSources): Config {
  const { config, problems } = inspectConfig(sources);
  if (config === null) throw new ConfigError(problems);
  return config;
}
