// Lays the files of a package out in a folder.
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Of our own build: maps are for us, not for a server. */
const NOT_OURS = /\.map$|(^|\/)\.DS_Store$/;

/** Of npm packages: what neither Node loads nor a licence asks for. */
const NOT_LOADED = /\.(map|d\.[cm]?ts|[cm]?ts|tsx|flow|markdown|yml|yaml|tsbuildinfo)$|^\.|(^|\/)\.[^/]+$|^(test|tests|__tests__|benchmark|benchmarks|bench|docs|doc|example|examples|integration|fixtures|coverage)\/|(^|\/)(test|tap|eslint\.config|jest\.config|Makefile|Gruntfile)(\.[cm]?js)?$/i;
const MUSL = /(^|\/)musl[^/]*\//;
/** Documents of others stay where they hold the licence. */
const DOCUMENT = /(^|\/)(?!licen[cs]e|notice|copying)[^/]+\.md$/i;

/** Files below `folder`, sorted, as paths with `/`; `nested` = also those in node_modules folders. */
function filesBelow(folder, { nested = true } = {}) {
  const found = [];
  const walk = (at) => {
    for (const entry of readdirSync(join(folder, at), { withFileTypes: true })) {
      const path = at === '' ? entry.name : `${at}/${entry.name}`;
      if (entry.isDirectory()) {
        if (nested || entry.name !== 'node_modules') walk(path);
      } else if (entry.isFile()) found.push(path);
    }
  };
  walk('');
  return found.sort();
}

function copy(from, to, mode = 0o644) {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
  chmodSync(to, mode);
}

/** Copies `from` (a file or a folder) without what is not for a server. */
export function addOwn(from, to) {
  if (!existsSync(from)) throw new Error(`${from} is missing`);
  for (const path of filesBelow(from)) if (!NOT_OURS.test(path)) copy(join(from, path), join(to, path));
}

export const addFile = copy;

/** One npm package without the packages inside it. Returns false where nothing is left to load: types only. */
export function addPackage(from, to) {
  const files = filesBelow(from, { nested: false }).filter((path) => !NOT_LOADED.test(path) && !DOCUMENT.test(path) && !MUSL.test(path));
  if (!files.some((path) => /\.([cm]?js|node|wasm)$/.test(path))) return false;
  for (const path of files) copy(join(from, path), join(to, path), 0o644);
  return true;
}

export const writeText = (path, text, mode = 0o644) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
};

/** `SHA256SUMS` over everything else, as sha256sum(1) checks it. Returns the number of files and of bytes. */
export function addChecksums(folder) {
  rmSync(join(folder, 'SHA256SUMS'), { force: true });
  let bytes = 0;
  const lines = filesBelow(folder).map((path) => {
    const content = readFileSync(join(folder, path));
    bytes += content.length;
    return `${createHash('sha256').update(content).digest('hex')}  ./${path}\n`;
  });
  writeText(join(folder, 'SHA256SUMS'), lines.join(''));
  return { files: lines.length, bytes };
}

export const checksumLine = (file) => `${createHash('sha256').update(readFileSync(file)).digest('hex')}  ${basename(file)}\n`;
