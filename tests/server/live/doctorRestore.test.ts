import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { createHasher, type Hasher } from '../../../server/hashing/hasher.ts';
import { Secret } from '../../../server/secret.ts';
import { cli, configFile, type Ended } from '../../fixtures/cli.ts';
import { type MariaDb, startMariaDb } from '../../services/mariadb.ts';

/** Each look is a process of its own; a loaded machine starts one in seconds. */
const SLOW = 600_000;
const ALICE = 'alice@example.test';
const PASSWORD = 'Wonder-land-7';
const GRANT = "GRANT UPDATE (password) ON mail.mailbox TO 'owner'@'%'";

let database: MariaDb;
let hasher: Hasher;
let original = '';
let receiver: Server;
/** What happens between the change and the restore: when the session store is told to log out. */
let between: () => Promise<void>;

beforeAll(async () => {
  database = await startMariaDb();
  await database.query('CREATE TABLE mailbox (username varchar(255) PRIMARY KEY, password varchar(255) NOT NULL, name varchar(255), domain varchar(255), active smallint); CREATE TABLE domain (domain varchar(255) PRIMARY KEY)');
  await database.administer(`CREATE USER 'owner'@'%' IDENTIFIED BY 'owner-secret'; GRANT SELECT ON mail.* TO 'owner'@'%'; ${GRANT}`);
  // Another scheme than new hashes get: put back is the very value, not another hash of the same password.
  hasher = await createHasher({ scheme: 'SHA512-CRYPT', prefix: true });
  original = await hasher.hash(new Secret(PASSWORD));
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => { body += chunk.toString(); });
    request.on('end', () => { void (body.includes('sessions.check') ? Promise.resolve() : between()).then(() => { response.end(); }); });
  });
  await new Promise<void>((resolve) => { receiver.listen(0, '127.0.0.1', resolve); });
}, 60_000);
afterAll(async () => {
  receiver.closeAllConnections();
  receiver.close();
  await database.stop();
});
beforeEach(async () => {
  between = () => Promise.resolve();
  await database.query('DELETE FROM mailbox');
  await database.query(`INSERT INTO mailbox VALUES ('${ALICE}', ?, '', 'example.test', 1)`, [original]);
});
afterEach(async () => { await database.administer(GRANT); });

const once = (work: () => Promise<void>) => {
  let done = false;
  return async () => {
    if (done) return;
    done = true;
    await work();
  };
};
const stored = async (): Promise<string> => String((await database.query('SELECT password FROM mailbox'))[0]?.['password']);
const temporaryIn = ({ stderr }: Ended): string => /the password of \S+ is: (\S+)/.exec(stderr)?.[1] ?? '';

function setUp() {
  const made = configFile({
    accounts: [{ driver: 'sql', domains: ['*'], url: `mysql://owner:owner-secret@127.0.0.1:${String(database.port)}/mail`, preset: 'postfixadmin', scheme: 'ARGON2ID', connectTimeoutMs: 500 }],
    sessions: [{ driver: 'webhook', name: 'hook', url: `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}/`, secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`, timeoutMs: 30_000 }],
    timeouts: { accountsMs: 2_000, sessionsMs: 30_000, hostMs: 2_000 },
  });
  const folder = join(made.dataDir, 'write-test');
  const run = (args: readonly string[], options: Parameters<typeof cli>[1] = {}) => cli(['doctor', '-c', made.file, ...args], options);
  const test = (more: Parameters<typeof cli>[1] = {}, args: readonly string[] = []) => run(['--write-test', ALICE, '--password-stdin', ...args], { input: `${PASSWORD}\n`, ...more });
  return { run, test, folder, kept: () => (existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []) };
}

it('the UPDATE right is taken away in between: which mailbox has what, and how to mend it; the old hash is kept and comes back as it was', async () => {
  const { run, test, kept } = setUp();
  between = once(() => database.administer("REVOKE UPDATE (password) ON mail.mailbox FROM 'owner'@'%'"));
  const ended = await test();
  const temporary = temporaryIn(ended);
  expect(ended.status).toBe(1);
  expect(ended.stdout).toMatch(new RegExp(`FAIL {2}restore +THE OLD PASSWORD COULD NOT BE RESTORED \\(.*ER_.*\\)\\. ${ALICE} now has the temporary password that stands on the standard error output; its old hash is kept in \\S+\\n +-> mend that, then .mailbox-password doctor --restore ${ALICE}.`));
  expect(ended.stderr).toContain(`The password of ${ALICE} is still: ${temporary}`);
  for (const secret of [temporary, original, PASSWORD, 'owner-secret']) expect(ended.stdout).not.toContain(secret);
  for (const secret of [original, PASSWORD, 'owner-secret']) expect(ended.stderr).not.toContain(secret);
  expect(await (await createHasher({ scheme: 'ARGON2ID', prefix: true })).verify(await stored(), new Secret(temporary))).toBe(true);
  const [file = ''] = kept();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8')).toContain(JSON.stringify(original));

  const early = await run(['--restore', ALICE]);
  expect([early.status, early.stdout]).toEqual([1, expect.stringContaining(`${ALICE} still has the temporary password of the test: ER_`)]);
  expect(kept()).toHaveLength(1);
  await database.administer(GRANT);
  // A second test must not take the temporary hash for the old one.
  const again = await test({ input: `${temporary}\n` });
  expect(again.stdout).toContain(`a test of ${ALICE} was not undone: it has a temporary password`);
  expect(again.stdout).toContain(`a test of ${ALICE} before this one was not undone`);
  const mended = await run(['--restore', ALICE]);
  expect([mended.status, mended.stdout]).toEqual([0, expect.stringContaining('has the password from before the test, stored as it was')]);
  expect(await stored()).toBe(original);
  expect(kept()).toEqual([]);
}, SLOW);

it('the database dies in between, and comes back later', async () => {
  const { run, test, kept } = setUp();
  between = once(() => database.kill());
  const ended = await test({}, ['--json']);
  await database.start();
  expect(ended.status).toBe(1);
  expect(ended.stdout).toContain('THE OLD PASSWORD COULD NOT BE RESTORED');
  expect(ended.stdout).not.toContain(temporaryIn(ended));
  expect(await stored()).not.toBe(original);
  expect((await run(['--restore', ALICE])).status).toBe(0);
  expect([await stored(), kept()]).toEqual([original, []]);
}, SLOW);

it('killed in the middle, as by a power cut: --restore finds what it needs', async () => {
  const { run, test, kept } = setUp();
  let kill: () => void = () => undefined;
  between = once(async () => { kill(); });
  const ended = await test({ onStderr: (_text, signal) => { kill = () => { signal('SIGKILL'); }; } });
  expect(ended.status).toBeNull();
  expect(await stored()).not.toBe(original);
  expect(kept()).toHaveLength(1);
  expect((await run(['--restore', ALICE])).status).toBe(0);
  expect([await stored(), kept()]).toEqual([original, []]);
}, SLOW);

it('Ctrl-C, again and again, in the middle: the old hash is back before it ends', async () => {
  const { test, kept } = setUp();
  let interrupt: () => void = () => undefined;
  between = once(async () => { for (let n = 0; n < 3; n += 1) interrupt(); });
  const ended = await test({ onStderr: (_text, signal) => { interrupt = () => { signal('SIGINT'); }; } });
  expect(ended.stderr).toContain('The old password is being restored first.');
  expect([ended.status, ended.stdout]).toEqual([0, expect.stringContaining('the old password is back')]);
  expect([await stored(), kept()]).toEqual([original, []]);
}, SLOW);

it('somebody else sets another password in between: it is left alone, and said', async () => {
  const { test, kept } = setUp();
  const theirs = await hasher.hash(new Secret('Somebody-else-9'));
  between = once(async () => { await database.query('UPDATE mailbox SET password = ?', [theirs]); });
  const ended = await test();
  expect([ended.status, await stored(), kept()]).toEqual([1, theirs, []]);
  expect(ended.stdout).toContain('another password during the test: it was left alone');
}, SLOW);

it('killed in the middle, and then somebody else sets another password: --restore leaves it alone and says so', async () => {
  const { run, test, kept } = setUp();
  let kill: () => void = () => undefined;
  between = once(async () => { kill(); });
  const ended = await test({ onStderr: (_text, signal) => { kill = () => { signal('SIGKILL'); }; } });
  expect([ended.status, kept().length]).toEqual([null, 1]);
  const theirs = await hasher.hash(new Secret('Somebody-else-9'));
  await database.query('UPDATE mailbox SET password = ?', [theirs]);
  const restored = await run(['--restore', ALICE]);
  expect([restored.status, restored.stdout]).toEqual([1, expect.stringContaining(`${ALICE} has a password that this test did not set: it was left alone`)]);
  for (const secret of [temporaryIn(ended), theirs, original]) expect(`${restored.stdout}${restored.stderr}`).not.toContain(secret);
  expect([await stored(), kept().length]).toEqual([theirs, 1]);
}, SLOW);
