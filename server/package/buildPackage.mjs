// `npm run package`: one tarball with everything that a server needs. The same input gives the same bytes.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { thirdPartyLicences } from './licences.mjs';
import { addNode } from './nodeRuntime.mjs';
import { closure, importedPackages } from './productionPackages.mjs';
import { bundledPackages, sbom } from './sbom.mjs';
import { addChecksums, addFile, addOwn, addPackage, checksumLine, writeText } from './stage.mjs';

const HELP = `npm run package -- [options]
  --with-node            put Node itself in (for Debian 12 and whatever else has none of 20.19 or later)
  --platform <name>      linux-x64 (default on this machine) or linux-arm64
  --out <folder>         where the tarball goes (default: dist/package)
  --release <version>    another version than package.json's
  --no-build             take dist/ as it is
`;

const root = resolve(import.meta.dirname, '../..');
const { values: options } = parseArgs({
  options: {
    'with-node': { type: 'boolean', default: false }, platform: { type: 'string', default: `${process.platform}-${process.arch}` }, out: { type: 'string', default: join(root, 'dist/package') },
    release: { type: 'string' }, 'no-build': { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  process.stdout.write(HELP);
  process.exit();
}
const json = (path) => JSON.parse(readFileSync(path, 'utf8'));
const own = json(join(root, 'package.json'));
const lock = json(join(root, 'package-lock.json')).packages;
const version = options.release ?? own.version;
if (!/^\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?$/.test(version)) throw new Error(`"${version}" is no version`);
const [os, cpu] = options.platform.split('-');

/** When the input was made: what reproducible-builds.org calls SOURCE_DATE_EPOCH, else the last commit, else a fixed day. */
function sourceDate() {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined) return Number(given);
  const { status, stdout } = spawnSync('git', ['-C', root, 'log', '-1', '--format=%ct'], { encoding: 'utf8' });
  return status === 0 && /^\d+$/.test(stdout.trim()) ? Number(stdout) : 1_577_836_800;
}

/** node_modules as the lock file has it, for another platform than this one where need be. */
function installed(paths) {
  const wrong = paths.filter((path) => !existsSync(join(root, path)) || json(join(root, path, 'package.json')).version !== lock[path].version);
  if (wrong.length === 0) return { modules: root, done: () => undefined };
  console.log(`npm ci for ${options.platform} (${String(wrong.length)} packages are not in node_modules)`);
  const folder = mkdtempSync(join(tmpdir(), 'mailbox-password-npm-'));
  for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(root, file), join(folder, file));
  execFileSync('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', `--os=${os}`, `--cpu=${cpu}`, '--libc=glibc'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  return { modules: folder, done: () => { rmSync(folder, { recursive: true }); } };
}

if (!options['no-build']) execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });

/** What translators use in a checkout (`mailbox-password locales preview`), imported when it is asked for; a server has no use for it. */
const IN_A_CHECKOUT = new Set(['playwright-core']);
const used = importedPackages([join(root, 'dist/server'), join(root, 'dist/module')]).filter((name) => !IN_A_CHECKOUT.has(name));
const unknown = used.filter((name) => own.dependencies[name] === undefined);
if (unknown.length > 0) throw new Error(`the server imports packages that are no dependencies of the project: ${unknown.join(', ')}`);
const needed = closure(lock, used, { os, cpu });
const bundled = bundledPackages(join(root, 'dist/client'));
const nameOf = (path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
const inBundle = closure(lock, Object.keys(own.dependencies), { os, cpu }).filter((path) => !needed.includes(path) && bundled.includes(nameOf(path)));
const { modules, done } = installed([...needed, ...inBundle]);

const name = `mailbox-password-${version}-${options.platform}${options['with-node'] ? '-node' : ''}`;
const work = mkdtempSync(join(tmpdir(), 'mailbox-password-package-'));
const stage = join(work, `mailbox-password-${version}`);
const here = import.meta.dirname;
for (const folder of ['dist/client', 'dist/module', 'dist/server', 'locales', 'docs', 'module/group-office']) addOwn(join(root, folder), join(stage, folder));
addOwn(join(root, 'server', 'package', 'monitoring'), join(stage, 'monitoring'));
addOwn(join(here, 'deploy'), join(stage, 'deploy'));
for (const file of ['LICENSE', 'CHANGELOG.md', 'SECURITY.md', 'README.md']) addFile(join(root, file), join(stage, file));
addFile(join(here, 'install.sh'), join(stage, 'install.sh'), 0o755);
addFile(join(here, 'mailbox-password.sh'), join(stage, 'bin/mailbox-password'), 0o755);
const { description, license, type, engines, bin } = own;
writeText(join(stage, 'package.json'), `${JSON.stringify({ name: own.name, version, description, license, private: true, type, engines, bin }, null, 2)}\n`);
writeText(join(stage, 'manifest.json'), `${JSON.stringify({ ...json(join(root, 'manifest.json')), version }, null, 2)}\n`);
writeText(join(stage, 'PLATFORM'), `${options.platform}\n`);
const shipped = needed.filter((path) => addPackage(join(modules, path), join(stage, path)));
const lost = bundled.filter((one) => ![...shipped, ...inBundle].some((path) => nameOf(path) === one));
if (lost.length > 0) throw new Error(`in the browser's files, and no dependency of the project: ${lost.join(', ')}`);
const inside = [...shipped, ...inBundle].map((path) => join(modules, path));
writeText(join(stage, 'THIRD-PARTY-LICENCES.txt'), thirdPartyLicences(inside));
const node = options['with-node'] ? addNode(stage, options.platform, join(root, 'node_modules/.cache/mailbox-password-node')) : null;
const packages = inside.map((path) => json(join(path, 'package.json'))).map(({ name: of, version: at, license: licence }) => ({ name: of, version: at, licence }));
writeText(join(stage, 'sbom.cdx.json'), sbom({ root, release: version, packages, node, seconds: sourceDate() }));
done();
const { files, bytes } = addChecksums(stage);

mkdirSync(options.out, { recursive: true });
const tarball = join(options.out, `${name}.tar.gz`);
const tar = spawn('tar', ['--sort=name', '--format=gnu', `--mtime=@${String(sourceDate())}`, '--owner=0', '--group=0', '--numeric-owner', '--mode=u+rwX,go+rX,go-w', '-cf', '-', `mailbox-password-${version}`], { cwd: work, stdio: ['ignore', 'pipe', 'inherit'] });
const gzip = spawn('gzip', ['-9n'], { stdio: ['pipe', 'pipe', 'inherit'] });
tar.stdout.pipe(gzip.stdin);
const written = gzip.stdout.pipe(createWriteStream(tarball));
const [[tarStatus], [gzipStatus]] = await Promise.all([once(tar, 'close'), once(gzip, 'close'), once(written, 'close')]);
rmSync(work, { recursive: true });
if (tarStatus !== 0 || gzipStatus !== 0) throw new Error('tar or gzip failed');
writeFileSync(`${tarball}.sha256`, checksumLine(tarball));
const mb = (size) => `${(size / 1e6).toFixed(1)} MB`;
console.log(`${tarball}\n${mb(statSync(tarball).size)}, unpacked ${mb(bytes)} in ${String(files)} files, ${String(shipped.length)} npm packages${node === null ? '' : `, Node ${node}`}`);
