import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildTarball, sh, unpack } from '../../fixtures/package.ts';
import { tempFolder } from '../../fixtures/service.ts';

const CHECKOUT = join(import.meta.dirname, '../../..');
const SHIPPED = join(CHECKOUT, 'server/package');
const all = (folder: string): readonly string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' });

let tarball: string;
let folder: string;
beforeAll(() => {
  tarball = buildTarball([], { SOURCE_DATE_EPOCH: '1700000000' });
  folder = unpack(tarball);
}, 240_000);
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

test('the same input gives the same bytes, whatever the time zone, the language and the umask', () => {
  const again = join(tempFolder(), 'again.sh');
  writeFileSync(again, `umask 077; exec node '${join(SHIPPED, 'buildPackage.mjs')}' --no-build --out '${tempFolder()}'`);
  const { status, output } = sh('sh', [again], { env: { ...process.env, SOURCE_DATE_EPOCH: '1700000000', TZ: 'Pacific/Auckland', LC_ALL: 'C.UTF-8' } });
  expect([status, output]).toEqual([0, expect.stringContaining('.tar.gz')]);
  const other = output.split('\n').find((line) => line.endsWith('.tar.gz')) ?? '';
  expect(readFileSync(other).equals(readFileSync(tarball))).toBe(true);
  expect(readFileSync(`${tarball}.sha256`, 'utf8')).toBe(readFileSync(`${other}.sha256`, 'utf8'));
}, 240_000);

test('everything that a server needs is in it, nothing that only we need', () => {
  for (const path of ['install.sh', 'bin/mailbox-password', 'dist/server/cli/main.js', 'dist/client/assets.json', 'dist/module/errors.js', 'locales/en.json', 'module/group-office/Module.php', 'docs/install.md',
    'deploy/mailbox-password.service', 'deploy/nginx.conf', 'deploy/apache.conf', 'deploy/fail2ban/filter.d/mailbox-password.conf', 'LICENSE', 'THIRD-PARTY-LICENCES.txt', 'node_modules/fastify/fastify.js'])
    expect([path, statSync(join(folder, path), { throwIfNoEntry: false })?.isFile()]).toEqual([path, true]);
  const files = all(folder);
  // Nor is anything of the browser's half sent as it is where it may be smaller.
  const client = files.filter((path) => /^dist\/client\/.*\.(js|css)$/.test(path));
  expect(client.length).toBeGreaterThan(5);
  for (const path of client) expect([path, files.includes(`${path}.br`), files.includes(`${path}.gz`)]).toEqual([path, true, true]);
  expect(files.filter((path) => /\.map$|\.d\.ts$|musl|^tests\/|(^|\/)\.git/.test(path))).toEqual([]);
  const packages = readdirSync(join(folder, 'node_modules'));
  expect(packages).not.toEqual(expect.arrayContaining(['react-dom']));
  for (const name of ['typescript', 'webpack', 'jest', 'eslint', '@types', 'react', 'playwright-core']) expect(packages).not.toContain(name);
  expect(statSync(tarball).size).toBeLessThan(15_000_000);
  const listing = sh('tar', ['-tvzf', tarball]).output.trim().split('\n');
  expect(listing.filter((line) => !/^[d-]r[w-][x-]r-[x-]r-[x-] 0\/0 .* 2023-11-1[45] /.test(line))).toEqual([]);
  expect(sh('sha256sum', ['--check', '--quiet', '--strict', 'SHA256SUMS'], { cwd: folder })).toEqual({ status: 0, output: '' });
});

test('the command line runs from it, with nothing else of the project', () => {
  const { status, output } = sh(join(folder, 'bin/mailbox-password'), ['--help'], { cwd: '/', env: { PATH: process.env['PATH'] } });
  expect([status, output]).toEqual([0, expect.stringContaining('serve')]);
});

/** Name and version of every npm package whose code is in the tarball: in node_modules, or in the browser's files by their source maps. */
function inside(): string[] {
  const titles = all(join(folder, 'node_modules')).filter((path) => /(^|node_modules\/)(@[^/]+\/)?[^/]+\/package\.json$/.test(path))
    .map((path) => JSON.parse(readFileSync(join(folder, 'node_modules', path), 'utf8')) as { name?: string; version?: string })
    .flatMap(({ name, version }) => (name === undefined || version === undefined ? [] : [`${name} ${version}`]));
  const maps = all(join(CHECKOUT, 'dist/client')).filter((path) => path.endsWith('.js.map')).map((path) => readFileSync(join(CHECKOUT, 'dist/client', path), 'utf8'));
  const bundled = maps.flatMap((map) => [...map.matchAll(/"webpack:[^"]*node_modules\/((?:@[^/"]+\/)?[^/"]+)\/[^"]*"/g)].map(([, name]) => String(name)));
  const ofCheckout = [...new Set(bundled)].map((name) => `${name} ${(JSON.parse(readFileSync(join(CHECKOUT, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version}`);
  expect([titles.length > 100, ofCheckout.some((title) => title.startsWith('react-dom '))]).toEqual([true, true]);
  return [...new Set([...titles, ...ofCheckout])].sort();
}

test('each npm package in it has its licence in the file, and the file has no other', () => {
  const text = readFileSync(join(folder, 'THIRD-PARTY-LICENCES.txt'), 'utf8');
  expect([...text.matchAll(/^-{100}\n(.+ \S+) \(.*\)\n-{100}$/gm)].map(([, title]) => title).sort()).toEqual(inside());
});

test('the bill of materials lists the same, each with licence and hash, and what needs what', () => {
  const text = readFileSync(join(folder, 'sbom.cdx.json'), 'utf8');
  const bom = JSON.parse(text) as { bomFormat: string; serialNumber: string; metadata: { timestamp: string; component: { 'bom-ref': string } };
    components: { 'bom-ref': string; name: string; version: string; purl: string; licenses: unknown[]; hashes: unknown[] }[]; dependencies: { ref: string; dependsOn: string[] }[] };
  expect(bom).toMatchObject({ bomFormat: 'CycloneDX', metadata: { timestamp: '2023-11-14T22:13:20.000Z', component: { 'bom-ref': 'mailbox-password@0.1.0', name: 'mailbox-password' } } });
  expect(bom.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(bom.components.map(({ name, version }) => `${name} ${version}`).sort()).toEqual(inside());
  for (const one of bom.components) expect([one.name, one.licenses.length > 0, one.hashes.length > 0, one.purl.startsWith('pkg:npm/')]).toEqual([one.name, true, true, true]);
  const known = [...bom.components.map((one) => one['bom-ref']), 'mailbox-password@0.1.0'].sort();
  expect(bom.dependencies.map(({ ref }) => ref).sort()).toEqual(known);
  expect(bom.dependencies.flatMap(({ dependsOn }) => dependsOn).filter((ref) => !known.includes(ref))).toEqual([]);
  expect(text).not.toContain(CHECKOUT);
});

test('a package without a licence text is not shipped', () => {
  const bare = join(tempFolder(), 'bare');
  mkdirSync(bare);
  writeFileSync(join(bare, 'package.json'), JSON.stringify({ name: 'bare', version: '1.0.0', license: 'MIT' }));
  const run = () => sh('node', ['--input-type=module', '-e', `import { thirdPartyLicences } from ${JSON.stringify(join(SHIPPED, 'licences.mjs'))}; console.log(thirdPartyLicences([${JSON.stringify(bare)}]));`]);
  expect(run()).toMatchObject({ status: 1, output: expect.stringContaining('no licence text for: bare 1.0.0') as string });
  writeFileSync(join(bare, 'LICENSE'), 'Permission is hereby granted');
  expect(run()).toMatchObject({ status: 0, output: expect.stringContaining('bare 1.0.0 (MIT)') as string });
});

test('the shell scripts pass shellcheck', () => {
  expect(sh('shellcheck', ['--shell=sh', join(SHIPPED, 'install.sh'), join(SHIPPED, 'mailbox-password.sh')])).toEqual({ status: 0, output: '' });
});

test('systemd understands the unit and finds its exposure small', () => {
  const unit = join(SHIPPED, 'deploy/mailbox-password.service');
  const { status, output } = sh('systemd-analyze', ['security', '--offline=true', '--threshold=15', '--no-pager', unit]);
  expect([status, output]).toEqual([0, expect.stringMatching(/Overall exposure level for mailbox-password.service: (0|1\.[0-5])/)]);
  // The program of the unit is not on this machine; everything else must be known.
  const words = sh('systemd-analyze', ['verify', '--man=no', unit]).output.split('\n').filter((line) => line.includes('mailbox-password.service') && !/is not executable|No such file/.test(line));
  expect(words).toEqual([]);
});
