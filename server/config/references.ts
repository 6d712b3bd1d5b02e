import { readFileSync } from 'node:fs';
import { isTree } from './layers.ts';
import { fileTrouble } from './yamlProblem.ts';

/** `{ file: PATH }` or `{ env: NAME }`: a text kept elsewhere, so that no secret needs to be in the configuration. */
export interface Reference { readonly kind: 'file' | 'env'; readonly name: string }

export function referenceOf(value: unknown): Reference | null {
  if (!isTree(value)) return null;
  const [first, ...more] = Object.entries(value);
  if (first === undefined || more.length > 0 || typeof first[1] !== 'string') return null;
  return first[0] === 'file' || first[0] === 'env' ? { kind: first[0], name: first[1] } : null;
}

export interface Resolved {
  readonly value: unknown;
  /** Path, then what is wrong. */
  readonly problems: readonly { readonly path: string; readonly message: string }[];
}

/** Every reference replaced by what it stands for; what cannot be read is a problem and stands as undefined. */
export function resolveReferences(tree: unknown, environment: Readonly<Record<string, string | undefined>>): Resolved {
  const problems: { path: string; message: string }[] = [];
  const read = ({ kind, name }: Reference, path: string): string | undefined => {
    if (kind === 'env') {
      if (environment[name] === undefined) problems.push({ path, message: `the environment has no ${name}` });
      return environment[name];
    }
    try {
      return readFileSync(name, 'utf8').replace(/\r?\n$/, '');
    } catch (error) {
      problems.push({ path, message: `${name} cannot be read (${fileTrouble((error as NodeJS.ErrnoException).code)})` });
      return undefined;
    }
  };
  const resolve = (value: unknown, path: string): unknown => {
    if (Array.isArray(value)) return value.map((item, at) => resolve(item, `${path}[${String(at)}]`));
    if (!isTree(value)) return value;
    const reference = referenceOf(value);
    if (reference !== null) return read(reference, path);
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner, path === '' ? key : `${path}.${key}`)]));
  };
  return { value: resolve(tree, ''), problems };
}
