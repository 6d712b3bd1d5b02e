import { createHmac } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Finding } from '../../../server/ports/diagnosis.ts';
import { createHasher } from '../../../server/hashing/hasher.ts';
import { Secret } from '../../../server/secret.ts';
import { cli } from '../../fixtures/cli.ts';
import { type DocumentBlock, documentBlocks, withReal } from '../../fixtures/documentBlocks.ts';
import { DROP_IN } from '../../fixtures/groupOfficeDouble/dropIn.ts';
import { GroupOfficeDouble } from '../../fixtures/groupOfficeDouble/groupOfficeDouble.ts';
import { type MailcowMailbox, startMailcowDouble } from '../../fixtures/mailcowDouble.ts';
import { tempFolder } from '../../fixtures/service.ts';
import { makeCertificate } from '../../services/certificate.ts';
import { type Dovecot, type DovecotOptions, startDovecot } from '../../services/dovecot.ts';
import { startConfiguredSlapd } from '../../services/configuredSlapd.ts';
import { type MailClient, imapClient } from '../../services/mailClients.ts';
import { type MariaDb, startMariaDb } from '../../services/mariadb.ts';
import { runToEnd } from '../../services/process.ts';
import { startPostgres } from '../../services/postgres.ts';
import { startRedis } from '../../services/redis.ts';

/**
 * docs/first-change.md, as it stands there: every SQL statement, every line for Dovecot, the directory and Redis, every answers.yaml and the four
 * commands are taken from the page and run against real servers, until `doctor --write-test` has proved a change. What is replaced are
 * addresses and ports, each by name; one that the page does not say any more is an error.
 */
const TEST = 'test@example.com';
const PASSWORD = 'Old-Secret-1';
/** Every command is a process of its own; a loaded machine starts one in seconds. */
const SLOW = 300_000;

const page = documentBlocks('docs/first-change.md');
const blocksOf = (heading: string, language: string): readonly DocumentBlock[] => (page.get(heading) ?? []).filter((block) => block.language === language);
function block(heading: string, language: string, at = 0): string {
  const found = blocksOf(heading, language)[at];
  if (found === undefined) throw new Error(`docs/first-change.md, "${heading}": block ${String(at + 1)} of ${language === '' ? 'no language' : language} is not there`);
  return found.text;
}

const SQL = 'Mailboxes in SQL (PostfixAdmin and others), Dovecot';
const commands = block('The four commands', '').trim().split('\n');

let database: MariaDb;
let certificate: ReturnType<typeof makeCertificate>;
let certificateFiles: { certificate: string; key: string };

beforeAll(async () => {
  database = await startMariaDb();
  certificate = makeCertificate();
  const key = join(tempFolder(), 'key.pem');
  writeFileSync(key, certificate.key);
  certificateFiles = { certificate: certificate.caFile, key };
  // PostfixAdmin's, as far as anybody here reads it.
  await database.administer(`CREATE DATABASE vmail; USE vmail;
    CREATE TABLE domain (domain varchar(255) NOT NULL PRIMARY KEY, description varchar(255) NOT NULL DEFAULT '', active tinyint(1) NOT NULL DEFAULT 1);
    CREATE TABLE mailbox (username varchar(255) NOT NULL PRIMARY KEY, password varchar(255) NOT NULL, name varchar(255) NOT NULL DEFAULT '', maildir varchar(255) NOT NULL DEFAULT '', quota bigint NOT NULL DEFAULT 0, local_part varchar(255) NOT NULL DEFAULT '', domain varchar(255) NOT NULL, active tinyint(1) NOT NULL DEFAULT 1);
    INSERT INTO domain (domain) VALUES ('ALL'), ('example.com');
    INSERT INTO mailbox (username, password, domain) VALUES ('${TEST}', '', 'example.com');`);
  await database.administer(block(SQL, 'sql'));
}, 120_000);
afterAll(async () => {
  certificate.remove();
  await database.stop();
});

const hashed = async (): Promise<string> => (await createHasher({ scheme: 'SHA512-CRYPT', prefix: true })).hash(new Secret(PASSWORD));
const onMailboxTable = (): Pick<DovecotOptions, 'passdb' | 'files'> => ({
  passdb: { driver: 'sql', file: 'sql.conf' },
  files: { 'sql.conf': `driver = mysql\nconnect = host=127.0.0.1 port=${String(database.port)} dbname=vmail user=mail password=mail\npassword_query = SELECT username AS user, password FROM mailbox WHERE username = '%u' AND active = 1\n` },
});

/** Dovecot with the page's own lines for the listener, IMAP over TLS, auth cache on. */
async function startMail(passdb: Pick<DovecotOptions, 'passdb' | 'files'>): Promise<Dovecot> {
  await database.administer(`UPDATE vmail.mailbox SET password = '${await hashed()}'`);
  return startDovecot({ ...passdb, tls: certificateFiles, extra: withReal(block('Before you begin', ''), { 'port = 8090': 'port = {doveadm}' }) });
}

interface Report { readonly sections: readonly { readonly target: string; readonly findings: readonly Finding[] }[] }

/** The page's four commands. */
async function followed(answers: string, dovecot: Dovecot, before: () => Promise<void> = () => Promise.resolve()) {
  const folder = tempFolder();
  const data = join(folder, 'state');
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(join(folder, 'answers.yaml'), withReal(answers, {
    'dataDir: /var/lib/mailbox-password': `dataDir: ${data}`,
    'http://127.0.0.1:8090': dovecot.url,
    'host: mail.example.com, port: 993': `host: 127.0.0.1, port: ${String(dovecot.imaps)}`,
  }));
  // The package's command does it: what the machine trusts.
  const env = { NODE_EXTRA_CA_CERTS: certificate.caFile, MAILBOX_PASSWORD_CONFIG: join(folder, 'config.yaml') };
  const words = (line: string | undefined, program: string) => withReal(line ?? '', { [program]: '' }).trim().split(/\s+/);
  const init = await cli([...words(withReal(commands[0] ?? '', { '/etc/mailbox-password/config.yaml': join(folder, 'config.yaml'), ' answers.yaml': ` ${join(folder, 'answers.yaml')}` }), 'sudo mailbox-password'), '--password-stdin'], { input: 'Administrator-9\n', env });
  expect(init).toMatchObject({ status: 0 });
  expect(commands[1]).toBe('shred -u answers.yaml');
  expect(commands[2]).toBe('sudo mailbox-password doctor');
  await before();
  const phone = await imapClient(dovecot.imap, TEST, PASSWORD, { idle: true });
  const { stdout, stderr } = await cli([...words(commands[3], 'sudo mailbox-password'), '--json', '--password-stdin'], { input: `${PASSWORD}\n`, env });
  if (!stdout.startsWith('{')) throw new Error(`${stdout}${stderr}`);
  return { sections: (JSON.parse(stdout) as Report).sections, phone, files: readFileSync(join(folder, 'config.yaml'), 'utf8') };
}

/** As the page shows it: the same checks in the same order, all good. */
const shown = block('The four commands', 'text').trim().split('\n').slice(1).map((line) => /^ {2}ok {4}(.{12}) /.exec(line)?.[1]?.trim());

async function expectProved({ sections, phone, files }: { sections: Report['sections']; phone: MailClient | null; files: string }): Promise<Report['sections'][number]> {
  const last = sections.at(-1) ?? { target: '', findings: [] };
  // Of everything before it, only the web server that is set up later may be missing (and the double of Group-Office has no TLS).
  expect(sections.slice(0, -1).flatMap(({ target, findings }) => findings.filter(({ level }) => level === 'fail').map(({ check, text }) => `${target}: ${check} ${text}`)).filter((line) => !/^server: (tls|address)/.test(line))).toEqual([]);
  expect(last).toEqual({ target: `write test ${TEST}`, findings: last.findings.map((finding) => ({ ...finding, level: 'ok' })) });
  expect(last.findings.map(({ check }) => check)).toEqual(shown);
  expect(await phone?.alive()).toBe(false);
  for (const secret of ['a-long-random-text', 'another-long-random-text', 'a-third-long', 'whsec_']) expect(files).not.toContain(secret);
  return last;
}

const sqlUrl = () => ({ '@127.0.0.1/vmail': `@127.0.0.1:${String(database.port)}/vmail` });

it('the page names every way once, in its table and as a section with blocks', () => {
  const ways = [SQL, 'Group-Office', 'A passwd-file, Dovecot', 'An LDAP directory, Dovecot', "mailcow, or a provider's own API", 'A webmail of your own'];
  for (const way of ways) expect([way, blocksOf(way, 'yaml').length > 0]).toEqual([way, true]);
  expect([...page].filter(([, blocks]) => blocks.some(({ language }) => language === 'yaml')).map(([heading]) => heading)).toEqual(ways);
});

describe('from nothing to a proven change, by the words of docs/first-change.md', () => {
  it('SQL', async () => {
    const dovecot = await startMail(onMailboxTable());
    try {
      await expectProved(await followed(withReal(block(SQL, 'yaml'), sqlUrl()), dovecot));
    } finally {
      await dovecot.stop();
    }
  }, SLOW);

  it('SQL, on PostgreSQL', async () => {
    const postgres = await startPostgres();
    try {
      await postgres.query('CREATE DATABASE vmail');
      const asAdministrator = (sql: string) => { runToEnd('psql', ['-v', 'ON_ERROR_STOP=1', '-q', '-d', postgres.url.replace(/mail$/, 'vmail'), '-c', sql]); };
      asAdministrator(`CREATE TABLE domain (domain varchar(255) NOT NULL PRIMARY KEY, description varchar(255) NOT NULL DEFAULT '', active boolean NOT NULL DEFAULT true);
        CREATE TABLE mailbox (username varchar(255) NOT NULL PRIMARY KEY, password varchar(255) NOT NULL, name varchar(255) NOT NULL DEFAULT '', maildir varchar(255) NOT NULL DEFAULT '', quota bigint NOT NULL DEFAULT 0, local_part varchar(255) NOT NULL DEFAULT '', domain varchar(255) NOT NULL, active boolean NOT NULL DEFAULT true);
        INSERT INTO domain (domain) VALUES ('ALL'), ('example.com'); INSERT INTO mailbox (username, password, domain) VALUES ('${TEST}', '${await hashed()}', 'example.com');`);
      asAdministrator(block(SQL, 'sql', 1));
      const dovecot = await startMail({
        passdb: { driver: 'sql', file: 'sql.conf' },
        files: { 'sql.conf': `driver = pgsql\nconnect = host=127.0.0.1 port=${String(postgres.port)} dbname=vmail user=mail password=mail\npassword_query = SELECT username AS user, password FROM mailbox WHERE username = '%u' AND active\n` },
      });
      try {
        await expectProved(await followed(withReal(block(SQL, 'yaml'), { 'mysql://': 'postgres://', '@127.0.0.1/vmail': `@127.0.0.1:${String(postgres.port)}/vmail` }), dovecot));
      } finally {
        await dovecot.stop();
      }
    } finally {
      await postgres.stop();
    }
  }, SLOW);

  it('a passwd-file', async () => {
    const way = 'A passwd-file, Dovecot';
    const folder = tempFolder();
    runToEnd('chmod', ['755', folder]);
    writeFileSync(join(folder, 'users'), `${TEST}:${await hashed()}\n`, { mode: 0o640 });
    // The account of the package is not on this machine; whose the file is besides is root's here.
    const [move, unit] = [block(way, 'sh'), block(way, 'sh', 1)];
    runToEnd('sh', ['-euc', withReal(move, { 'sudo ': '', '/etc/dovecot': folder, 'mailbox-password:dovecot': 'root:dovecot', '-o mailbox-password': '-o root' })]);
    const opened = /deploy\/(mailbox-password\.service\.d\/\S+) /.exec(unit)?.[1] ?? '';
    expect(readFileSync(join(__dirname, '../../../server/package/deploy', opened), 'utf8')).toMatch(/^ReadWritePaths=\/etc\/dovecot\/users\.d$/m);
    const passdb = withReal(block(way, ''), { '/etc/dovecot': folder });
    const args = /args = (.*)/.exec(passdb)?.[1] ?? '';
    const dovecot = await startMail({ passdb: { driver: 'passwd-file', file: '/dev/null' }, files: {} });
    try {
      // In place of ours: the page's passdb alone.
      const conf = join(dovecot.folder, 'dovecot.conf');
      await dovecot.kill();
      writeFileSync(conf, withReal(readFileSync(conf, 'utf8'), { 'args = /dev/null': `args = ${args}` }));
      await dovecot.start();
      await expectProved(await followed(withReal(block(way, 'yaml'), { '/etc/dovecot': folder }), dovecot));
    } finally {
      await dovecot.stop();
    }
  }, SLOW);

  it('LDAP, with Debian\'s own configuration of slapd', async () => {
    const way = 'An LDAP directory, Dovecot';
    const slapd = await startConfiguredSlapd(certificateFiles, `dn: uid=test,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: test\ncn: Test\nsn: Test\nmail: ${TEST}\nuserPassword: ${PASSWORD}\n`);
    try {
      const hash = slapd.hash('a-long-random-text');
      runToEnd('sh', ['-euc', withReal(block(way, 'sh'), { 'ldap://127.0.0.1': slapd.url, '-W': `-y ${slapd.adminPasswordFile}`, '{SSHA}...': hash })]);
      runToEnd('sh', ['-euc', withReal(block(way, 'sh', 1), { 'sudo ': '', 'ldapi:///': slapd.socketUrl })]);
      const dovecot = await startMail({
        passdb: { driver: 'ldap', file: 'ldap.conf' },
        files: { 'ldap.conf': `uris = ${slapd.url}\nldap_version = 3\nauth_bind = yes\nbase = ou=people,dc=example,dc=com\npass_filter = (&(objectClass=inetOrgPerson)(mail=%u))\npass_attrs = mail=user\n` },
      });
      try {
        await expectProved(await followed(withReal(block(way, 'yaml'), { 'ldaps://ldap.example.com': slapd.tlsUrl }), dovecot));
      } finally {
        await dovecot.stop();
      }
    } finally {
      await slapd.stop();
    }
  }, SLOW);

  it('mailcow', async () => {
    const way = "mailcow, or a provider's own API";
    const mailboxes = new Map<string, MailcowMailbox>([[TEST, { password: PASSWORD, active: 1, authsource: 'mailcow', name: 'Test' }]]);
    const hasher = await createHasher({ scheme: 'BLF-CRYPT', prefix: true });
    // mailcow writes what its Dovecot reads.
    const double = await startMailcowDouble('a-read-write-key-of-mailcow', mailboxes, async (address, password) => { await database.query('UPDATE vmail.mailbox SET password = ? WHERE username = ?', [await hasher.hash(new Secret(password)), address]); });
    const dovecot = await startMail(onMailboxTable());
    try {
      await expectProved(await followed(withReal(block(way, 'yaml'), { 'baseUrl: https://mail.example.com': `baseUrl: ${double.url}` }), dovecot));
    } finally {
      await dovecot.stop();
      await double.stop();
    }
  }, SLOW);

  const GROUP_OFFICE = documentBlocks('docs/group-office.md');
  const ofGroupOffice = (heading: string, language = ''): string => GROUP_OFFICE.get(heading)?.find((found) => found.language === language)?.text ?? '';
  it('the two pages on Group-Office say the same commands', () => {
    expect(ofGroupOffice('2. Put the drop-in into Group-Office')).toBe(block('Group-Office', ''));
    const [init, remove, start] = ofGroupOffice('4. Configure and start').trim().split('\n');
    expect([init, remove]).toEqual(commands.slice(0, 2));
    expect(ofGroupOffice('5. Prove it').trim().split('\n').slice(0, 2)).toEqual(commands.slice(2));
    expect(block('The four commands', '', 1).trim().split('\n')[0]).toBe(start);
  });

  it.each([['docs/first-change.md', block('Group-Office', 'yaml')], ['docs/group-office.md', ofGroupOffice('4. Configure and start', 'yaml')]])('Group-Office (its double), by the words of %s', async (_page, yaml) => {
    const way = 'Group-Office';
    const double = await GroupOfficeDouble.start();
    const dovecot = await startMail(onMailboxTable());
    try {
      double.state.addUser({ username: 'admin', email: 'admin@example.com', password: 'Adminpass-1', isAdmin: true });
      double.state.folders.add('community/apikeys');
      const folder = tempFolder();
      for (const inside of ['api', 'go/modules']) mkdirSync(join(folder, inside), { recursive: true });
      for (const file of ['api/jmap.php', 'index.php']) writeFileSync(join(folder, file), '');
      double.state.folders.add(DROP_IN);
      // The service, as a path of the same host.
      double.behind = (request, response) => {
        if (request.url === '/mailbox-password/api/v1/context') response.writeHead(401).end('{"code":"AUTHENTICATION_REQUIRED"}');
        else if (request.url === '/mailbox-password/assets/loader.js') response.writeHead(200).end('');
        else return Promise.resolve(false);
        return Promise.resolve(true);
      };
      const keyFile = join(folder, 'groupoffice.key');
      const install = withReal(block(way, '').trim(), { 'sudo mailbox-password ': '', '/usr/share/groupoffice': folder, 'https://mail.example.com': double.url }).split(' ');
      expect(await cli([...install, '--key-file', keyFile, '--password-stdin'], { input: 'Adminpass-1\n' })).toMatchObject({ status: 0 });
      const answers = withReal(yaml, { ...sqlUrl(), 'https://mail.example.com': double.url, '/etc/mailbox-password/groupoffice.key': keyFile });
      await expectProved(await followed(answers, dovecot));
    } finally {
      await dovecot.stop();
      await double.stop();
    }
  }, SLOW);

  describe('a webmail of your own: its session is ended beside the IMAP connection', () => {
    const way = 'A webmail of your own';
    let dovecot: Dovecot;
    beforeAll(async () => { dovecot = await startMail(onMailboxTable()); }, 60_000);
    afterAll(async () => { await dovecot.stop(); });
    /** The SQL answers, with the page's entry beside Dovecot's. */
    const prove = async (entry: string, signIn: () => Promise<void>) => {
      const answers = withReal(block(SQL, 'yaml'), { ...sqlUrl(), 'sessions:\n': entry });
      const last = await expectProved(await followed(answers, dovecot, signIn));
      expect(last.findings.find(({ check }) => check === 'change')?.text).toMatch(/web 1/);
    };

    it('Redis, with the page\'s user', async () => {
      const redis = await startRedis();
      const client = new Redis(redis.url);
      try {
        expect(await client.call(...(block(way, 'redis').trim().split(/\s+/) as [string, ...string[]]))).toBe('OK');
        const session = () => client.set('sess:1', JSON.stringify({ passport: { user: TEST }, signedInAt: Date.now() - 60_000 }));
        await prove(withReal(block(way, 'yaml'), { '127.0.0.1:6379': `127.0.0.1:${String(redis.port)}` }), async () => { await session(); });
        expect(await client.exists('sess:1')).toBe(0);
      } finally {
        client.disconnect();
        await redis.stop();
      }
    }, SLOW);

    it('an SQL table, with the page\'s grant', async () => {
      await database.administer('CREATE DATABASE IF NOT EXISTS webmail; CREATE TABLE IF NOT EXISTS webmail.sessions (id varchar(64) PRIMARY KEY, user_email varchar(255) NOT NULL, created_at datetime NOT NULL)');
      await database.administer(block(way, 'sql'));
      await prove(withReal(block(way, 'yaml', 1), { '@127.0.0.1/webmail': `@127.0.0.1:${String(database.port)}/webmail` }), async () => { await database.administer(`INSERT INTO webmail.sessions VALUES ('1', '${TEST}', UTC_TIMESTAMP() - INTERVAL 1 MINUTE)`); });
      expect(await database.query('SELECT id FROM webmail.sessions')).toEqual([]);
    }, SLOW);

    it('a signed call', async () => {
      const secret = /secret: (whsec_\S+)/.exec(block(way, 'yaml', 2))?.[1] ?? '';
      let sessions = 0;
      const receiver = createServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => { chunks.push(chunk); }).on('end', () => {
          const body = Buffer.concat(chunks).toString('utf8');
          const wanted = createHmac('sha256', Buffer.from(secret.slice(6), 'base64')).update(`${String(request.headers['webhook-id'])}.${String(request.headers['webhook-timestamp'])}.${body}`).digest('base64');
          if (request.headers['webhook-signature'] !== `v1,${wanted}`) { response.writeHead(401).end(); return; }
          const message = JSON.parse(body) as { type: string; address: string };
          const web = message.type === 'mailbox.sessions.revoke' && message.address === TEST ? sessions : 0;
          sessions -= web;
          response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ revoked: { web } }));
        });
      });
      await new Promise<void>((resolve) => { receiver.listen(0, '127.0.0.1', resolve); });
      try {
        await prove(withReal(block(way, 'yaml', 2), { 'https://webmail.example.com': `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}` }), () => { sessions = 1; return Promise.resolve(); });
        expect(sessions).toBe(0);
      } finally {
        await new Promise((resolve) => { receiver.close(resolve); });
      }
    }, SLOW);
  });
});
