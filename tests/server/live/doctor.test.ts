import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cli, configFile } from '../../fixtures/cli.ts';
import { doctor } from '../../fixtures/doctor.ts';
import { type Dovecot, startDovecot } from '../../services/dovecot.ts';
import { imapClient } from '../../services/mailClients.ts';
import { type MailPlatform, startMailPlatform } from '../../services/mailPlatform.ts';
import { type MariaDb, startMariaDb } from '../../services/mariadb.ts';
import { type Authority, makeAuthority } from '../../services/authority.ts';

/** Each look is a process of its own; a loaded machine starts one in seconds. */
const SLOW = 120_000;
const ALICE = { address: 'alice@example.test', password: 'Wonder-land-7' };

describe('doctor names what is wrong in a real MariaDB', () => {
  let database: MariaDb;
  let authority: Authority;
  const accounts = (user: string, more: Record<string, unknown> = {}) => ({
    accounts: [{ driver: 'sql', domains: ['*'], url: `mysql://${user}:${user}-secret@localhost:${String(database.port)}/mail`, preset: 'postfixadmin', scheme: 'ARGON2ID', ...more }],
  });
  beforeAll(async () => {
    authority = makeAuthority();
    const { certificate, key } = authority.issue('expired', { days: -1 });
    database = await startMariaDb(() => [`--ssl-cert=${certificate}`, `--ssl-key=${key}`]);
    await database.query(`CREATE TABLE mailbox (username varchar(255) PRIMARY KEY, password varchar(60) NOT NULL, name varchar(255), domain varchar(255), active smallint);
      CREATE TABLE wide (username varchar(255) PRIMARY KEY, password varchar(255) NOT NULL, name varchar(255), domain varchar(255), active smallint);
      CREATE TABLE domain (domain varchar(255) PRIMARY KEY);
      INSERT INTO wide VALUES ('alice@example.test', '{SHA512-CRYPT}$6$abc$def', '', 'example.test', 1), ('old@example.test', '{NTLM}0cb6948805f797bf2a82807973b89537', '', 'example.test', 1);`);
    await database.administer(`CREATE USER 'reader'@'%' IDENTIFIED BY 'reader-secret'; GRANT SELECT ON mail.* TO 'reader'@'%';
      CREATE USER 'owner'@'%' IDENTIFIED BY 'owner-secret'; GRANT SELECT ON mail.* TO 'owner'@'%'; GRANT UPDATE (password) ON mail.wide TO 'owner'@'%';`);
  }, 60_000);
  afterAll(async () => { await database.stop(); authority.remove(); });

  it('no UPDATE, a column too narrow: each by name, exit code 1, and no secret anywhere', async () => {
    const { status, found, levels, text } = await doctor(accounts('reader'));
    expect(status).toBe(1);
    expect(levels('accounts', 'log-in')).toEqual(['ok']);
    const permissions = found('accounts', 'permission');
    expect(permissions.filter(({ level }) => level === 'fail')).toEqual([{ level: 'fail', check: 'permission', text: expect.stringMatching(/^UPDATE of mailbox\.password: ER_/), todo: 'grant UPDATE (password) on mailbox to the user of url' }]);
    expect(permissions.filter(({ level }) => level === 'ok')).toHaveLength(2);
    expect(text).not.toContain('reader-secret');
  }, SLOW);

  it('with the right, the width and the schemes that are stored are judged', async () => {
    const narrow = await doctor(accounts('mail', { url: database.url }));
    expect(narrow.found('accounts', 'width')).toEqual([{ level: 'fail', check: 'width', text: expect.stringMatching(/^ARGON2ID writes \d+ characters, the password column takes 60$/), todo: expect.stringContaining('ALTER TABLE') }]);
    const wide = await doctor(accounts('owner', { table: 'wide' }));
    expect(wide.levels('accounts', 'permission')).toEqual(['ok', 'ok', 'ok']);
    expect(wide.levels('accounts', 'width')).toEqual(['ok']);
    expect(wide.found('accounts', 'scheme')).toEqual([expect.objectContaining({ level: 'fail', text: 'stored now: SHA512-CRYPT 1, NTLM 1; NTLM cannot be verified here' })]);
  }, SLOW);

  it('an expired certificate is named with its date; a wrong password and a closed port are not the same', async () => {
    const expired = await doctor(accounts('owner', { table: 'wide', tls: { ca: authority.ca } }));
    expect(expired.found('accounts', 'tls')).toEqual([{ level: 'fail', check: 'tls', text: expect.stringMatching(/^TLSv1\.[23] with localhost:\d+, certificate localhost expired on \d{4}-\d\d-\d\d$/), todo: 'renew the certificate on that server' }]);
    const wrong = await doctor(accounts('owner', { url: `mysql://owner:wrong@127.0.0.1:${String(database.port)}/mail` }));
    expect(wrong.found('accounts', 'log-in')).toEqual([expect.objectContaining({ level: 'fail', text: expect.stringContaining('ER_ACCESS_DENIED_ERROR') })]);
    const closed = await doctor(accounts('owner', { url: 'mysql://owner:wrong@127.0.0.1:1/mail' }));
    expect(closed.found('accounts', 'log-in')).toEqual([expect.objectContaining({ level: 'fail', text: expect.stringContaining('ECONNREFUSED') })]);
  }, SLOW);
});

describe('doctor and a real Dovecot', () => {
  let on: MailPlatform;
  let off: Dovecot;
  beforeAll(async () => {
    on = await startMailPlatform('mariadb');
    off = await startDovecot({ passdb: { driver: 'passwd-file', file: 'users' }, files: { users: `${ALICE.address}:{PLAIN}${ALICE.password}\n` }, authCache: false });
  }, 90_000);
  afterAll(async () => { await off.stop(); await on.stop(); });

  const over = (dovecot: Dovecot, more: Record<string, unknown> = {}) => ({ ...on.overrides, sessions: [{ driver: 'embedded', name: 'web' }, { driver: 'dovecot', name: 'mail', backends: [{ url: dovecot.url, apiKey: dovecot.apiKey, ...more }] }] });
  const imap = (dovecot: Dovecot) => ['--imap', `127.0.0.1:${String(dovecot.imap)}:none`];

  it('the auth cache is seen on and off; rights and the key are tried', async () => {
    const cached = await doctor(over(on.dovecot), imap(on.dovecot));
    expect(cached.found('sessions[1]', 'auth cache')).toEqual([{ level: 'ok', check: 'auth cache', text: 'on; it is flushed before connections are ended' }]);
    expect(cached.levels('sessions[1]', 'permission')).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(cached.levels('sessions[1]', 'clock')).toEqual(['ok']);
    const uncached = await doctor(over(off), imap(off));
    expect(uncached.found('sessions[1]', 'auth cache')[0]?.text).toMatch(/^off/);
    const refused = await doctor(over(on.dovecot, { apiKey: 'not-the-key' }));
    expect(refused.found('sessions[1]', 'log-in')).toEqual([expect.objectContaining({ level: 'fail', text: expect.stringContaining('refuses the API key') })]);
    expect(refused.status).toBe(1);
    expect(refused.text).not.toContain('not-the-key');
  }, SLOW);

  it('--write-test changes the password and back, proves the log-out by IMAP, and leaves the old password', async () => {
    const phone = await imapClient(on.dovecot.imap, ALICE.address, ALICE.password, { idle: true });
    const { status, report, levels, text, stderr } = await doctor(over(on.dovecot), [...imap(on.dovecot), '--write-test', ALICE.address, '--password-stdin'], { input: `${ALICE.password}\n` });
    expect(report.sections.flatMap(({ findings }) => findings).filter(({ level }) => level === 'fail')).toEqual([]);
    expect(report.sections.at(-1)?.findings.filter(({ level }) => level !== 'ok')).toEqual([]);
    expect(status).toBe(0);
    for (const check of ['current', 'change', 'old password', 'new password']) expect([check, levels('write test', check)]).toEqual([check, ['ok']]);
    expect(levels('write test', 'log-out')).toEqual(['ok', 'ok']);
    expect(levels('write test', 'restore')).toEqual(['ok', 'ok']);
    expect(await phone?.alive()).toBe(false);
    expect(await on.accepts(ALICE.address, ALICE.password)).toBe(true);
    expect(text).not.toContain(ALICE.password);
    const temporary = /the password of \S+ is: (\S+)/.exec(stderr)?.[1] ?? '';
    expect(temporary.length).toBeGreaterThanOrEqual(16);
    expect(await on.accepts(ALICE.address, temporary)).toBe(false);
  }, SLOW);

  it('--write-test with a mail server that reads other mailboxes fails, and the old password is back', async () => {
    // This Dovecot keeps its own file: after the change it still takes the old password.
    const { status, levels, found } = await doctor(over(off), [...imap(off), '--write-test', ALICE.address, '--password-stdin'], { input: `${ALICE.password}\n` });
    expect(status).toBe(1);
    expect([levels('write test', 'old password'), levels('write test', 'new password')]).toEqual([['fail'], ['fail']]);
    expect(found('write test', 'restore')[0]).toEqual({ level: 'ok', check: 'restore', text: 'the old password is back' });
    expect(await on.accepts(ALICE.address, ALICE.password)).toBe(true);
  }, SLOW);

  it('--write-test restores although it is told to stop in the middle', async () => {
    const { file } = configFile(over(on.dovecot));
    let told = 0;
    const { status, stdout, stderr } = await cli(['doctor', '-c', file, ...imap(on.dovecot), '--write-test', ALICE.address, '--password-stdin'], {
      input: `${ALICE.password}\n`,
      onStderr: (text, kill) => { if (text.includes('Should this process be killed') && told++ < 3) kill('SIGTERM'); },
    });
    expect(told).toBeGreaterThan(0);
    expect(stderr).toContain('The old password is being restored first.');
    expect(stdout).toContain('the old password is back');
    expect(status).toBe(0);
    expect(await on.accepts(ALICE.address, ALICE.password)).toBe(true);
  }, SLOW);

  it('--write-test says what is still owed where a session store does not do its part, and the old password is back', async () => {
    const receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => { body += chunk.toString(); });
      request.on('end', () => { response.statusCode = body.includes('sessions.check') ? 200 : 503; response.end(); });
    });
    await new Promise<void>((resolve) => { receiver.listen(0, '127.0.0.1', resolve); });
    const { port } = receiver.address() as AddressInfo;
    const sessions = [{ driver: 'webhook', name: 'slow', url: `http://127.0.0.1:${String(port)}/`, secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}` }];
    const { status, levels } = await doctor({ ...over(on.dovecot), sessions }, ['--write-test', ALICE.address, '--password-stdin'], { input: `${ALICE.password}\n` });
    await new Promise((resolve) => { receiver.close(resolve); });
    expect(status).toBe(1);
    expect([levels('write test', 'log-out'), levels('write test', 'restore')]).toEqual([['warn', 'fail', 'warn'], ['ok']]);
    expect(await on.accepts(ALICE.address, ALICE.password)).toBe(true);
  }, SLOW);

  it('a wrong current password changes nothing', async () => {
    const { status, report } = await doctor(over(on.dovecot), [...imap(on.dovecot), '--write-test', ALICE.address, '--password-stdin'], { input: 'not-it\n' });
    expect(status).toBe(1);
    expect(report.sections.at(-1)?.findings).toEqual([expect.objectContaining({ level: 'fail', check: 'current' })]);
    expect(await on.accepts(ALICE.address, ALICE.password)).toBe(true);
  }, SLOW);
});
