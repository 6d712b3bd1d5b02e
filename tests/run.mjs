// `npm test`: brings what the tests need beyond npm, checks, builds, runs every test, and ends with a plain count.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const there = (program) => () => existsSync(program);
const apcu = () => spawnSync('php', ['-r', 'exit(extension_loaded("apcu") ? 0 : 1);']).status === 0;
// The folder alone may be the client's.
const postgres = () => existsSync('/usr/lib/postgresql') && readdirSync('/usr/lib/postgresql').some((version) => existsSync(join('/usr/lib/postgresql', version, 'bin', 'postgres')));
// A root of its own over this machine's files, with a network of its own; a container may not be allowed to.
const OWN_ROOT = 'ip link set lo up && mount -t tmpfs layer /mnt && mkdir /mnt/upper /mnt/work /mnt/root && mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root';
const ownRoot = () => spawnSync('unshare', ['--mount', '--net', '--pid', '--fork', 'sh', '-c', OWN_ROOT]).status === 0;
const NEEDS = [
  { name: '/usr/sbin/dovecot', present: there('/usr/sbin/dovecot'), package: 'dovecot-core', neededBy: 'tests/(server/(live|hashing|drivers)/|e2e/(groupOfficeStory|panelsDovecot))' },
  { name: 'Dovecot IMAP', present: there('/usr/lib/dovecot/imap'), package: 'dovecot-imapd', neededBy: 'tests/(server/(live|drivers)/|e2e/(groupOfficeStory|panelsDovecot))' },
  { name: 'Dovecot POP3', present: there('/usr/lib/dovecot/pop3'), package: 'dovecot-pop3d', neededBy: 'tests/(server/(live|drivers)/|e2e/(groupOfficeStory|panelsDovecot))' },
  { name: 'Dovecot submission', present: there('/usr/lib/dovecot/submission'), package: 'dovecot-submissiond', neededBy: 'tests/(server/(live|drivers)/|e2e/(groupOfficeStory|panelsDovecot))' },
  { name: 'Dovecot ManageSieve', present: there('/usr/lib/dovecot/managesieve'), package: 'dovecot-managesieved', neededBy: 'tests/(server/(live|drivers)/|e2e/(groupOfficeStory|panelsDovecot))' },
  { name: 'Dovecot on MariaDB', present: there('/usr/lib/dovecot/modules/auth/libdriver_mysql.so'), package: 'dovecot-mysql', neededBy: 'tests/(server/live/|e2e/(groupOfficeStory|panelsDovecot))' },
  { name: 'Dovecot on PostgreSQL', present: there('/usr/lib/dovecot/modules/auth/libdriver_pgsql.so'), package: 'dovecot-pgsql', neededBy: 'tests/server/live/' },
  { name: 'Dovecot on LDAP', present: there('/usr/lib/dovecot/modules/auth/libauthdb_ldap.so'), package: 'dovecot-ldap', neededBy: 'tests/server/live/' },
  { name: '/usr/sbin/slapd', present: there('/usr/sbin/slapd'), package: 'slapd', neededBy: 'tests/server/(live|drivers)/' },
  { name: '/usr/bin/ldapmodify', present: there('/usr/bin/ldapmodify'), package: 'ldap-utils', neededBy: 'tests/server/live/firstChange' },
  { name: '/usr/sbin/mariadbd', present: there('/usr/sbin/mariadbd'), package: 'mariadb-server', neededBy: 'tests/(server/(live|drivers|notices|sql|panels|state|docs/severalNodes)|e2e)' },
  { name: 'PostgreSQL', present: postgres, package: 'postgresql', neededBy: 'tests/server/(cli/becomeUser|live|drivers|notices|sql|panels|state|docs/severalNodes)' },
  { name: '/usr/bin/redis-server', present: there('/usr/bin/redis-server'), package: 'redis-server', neededBy: 'tests/server/(drivers|state|live)/' },
  { name: 'openssl', present: there('/usr/bin/openssl'), package: 'openssl', neededBy: 'tests/(server/(drivers|live|metrics|state)/|e2e/restart)' },
  { name: '/usr/bin/promtool', present: there('/usr/bin/promtool'), package: 'prometheus', neededBy: 'tests/server/service/m' },
  { name: '/usr/bin/chromium', present: there('/usr/bin/chromium'), package: 'chromium', neededBy: 'tests/e2e/' },
  { name: '/usr/bin/php', present: there('/usr/bin/php'), package: 'php-cli', neededBy: 'tests/server/groupOffice/(dropIn|install).test.ts' },
  { name: 'PHP extension apcu', present: apcu, package: 'php-apcu', neededBy: 'tests/server/groupOffice/(dropIn|install).test.ts' },
  { name: '/usr/sbin/nginx', present: there('/usr/sbin/nginx'), package: 'nginx', neededBy: 'tests/(server/package/(proxies|reloadBehindProxies|installPage)|e2e/restart)' },
  { name: '/usr/sbin/apache2', present: there('/usr/sbin/apache2'), package: 'apache2-bin', neededBy: 'tests/server/package/(proxies|reloadBehindProxies|installPage)' },
  { name: '/usr/bin/curl', present: there('/usr/bin/curl'), package: 'curl', neededBy: 'tests/server/package/installPage' },
  { name: 'a root of its own (unshare, ip)', present: ownRoot, package: 'iproute2', neededBy: 'tests/server/package/installPage', right: true },
  { name: 'fail2ban-regex', present: there('/usr/bin/fail2ban-regex'), package: 'fail2ban', neededBy: 'tests/server/package/fail2ban' },
  { name: 'shellcheck', present: there('/usr/bin/shellcheck'), package: 'shellcheck', neededBy: 'tests/server/package/tarball.test.ts' },
  { name: 'systemd-analyze', present: there('/usr/bin/systemd-analyze'), package: 'systemd', neededBy: 'tests/server/package/tarball.test.ts' },
];

const ci = process.env['CI'] === 'true';
const mayInstall = !process.argv.includes('--no-install') && process.getuid?.() === 0 && existsSync('/etc/debian_version');
const run = (command, args, options = {}) => spawnSync(command, args, { stdio: 'inherit', ...options }).status ?? 1;

let missing = NEEDS.filter(({ present }) => !present());
if (missing.length > 0 && mayInstall) {
  const packages = missing.map((need) => need.package);
  console.log(`Installing what the tests need from Debian: ${packages.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-qq'], { env });
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  missing = NEEDS.filter(({ present }) => !present());
}
for (const need of missing) console.log(`cannot run ${need.neededBy}: ${need.name} is missing (Debian package ${need.package})`);

// What a sandbox forbids, no package brings: it is named, and no mistake of ours.
let failed = ci ? missing.filter(({ right }) => right !== true).length : 0;
let passed = 0;
const checked = run('npm', ['run', '--silent', 'check']) === 0;
if (checked) passed += 1;
else failed += 1;

const report = join(mkdtempSync(join(tmpdir(), 'mailbox-password-')), 'jest.json');
const left = missing.flatMap(({ neededBy }) => ['--testPathIgnorePatterns', neededBy]);
const status = run('npx', ['jest', '--maxWorkers=2', ...left, '--json', `--outputFile=${report}`]);
if (existsSync(report)) {
  const result = JSON.parse(readFileSync(report, 'utf8'));
  passed += result.numPassedTests;
  failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
}
if (status !== 0 && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
