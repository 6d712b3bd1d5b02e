// Node itself, for machines whose distribution has none that is new enough: the npm package node-<platform>, pinned by its hash.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { addFile } from './stage.mjs';

const { version, integrity } = JSON.parse(readFileSync(join(import.meta.dirname, 'nodeRuntime.json'), 'utf8'));

/** Puts `node/bin/node` and `node/LICENSE` below `folder`. `cache` keeps the download. */
export function addNode(folder, platform, cache) {
  const wanted = integrity[platform];
  if (wanted === undefined) throw new Error(`nodeRuntime.json has no Node for ${platform}`);
  mkdirSync(cache, { recursive: true });
  const archive = join(cache, `node-${platform}-${version}.tgz`);
  if (!existsSync(archive)) execFileSync('npm', ['pack', '--silent', '--pack-destination', cache, `node-${platform}@${version}`], { stdio: ['ignore', 'ignore', 'inherit'] });
  const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (found !== wanted) {
    rmSync(archive);
    throw new Error(`node-${platform}@${version} is not what was pinned: ${found}`);
  }
  execFileSync('tar', ['-xzf', archive, '-C', cache, 'package/bin/node', 'package/LICENSE']);
  addFile(join(cache, 'package/bin/node'), join(folder, 'node/bin/node'), 0o755);
  addFile(join(cache, 'package/LICENSE'), join(folder, 'node/LICENSE'));
  rmSync(join(cache, 'package'), { recursive: true });
  return version;
}
