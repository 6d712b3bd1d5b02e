import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildTarball, sh, unpack } from '../../fixtures/package.ts';
import { freePort, remove, run, serviceFolder, sleep, started } from '../../services/process.ts';

const ETC = { 'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n', 'etc/group': 'root:x:0:\n', 'etc/shadow': 'root:*:19000::::::\n', 'etc/gshadow': 'root:*::\n', 'etc/login.defs': readFileSync('/etc/login.defs', 'utf8') };

let first: string;
let second: string;
let root: string;
beforeAll(() => {
  first = unpack(buildTarball(['--release', '7.0.0']));
  second = asVersion('7.1.0');
}, 240_000);
afterAll(() => { for (const folder of [first, second]) remove(folder); });
beforeEach(() => {
  root = serviceFolder('root');
  mkdirSync(join(root, 'etc'));
  for (const [path, text] of Object.entries(ETC)) writeFileSync(join(root, path), text);
});
afterEach(() => { remove(root); });

/** The same package under another version. */
function asVersion(wanted: string): string {
  const folder = join(serviceFolder('package'), `mailbox-password-${wanted}`);
  sh('cp', ['-a', first, folder]);
  for (const file of ['package.json', 'manifest.json']) {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8').replace('"7.0.0"', `"${wanted}"`);
    writeFileSync(path, text);
    const sums = join(folder, 'SHA256SUMS');
    writeFileSync(sums, readFileSync(sums, 'utf8').replace(new RegExp(`^[0-9a-f]{64}(?=  \\./${file}$)`, 'm'), createHash('sha256').update(text).digest('hex')));
  }
  return folder;
}

const at = (path: string): string => join(root, path);
const install = (from: string, ...args: string[]) => sh('sh', [join(from, 'install.sh'), '--root', root, ...args], { cwd: '/' });
const mode = (path: string): string => { const { mode: bits, uid, gid } = statSync(at(path)); return `${(bits & 0o7777).toString(8)} ${String(uid === 0 ? 'root' : uid === user()[0] ? 'service' : uid)}:${gid === 0 ? 'root' : gid === user()[1] ? 'service' : String(gid)}`; };
const user = (): readonly [number, number] => {
  const [, , uid, gid] = (/^mailbox-password:.*$/m.exec(readFileSync(at('etc/passwd'), 'utf8'))?.[0] ?? '').split(':');
  return [Number(uid), Number(gid)];
};
const version = (): string => readlinkSync(at('opt/mailbox-password/current'));

/** What somebody configures; the service's own user must be able to read it, and nobody else. */
function configure(port: number): void {
  writeFileSync(at('etc/mailbox-password/config.yaml'), `server: { port: ${String(port)} }\ndataDir: ${at('var/lib/mailbox-password')}\n`);
  chmodSync(at('etc/mailbox-password/config.yaml'), 0o640);
  sh('chown', [`0:${String(user()[1])}`, at('etc/mailbox-password/config.yaml')]);
}

test('everything is where it belongs and belongs to whom it should; the service starts as its own user', async () => {
  expect(install(first)).toMatchObject({ status: 0, output: expect.stringContaining('7.0.0') as string });
  expect(version()).toBe('versions/7.0.0');
  expect(readFileSync(at('etc/passwd'), 'utf8')).toMatch(/^mailbox-password:x:\d+:\d+:Mailbox Password:\/var\/lib\/mailbox-password:\/usr\/sbin\/nologin$/m);
  expect([mode('etc/mailbox-password'), mode('var/lib/mailbox-password'), mode('opt/mailbox-password/versions/7.0.0/dist/server/cli/main.js'), mode('usr/local/lib/systemd/system/mailbox-password.service')])
    .toEqual(['750 root:service', '700 service:service', '644 root:root', '644 root:root']);
  expect(readlinkSync(at('usr/local/bin/mailbox-password'))).toBe('/opt/mailbox-password/current/bin/mailbox-password');
  const writable = sh('find', [at('opt'), '!', '-type', 'l', '(', '-perm', '/022', '-o', '!', '-uid', '0', ')']).output;
  expect(writable).toBe('');

  const port = await freePort();
  configure(port);
  const [uid, gid] = user().map(String);
  const service = run('setpriv', [`--reuid=${String(uid)}`, `--regid=${String(gid)}`, '--clear-groups', '--inh-caps=-all', '--no-new-privs', 'env', '-i', `PATH=${String(process.env['PATH'])}`, `MAILBOX_PASSWORD_CONFIG=${at('etc/mailbox-password/config.yaml')}`, at('opt/mailbox-password/current/bin/mailbox-password'), 'serve']);
  try {
    const get = async (path: string) => fetch(`http://127.0.0.1:${String(port)}${path}`);
    await started(service, async () => (await get('/readyz')).status === 200);
    expect((await get('/mailbox-password/panel/')).status).toBe(200);
    expect(mode('var/lib/mailbox-password/state.db')).toMatch(/ service:service$/);
  } finally {
    await service.kill();
  }
}, 240_000);

test('an upgrade keeps configuration and state and can be taken back; a third version leaves one to go back to', () => {
  install(first);
  configure(8080);
  writeFileSync(at('var/lib/mailbox-password/state.db'), 'state');
  chmodSync(at('etc/mailbox-password'), 0o700);
  expect(install(second).status).toBe(0);
  expect([version(), readlinkSync(at('opt/mailbox-password/previous'))]).toEqual(['versions/7.1.0', 'versions/7.0.0']);
  expect(readFileSync(at('var/lib/mailbox-password/state.db'), 'utf8')).toBe('state');
  expect(readFileSync(at('etc/mailbox-password/config.yaml'), 'utf8')).toContain('8080');
  // The operator had reasons.
  expect(mode('etc/mailbox-password')).toBe('700 root:service');
  expect(install(second, '--rollback')).toMatchObject({ status: 0, output: expect.stringContaining('7.0.0 is current again') as string });
  expect([version(), readlinkSync(at('opt/mailbox-password/previous'))]).toEqual(['versions/7.0.0', 'versions/7.1.0']);
  expect(install(first).status).toBe(0);
  expect(readlinkSync(at('opt/mailbox-password/previous'))).toBe('versions/7.1.0');
}, 240_000);

test('a version that refuses the configuration is not switched to; --force switches', () => {
  install(first);
  configure(8080);
  appendFileSync(at('etc/mailbox-password/config.yaml'), 'colour: red\n');
  const refused = install(second);
  expect([refused.status, refused.output]).toEqual([1, expect.stringMatching(/colour[\s\S]*Nothing was switched; 7\.0\.0 goes on running/)]);
  expect([version(), existsSync(at('opt/mailbox-password/versions/7.1.0'))]).toEqual(['versions/7.0.0', false]);
  expect(install(second, '--force').status).toBe(0);
  expect(version()).toBe('versions/7.1.0');
}, 240_000);

test('an old Node, no Node and a damaged package are refused before anything is written', () => {
  const fake = serviceFolder('node');
  writeFileSync(join(fake, 'node'), '#!/bin/sh\n[ "$1" = -p ] && echo 18.20.4\n', { mode: 0o755 });
  const before = sh('find', [root]).output;
  const old = install(first, '--node', join(fake, 'node'));
  expect([old.status, old.output]).toEqual([1, expect.stringMatching(/Node 20\.19 or later is needed, and Node 18\.20\.4 at .*node is too old[\s\S]*-node[\s\S]*Debian 13/)]);
  writeFileSync(join(fake, 'node'), '#!/bin/sh\n[ "$1" = -p ] && echo 20.18.3\n');
  expect(install(first, '--node', join(fake, 'node')).output).toContain('20.18.3');
  const damaged = asVersion('7.2.0');
  appendFileSync(join(damaged, 'dist/server/cli/main.js'), ' ');
  expect(install(damaged)).toMatchObject({ status: 1, output: expect.stringMatching(/main\.js: FAILED[\s\S]*damaged/) as string });
  writeFileSync(join(damaged, 'PLATFORM'), 'linux-arm64\n');
  expect(install(damaged)).toMatchObject({ status: 1, output: expect.stringContaining('this package is for linux-arm64') as string });
  expect(sh('find', [root]).output).toBe(before);
  for (const folder of [fake, damaged]) remove(folder);
}, 240_000);

test('--node is remembered by the command and by the next upgrade', () => {
  const elsewhere = serviceFolder('node');
  sh('ln', ['-s', process.execPath, join(elsewhere, 'node')]);
  expect(install(first, '--node', join(elsewhere, 'node')).status).toBe(0);
  const env = { PATH: '/usr/bin:/bin', HOME: '/' };
  writeFileSync(join(elsewhere, 'other'), '');
  expect(readlinkSync(at('opt/mailbox-password/node'))).toBe(readlinkSync(join(elsewhere, 'node')));
  expect(sh(at('opt/mailbox-password/current/bin/mailbox-password'), ['--version'], { env })).toEqual({ status: 0, output: '7.0.0\n' });
  remove(elsewhere);
}, 240_000);

test('removal: the programs go, configuration and state stay; purged, nothing is left but what was there before', () => {
  const listing = () => sh('find', [root, '-printf', '%P %y %m\n']).output.split('\n').sort().filter((path) => !/^etc\/(passwd|group|shadow|gshadow|subuid|subgid|\.pwd\.lock)-? /.test(path));
  // Folders that every system has.
  for (const path of ['opt', 'usr/local/bin', 'usr/local/lib', 'var/lib', 'etc/systemd/system/multi-user.target.wants']) mkdirSync(at(path), { recursive: true });
  const before = listing();
  install(first);
  install(second);
  configure(8080);
  writeFileSync(at('var/lib/mailbox-password/state.db'), 'state');
  writeFileSync(at('etc/systemd/system/multi-user.target.wants/mailbox-password.service'), '');
  mkdirSync(at('etc/systemd/system/mailbox-password.service.d'));
  // As an operator would: with the copy that is installed.
  const installed = at('opt/mailbox-password/current/install.sh');
  expect(sh('sh', [installed, '--root', root, '--uninstall'])).toMatchObject({ status: 0, output: expect.stringContaining('Kept') as string });
  expect(listing().filter((path) => !before.includes(path))).toEqual([
    'etc/mailbox-password d 750', 'etc/mailbox-password/config.yaml f 640', 'etc/systemd/system/mailbox-password.service.d d 755', 'var/lib/mailbox-password d 700', 'var/lib/mailbox-password/state.db f 644',
  ]);
  expect(readFileSync(at('etc/passwd'), 'utf8')).toContain('mailbox-password');
  expect(install(second, '--purge').status).toBe(0);
  expect(listing()).toEqual(before);
  expect([readFileSync(at('etc/passwd'), 'utf8'), readFileSync(at('etc/group'), 'utf8')]).toEqual([ETC['etc/passwd'], ETC['etc/group']]);
}, 240_000);

test('the installed copy does not install itself over itself', () => {
  install(first);
  const again = sh('sh', [at('opt/mailbox-password/current/install.sh'), '--root', root]);
  expect(again).toMatchObject({ status: 1, output: expect.stringContaining('installed copy') as string });
  expect(version()).toBe('versions/7.0.0');
}, 240_000);

test('--help says all of it; what it does not know, or lacks, is exit code 2 and does nothing', () => {
  const before = sh('find', [root]).output;
  expect(install(first, '--help')).toMatchObject({ status: 0, output: expect.stringMatching(/--rollback[\s\S]*--uninstall[\s\S]*--purge[\s\S]*--node FILE[\s\S]*--root DIR/) as string });
  for (const args of [['--colour'], ['7.0.0'], ['--node'], ['--root']]) expect([args, sh('sh', [join(first, 'install.sh'), ...args], { cwd: '/' }).status]).toEqual([args, 2]);
  expect(sh('find', [root]).output).toBe(before);
}, 240_000);

test.each(['077', '002'])('unpacked with umask %s into a path with spaces: the service may read, nobody but root may write', (umask) => {
  const folder = join(serviceFolder('package'), "an operator's  folder");
  mkdirSync(folder);
  expect(sh('sh', ['-c', 'umask "$1" && mkdir "$3/p" && cd "$2" && tar -cf - . | tar -xf - --no-same-permissions -C "$3/p"', 'sh', umask, first, folder])).toEqual({ status: 0, output: '' });
  expect(sh('sh', ['-c', 'umask "$1" && exec sh "$2/p/install.sh" --root "$3"', 'sh', umask, folder, root], { cwd: '/' }).status).toBe(0);
  expect(sh('find', [at('opt/mailbox-password/versions'), '!', '-type', 'l', '(', '-perm', '/022', '-o', '!', '-perm', '-444', '-o', '-type', 'd', '!', '-perm', '-755', ')']).output).toBe('');
  expect([mode('etc/mailbox-password'), mode('var/lib/mailbox-password')]).toEqual(['750 root:service', '700 service:service']);
  expect(sh(at('opt/mailbox-password/current/bin/mailbox-password'), ['--version']).output).toBe('7.0.0\n');
  remove(folder);
}, 240_000);

test('killed at any moment and run again: there is always a whole version, and the second run completes', async () => {
  expect(install(first).status).toBe(0);
  const began = Date.now();
  expect(install(second).status).toBe(0);
  const took = Date.now() - began;
  expect(install(first).status).toBe(0);
  for (let part = 1; part <= 8; part += 1) {
    const child = spawn('sh', [join(second, 'install.sh'), '--root', root], { cwd: '/', stdio: 'ignore', detached: true });
    const ended = once(child, 'exit');
    await sleep((took * part) / 9);
    try { process.kill(-(child.pid ?? 0), part % 2 === 0 ? 'SIGKILL' : 'SIGTERM'); } catch { /* it was done */ }
    await ended;
    expect(['7.0.0\n', '7.1.0\n']).toContain(sh(at('opt/mailbox-password/current/bin/mailbox-password'), ['--version']).output);
    expect(sh('sh', ['-c', 'cd "$1" && sha256sum --check --quiet --strict SHA256SUMS', 'sh', at('opt/mailbox-password/current')])).toEqual({ status: 0, output: '' });
  }
  // What a kill between two steps leaves.
  sh('ln', ['-s', 'nowhere', at('opt/mailbox-password/.current.new')]);
  mkdirSync(at('opt/mailbox-password/versions/.new/half'), { recursive: true });
  expect(install(second).status).toBe(0);
  expect([version(), sh('find', [at('opt/mailbox-password'), '-maxdepth', '2', '-name', '.*', '!', '-name', '.lock']).output]).toEqual(['versions/7.1.0', '']);
}, 480_000);

test('the same version over itself, killed between its two renames, comes back', () => {
  install(first);
  sh('mv', [at('opt/mailbox-password/versions/7.0.0'), at('opt/mailbox-password/versions/.old')]);
  expect(install(first).status).toBe(0);
  expect(sh(at('opt/mailbox-password/current/bin/mailbox-password'), ['--version']).output).toBe('7.0.0\n');
}, 240_000);

test('no room: said with numbers, nothing is half there, and what runs goes on; with room it is done', () => {
  mkdirSync(at('opt'));
  expect(sh('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'none', at('opt')])).toEqual({ status: 0, output: '' });
  try {
    expect(install(first)).toMatchObject({ status: 1, output: expect.stringMatching(/opt\/mailbox-password has room for \d+ MB and \d+ MB are needed\. Nothing was done/) as string });
    expect(sh('ls', ['-A', at('opt')]).output).toBe('');
    sh('mount', ['-o', 'remount,size=400m', at('opt')]);
    expect(install(first).status).toBe(0);
  } finally {
    sh('umount', ['-l', at('opt')]);
  }
}, 240_000);

test('two at once: the second one says so', async () => {
  install(first);
  const other = spawn('flock', ['--no-fork', at('opt/mailbox-password/.lock'), 'sh', '-c', 'echo held; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(other.stdout, 'data');
  expect(install(second)).toMatchObject({ status: 1, output: expect.stringContaining('another install.sh is at work') as string });
  expect(version()).toBe('versions/7.0.0');
  other.kill();
}, 240_000);

test('a user of that name: one who can log in is refused, one who cannot is taken and survives a purge', () => {
  const passwd = readFileSync(at('etc/passwd'), 'utf8');
  const put = (shell: string): void => { writeFileSync(at('etc/passwd'), `${passwd}mailbox-password:x:1234:1234:Somebody:/home/mp:${shell}\n`); writeFileSync(at('etc/group'), `${ETC['etc/group']}mailbox-password:x:1234:\n`); };
  put('/bin/bash');
  expect(install(first)).toMatchObject({ status: 1, output: expect.stringMatching(/there is a user mailbox-password who can log in \(\/bin\/bash\)[\s\S]*Nothing was done/) as string });
  expect(existsSync(at('opt'))).toBe(false);
  put('/usr/sbin/nologin');
  expect(install(first).status).toBe(0);
  expect(statSync(at('var/lib/mailbox-password')).uid).toBe(1234);
  expect(install(first, '--purge').output).toContain('was there before, and stays');
  expect(readFileSync(at('etc/passwd'), 'utf8')).toContain('mailbox-password:x:1234');
}, 240_000);

test('an older version over a newer one is a downgrade like any other, and back again', () => {
  install(second);
  expect(install(first).status).toBe(0);
  expect([version(), readlinkSync(at('opt/mailbox-password/previous'))]).toEqual(['versions/7.0.0', 'versions/7.1.0']);
  expect(sh('sh', [at('opt/mailbox-password/current/install.sh'), '--root', root, '--rollback']).status).toBe(0);
  expect(version()).toBe('versions/7.1.0');
}, 240_000);
