import { parse } from 'yaml';

export type Tree = Record<string, unknown>;

export const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** One source of configuration; a later layer wins over an earlier one. */
export interface Layer {
  /** Where its values come from, in words: `default`, `file /etc/...`, `environment`, `command line`. */
  readonly origin: string;
  readonly tree: Tree;
}

const PREFIX = 'MAILBOX_PASSWORD__';

/** A driver's options belong to that driver: another driver starts from nothing. */
const isWhole = (key: string): boolean => key === 'host';

export function merge(base: Tree, over: Tree): Tree {
  const merged: Tree = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isTree(below) && isTree(value) && !isWhole(key) ? merge(below, value) : value;
  }
  return merged;
}

/** `MAILBOX_PASSWORD__SERVER__PORT=8081` sets `server.port`; values are YAML scalars, names are matched without case. */
export function fromEnvironment(environment: Readonly<Record<string, string | undefined>>, known: Tree): Tree {
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

/** The parts of a path: `accounts[0].url` is `accounts`, `0`, `url`. */
const partsOf = (path: string): readonly string[] => path.split(/[.[\]]+/).filter((part) => part !== '');

export function valueAt(tree: unknown, path: string): unknown {
  return partsOf(path).reduce<unknown>((value, part) => (typeof value === 'object' && value !== null ? (value as Tree)[part] : undefined), tree);
}

/** Which layer a value of the merged tree comes from: the last one that says it, or says a list or a driver it is part of. */
export function originOf(path: string, layers: readonly Layer[]): string {
  const parts = partsOf(path);
  const says = ({ tree }: Layer): boolean => {
    let value: unknown = tree;
    for (const part of parts) {
      if (Array.isArray(value)) return true;
      if (!isTree(value) || !Object.hasOwn(value, part)) return false;
      value = value[part];
      if (isWhole(part) && isTree(value)) return true;
    }
    return true;
  };
  return layers.findLast(says)?.origin ?? 'default';
}
