// Which npm packages the built server needs: what its files import, and what those packages depend on by the lock file. Packages
// that only the browser half uses are inside its bundle already.
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import ts from 'typescript';

/** `@scope/name/file.js` -> `@scope/name`. */
const packageOf = (specifier) => specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');

/** The packages that JavaScript files below the folders import. */
export function importedPackages(folders) {
  const names = new Set();
  for (const folder of folders) {
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.js')) continue;
      const { importedFiles } = ts.preProcessFile(readFileSync(join(folder, file), 'utf8'), true, true);
      for (const { fileName } of importedFiles) if (!fileName.startsWith('.') && !isBuiltin(fileName)) names.add(packageOf(fileName));
    }
  }
  return [...names].sort();
}

/** musl builds are for Alpine; some packages say so in their name only. */
const isMusl = (path, { libc }) => libc?.includes('musl') === true || path.endsWith('-musl');

const fits = (path, entry, { os, cpu }) => (entry.os?.includes(os) ?? true) && (entry.cpu?.includes(cpu) ?? true) && !isMusl(path, entry);

/** Node's own search: next to the package, then in every folder above. */
function resolve(lock, from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const path = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
    if (lock[path] !== undefined) return path;
    if (at === '') return null;
  }
}

/**
 * Paths in the lock file (`node_modules/a/node_modules/b`), sorted, that `roots` need on `platform` ({ os, cpu }, glibc).
 * Throws where a dependency that is not optional is in no place where Node would find it.
 */
export function closure(lock, roots, platform) {
  const found = new Set();
  const visit = (from, name, optional) => {
    const path = resolve(lock, from, name);
    if (path === null && !optional) throw new Error(`${from || 'the project'} needs ${name}, which package-lock.json does not have`);
    if (path === null || found.has(path) || !fits(path, lock[path], platform)) return;
    found.add(path);
    const { dependencies = {}, optionalDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = lock[path];
    for (const below of Object.keys(dependencies)) visit(path, below, below in optionalDependencies);
    for (const below of Object.keys(optionalDependencies)) visit(path, below, true);
    for (const below of Object.keys(peerDependencies)) visit(path, below, peerDependenciesMeta[below]?.optional === true);
  };
  for (const name of roots) visit('', name, false);
  return [...found].sort();
}
