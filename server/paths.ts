import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds manifest.json: the same from the sources and from `dist/`. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'manifest.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('manifest.json was not found above the server');
    folder = parent;
  }
  return folder;
}

export const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

/** The version of the module, as its manifest tells the host. */
export const version = (): string => (readJson(join(packageRoot(), 'manifest.json')) as { version: string }).version;
