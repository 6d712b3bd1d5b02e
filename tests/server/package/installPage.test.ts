import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { documentBlocks, withReal } from '../../fixtures/documentBlocks.ts';
import { type OverlayRoot, startOverlayRoot } from '../../fixtures/overlayRoot.ts';
import { buildTarball } from '../../fixtures/package.ts';

/**
 * docs/install.md, as it stands there: its blocks are run one after the other, as somebody would who reads it from the top, on this machine's files
 * with a layer of their own. Left out are the tarball's Node (this machine has one), `init`'s questions, and what systemd itself would do; that
 * is `npm run test:package`.
 */
const PAGE = 'docs/install.md';
const SHIPPED = join(import.meta.dirname, '../../../server/package');
const text = readFileSync(join(import.meta.dirname, '../../..', PAGE), 'utf8');
const page = documentBlocks(PAGE);
const block = (heading: string, at = 0): string => page.get(heading)?.[at]?.text ?? `exit 99 # ${PAGE} has no such block: ${heading}`;
/** What the page says in words to put into a web server's configuration. */
const included = (start: string): string => new RegExp(`^ *${start}.*: \`(.+)\`$`, 'mi').exec(text)?.[1] ?? 'the page does not say it';

let root: OverlayRoot;
beforeAll(async () => {
  root = await startOverlayRoot();
  for (const version of ['0.1.0', '0.2.0']) {
    const tarball = buildTarball(['--release', version]);
    for (const file of [tarball, `${tarball}.sha256`]) copyFileSync(file, join(root.folder, file.replace(/.*\//, '')));
  }
}, 600_000);
afterAll(async () => { await root.stop(); });

const WITHOUT_NODE = { '-linux-x64-node': '-linux-x64' };
const good = (output: unknown = expect.anything()) => ({ status: 0, output });

test('ten minutes: from the tarball to a service that is ready', () => {
  writeFileSync(join(root.folder, 'answers.yaml'), 'dataDir: /var/lib/mailbox-password\n');
  writeFileSync(join(root.folder, 'password'), 'Administrator-9\n');
  const asked = 'init -o /etc/mailbox-password/config.yaml';
  const ran = root.sh(withReal(block('Ten minutes: a test host'), { ...WITHOUT_NODE, [asked]: `${asked} --answers answers.yaml --administrator admin --password-stdin <password` }));
  const answer = /`curl` answers `([^`]+)`/.exec(text)?.[1] ?? 'the page does not say it';
  expect(ran).toEqual(good(expect.stringContaining(answer)));
}, 300_000);

test('everything is where the table says, and whose it says', () => {
  const rows = [...text.matchAll(/^\| (?:programs|command|unit|configuration and secrets|state) \| `([^`]+)`(?: \((\d+)\))?/gm)].map(([, path = '', mode]) => ({ path: path.replace('<version>', '0.1.0'), mode }));
  expect(rows.length).toBe(5);
  for (const { path, mode } of rows) expect([path, root.sh(`stat -c %a ${path}`)]).toEqual([path, good(mode === undefined ? expect.anything() : `${mode.replace(/^0/, '')}\n`)]);
});

test('production: the lines for nginx and Apache are taken by the servers, fail2ban\'s files lie where it looks', () => {
  const server = (inside: string): string => `mkdir -p /etc/nginx/conf.d /etc/nginx/snippets\nprintf '%s\\n' 'server { listen 8444;' '${inside}' '}' > /etc/nginx/conf.d/webmail.conf`;
  expect(root.sh(`${server(included('nginx'))}\n${block('An hour: production')}`)).toEqual(good(expect.stringContaining('test is successful')));
  const apache = ['ServerName mail.example.com', 'LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so', 'LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so', 'ServerRoot /etc/apache2', 'ErrorLog /var/log/apache2.error', 'Include enabled', 'Listen 8445', '<VirtualHost *:8445>', included('Apache'), '</VirtualHost>'];
  expect(root.sh(`mkdir -p /etc/apache2\nrm -f /etc/apache2/enabled\nprintf '%s\\n' ${apache.map((line) => `'${line}'`).join(' ')} > /etc/apache2/all.conf\n${block('An hour: production', 1)}`)).toEqual(good(expect.stringContaining('Syntax OK')));
  const jail = block('An hour: production', 2).split('\n')[0] ?? '';
  const files = readdirSync(join(SHIPPED, 'deploy/fail2ban'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.conf'));
  expect(files.length).toBe(2);
  expect(root.sh(`mkdir -p /etc/fail2ban\n${jail}\n${files.map((name) => `test -s /etc/fail2ban/${name}`).join('\n')}`)).toEqual(good());
});

test('upgrade, and back', () => {
  expect(root.sh(withReal(block('Upgrade, and back'), WITHOUT_NODE))).toEqual(good());
  const version = (): string => root.sh('mailbox-password --version').output.trim();
  expect(version()).toBe('0.2.0');
  expect(root.sh(block('Upgrade, and back', 1))).toEqual(good());
  expect(version()).toBe('0.1.0');
}, 300_000);

test('removal: programs, unit and command are gone, configuration and state stay', () => {
  const [groupOffice = '', remove = ''] = block('Removal').split('\n');
  expect(groupOffice).toMatch(/^sudo mailbox-password uninstall group-office \.\.\. /);
  expect(root.sh(remove)).toEqual(good());
  expect(root.sh('test ! -e /opt/mailbox-password && test ! -e /usr/local/bin/mailbox-password && test -e /etc/mailbox-password/config.yaml && test -e /var/lib/mailbox-password/state.db')).toEqual(good());
});

test('every file that the package has for the operator\'s servers is named on the page, and each that is named is there', () => {
  const files = readdirSync(join(SHIPPED, 'deploy'), { recursive: true, encoding: 'utf8' }).filter((name) => /\.\w+$/.test(name) && !name.endsWith('.d'));
  const named = (name: string): boolean => text.includes(name.replace(/.*\//, '')) || text.includes(`deploy/${name.split('/')[0] ?? ''}/.`);
  expect(files.filter((name) => !named(name))).toEqual([]);
  const paths = [...text.matchAll(/(?:current\/)?deploy\/([\w./-]+)/g)].map(([, path = '']) => path.replace(/\/?\.?$/, ''));
  expect(paths.length).toBeGreaterThan(3);
  expect(paths.filter((path) => !readdirSync(join(SHIPPED, 'deploy'), { recursive: true, encoding: 'utf8' }).includes(path))).toEqual([]);
});
