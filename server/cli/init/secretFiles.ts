import { chmodSync, chownSync, existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { keyAt } from '../../config/configKeys.ts';
import { driverAtIn } from '../../config/judgeDrivers.ts';
import { isTree, type Tree } from '../../config/layers.ts';
import { referenceOf } from '../../config/references.ts';
import { CommandError } from '../exitCodes.ts';

export interface SecretFile { readonly path: string; readonly value: string }

/** Every secret that stands in the tree, moved to a file of its own; the tree names the file. */
export function moveSecrets(tree: Tree, folder: string): { readonly tree: Tree; readonly files: readonly SecretFile[] } {
  const files: SecretFile[] = [];
  const move = (value: unknown, path: string): unknown => {
    if (referenceOf(value) !== null || value === null || value === undefined) return value;
    if (typeof value === 'string' && keyAt(path, driverAtIn(tree))?.secret === true) {
      const file = join(folder, path.replaceAll(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, ''));
      files.push({ path: file, value });
      return { file };
    }
    if (Array.isArray(value)) return value.map((item, at) => move(item, `${path}[${String(at)}]`));
    if (isTree(value)) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, move(inner, path === '' ? key : `${path}.${key}`)]));
    return value;
  };
  return { tree: move(tree, '') as Tree, files };
}

/** Nothing is overwritten by accident. */
export function refuseExisting(paths: readonly string[], force: boolean): void {
  const there = paths.filter((path) => existsSync(path));
  if (there.length > 0 && !force) throw new CommandError('CANNOT_CREATE', `${there.join(', ')} ${there.length === 1 ? 'is' : 'are'} there already; --force writes anew. Nothing was written.`);
}

/**
 * Mode 0600; the owner is the folder's. Where root keeps a folder for a group (`/etc/mailbox-password` of the service's group), that
 * group may read: 0640.
 */
export function writePrivately(path: string, text: string): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, gid, mode } = statSync(folder);
  const temporary = `${path}.${randomBytes(4).toString('hex')}.new`;
  try {
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
    if (process.getuid?.() === 0) {
      chownSync(temporary, uid, gid);
      if (uid === 0 && gid !== 0 && (mode & 0o050) === 0o050) chmodSync(temporary, 0o640);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new CommandError('CANNOT_CREATE', `${path}: ${(error as NodeJS.ErrnoException).code ?? 'cannot be written'}`);
  }
}

/** A folder for secrets beside the configuration, with its owner and mode. */
export function makeBeside(folder: string): void {
  if (existsSync(folder)) return;
  const parent = dirname(folder);
  mkdirSync(parent, { recursive: true, mode: 0o755 });
  const { uid, gid, mode } = statSync(parent);
  mkdirSync(folder, { mode: 0o700 });
  if (process.getuid?.() === 0) {
    chownSync(folder, uid, gid);
    if (uid === 0 && gid !== 0 && (mode & 0o050) === 0o050) chmodSync(folder, 0o750);
  }
}
