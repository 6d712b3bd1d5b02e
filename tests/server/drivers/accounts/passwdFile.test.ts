import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { parse } from 'yaml';
import driver from '../../../../server/drivers/accounts/passwdFile.ts';
import { createHasher, type WriteScheme } from '../../../../server/hashing/hasher.ts';
import { lockFile } from '../../../../server/passwdFile/fileLock.ts';
import { isUnchanged, readSnapshot } from '../../../../server/passwdFile/replaceFile.ts';
import type { AccountApi } from '../../../../server/ports/accountApi.ts';
import { Secret } from '../../../../server/secret.ts';
import { type Dovecot, startDovecot } from '../../../services/dovecot.ts';
import { imapClient } from '../../../services/mailClients.ts';
import { until } from '../../../services/process.ts';
import { codeOf, describeAccountApi } from '../../../suites/accountApiSuite.ts';

const root = join(__dirname, '../../../..');
const writer = join(root, 'tests/fixtures/passwdFileWriter.ts');
const within = (ms = 20_000) => ({ signal: AbortSignal.timeout(ms) });
const secret = (value: string) => new Secret(value);
const context = { name: 'passwdFile', dataDir: '/nowhere', clock: { now: () => Date.now() }, log: pino({ level: 'silent' }) };
const create = (options: object): Promise<AccountApi> => driver.create(driver.options.validateSync(options, { strict: true, abortEarly: false }) as never, context);
const problems = (options: object): string => { try { driver.options.validateSync(options, { strict: true, abortEarly: false }); return ''; } catch (error) { return String((error as { errors: string[] }).errors); } };
const hashed = async (password: string, scheme: WriteScheme = 'BLF-CRYPT', prefix = true) => (await createHasher({ scheme, prefix, bcryptCost: 4 })).hash(secret(password));

const ALICE = { address: 'alice@example.test', password: 'Wonder-land-7' };
const BOB = { address: 'bob@example.test', password: 'Builder-can-8' };
const CAROL = { address: 'carol@example.test', password: 'Singing-bells-9' };

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mailbox-password-passwd-'));
  file = join(folder, 'users');
});
afterEach(() => { rmSync(folder, { recursive: true, force: true }); });

// The other schemes are below, with Dovecot: every change takes up to a second.
describeAccountApi('passwdFile, BLF-CRYPT', async () => {
  const own = mkdtempSync(join(tmpdir(), 'mailbox-password-passwd-'));
  const lines = [`${ALICE.address}:${await hashed(ALICE.password)}:1000:1000::/home/alice::`, `${BOB.address}:${await hashed(BOB.password, 'SHA512-CRYPT', false)}`,
    `${CAROL.address}:${await hashed(CAROL.password)}:::Carol:::nologin userdb_mail=maildir:~/Mail`];
  writeFileSync(join(own, 'users'), `# users\n\n${lines.join('\n')}\n`);
  return {
    api: await create({ file: join(own, 'users'), scheme: 'BLF-CRYPT', bcryptCost: 4 }), first: ALICE, second: BOB, locked: CAROL, comparesVersion: true,
    teardown: async () => { rmSync(own, { recursive: true }); },
  };
});

describe('passwdFile with Dovecot', () => {
  let dovecot: Dovecot;
  let users: string;
  beforeAll(async () => {
    dovecot = await startDovecot({
      passdb: { driver: 'passwd-file', file: 'users' },
      files: { users: `${ALICE.address}:{PLAIN}${ALICE.password}\n${BOB.address}:{PLAIN}${BOB.password}::::::\r\n` },
    });
    users = join(dovecot.folder, 'users');
    chmodSync(users, 0o644);
  }, 60_000);
  afterAll(() => dovecot.stop());

  const accepts = async (address: string, password: string): Promise<boolean> => {
    const client = await imapClient(dovecot.imap, address, password);
    client?.close();
    return client !== null;
  };
  it('extra fields with a recovery address and a language: told, kept by a change, and no hindrance to a log-in', async () => {
    writeFileSync(users, `${readFileSync(users, 'utf8')}dora@example.test:${await hashed('Dora-first-1')}::::::userdb_recovery=dora+1=x@elsewhere.test userdb_language=pt_BR userdb_quota_rule=*:storage=1G\n`);
    const api = await create({ file: users, scheme: 'BLF-CRYPT', bcryptCost: 4, recoveryAddressField: 'userdb_recovery', languageField: 'userdb_language' });
    const expected = { address: 'dora@example.test', recoveryAddress: 'dora+1=x@elsewhere.test', language: 'pt_BR' };
    expect(await api.find('dora@example.test', within())).toMatchObject(expected);
    expect(await accepts('dora@example.test', 'Dora-first-1')).toBe(true);
    await api.changePassword('dora@example.test', secret('Dora-first-1'), secret('Dora-second-2'), within());
    await flush('dora@example.test');
    expect([await accepts('dora@example.test', 'Dora-first-1'), await accepts('dora@example.test', 'Dora-second-2')]).toEqual([false, true]);
    expect(await api.find('dora@example.test', within())).toMatchObject(expected);
    // Nobody asked for them: they are not told; nor where the owner has none.
    expect(await (await create({ file: users })).find('dora@example.test', within())).not.toHaveProperty('recoveryAddress');
    for (const name of ['recoveryAddress', 'language']) expect(await api.find(ALICE.address, within())).not.toHaveProperty(name);
    expect(problems({ file: users, languageField: 'a=b' })).toContain('languageField');
  }, 60_000);

  const flush = async (address: string): Promise<void> => {
    const response = await fetch(`${dovecot.url}/doveadm/v1`, {
      method: 'POST', body: JSON.stringify([['authCacheFlush', { user: [address] }, '1']]), headers: { authorization: `X-Dovecot-API ${Buffer.from(dovecot.apiKey).toString('base64')}` },
    });
    expect(response.status).toBe(200);
  };

  it.each(['ARGON2ID', 'BLF-CRYPT', 'SHA512-CRYPT'] as const)('Dovecot takes the new password in %s and refuses the old one', async (scheme) => {
    const api = await create({ file: users, scheme, bcryptCost: 4 });
    const next = `Next "one" \\ :é\u{1F600}/${scheme}`;
    await api.setPassword(BOB.address, secret('Before-1'), within());
    await flush(BOB.address);
    expect(await accepts(BOB.address, 'Before-1')).toBe(true);
    await api.changePassword(BOB.address, secret('Before-1'), secret(next), within());
    await flush(BOB.address);
    expect([await accepts(BOB.address, next), await accepts(BOB.address, 'Before-1'), await accepts(ALICE.address, ALICE.password)]).toEqual([true, false, true]);
  });

  it('Dovecot sees a second change in the same second, with a hash of the same length', async () => {
    const api = await create({ file: users, scheme: 'BLF-CRYPT', bcryptCost: 4 });
    await Promise.all([api.setPassword(ALICE.address, secret('A-0'), within()), api.setPassword(BOB.address, secret('B-0'), within())]);
    for (const round of [1, 2]) {
      await until('the beginning of a second', async () => Date.now() % 1000 < 60);
      const { ino } = statSync(users);
      const first = api.setPassword(ALICE.address, secret(`A-${String(round)}`), within());
      await until('the first change', async () => statSync(users).ino !== ino);
      const between = await accepts(ALICE.address, `A-${String(round)}`);
      const second = api.setPassword(BOB.address, secret(`B-${String(round)}`), within());
      await Promise.all([first, second]);
      await Promise.all([flush(ALICE.address), flush(BOB.address)]);
      expect([between, await accepts(ALICE.address, `A-${String(round)}`), await accepts(BOB.address, `B-${String(round)}`)]).toEqual([true, true, true]);
      expect(await accepts(BOB.address, `B-${String(round - 1)}`)).toBe(false);
    }
  });

  it('leaves no log-in with the old password in Dovecot\'s auth cache, however hard a client tries', async () => {
    const api = await create({ file: users, scheme: 'BLF-CRYPT', bcryptCost: 4 });
    await api.setPassword(ALICE.address, secret('Round-0'), within());
    await flush(ALICE.address);
    for (const round of [1, 2, 3]) {
      const old = `Round-${String(round - 1)}`;
      let trying = true;
      const client = (async () => { while (trying) await accepts(ALICE.address, old); })();
      await api.setPassword(ALICE.address, secret(`Round-${String(round)}`), within());
      await flush(ALICE.address);
      expect(await accepts(ALICE.address, old)).toBe(false);
      trying = false;
      await client;
      expect([await accepts(ALICE.address, old), await accepts(ALICE.address, `Round-${String(round)}`)]).toEqual([false, true]);
    }
  });

  it('means the same lines as Dovecot', async () => {
    const hash = await hashed('Same-1');
    writeFileSync(users, [
      `#comment@example.test:${hash}`, `:${hash}`, `short@example.test:${hash}`, `windows@example.test:${hash}:::::\r`, `nologin@example.test:${hash}::::::nologin`,
      `any@example.test:::::::nopassword`, 'none@example.test', 'empty@example.test:', `bang@example.test:!${hash}`, `gecos@example.test:${hash}:::nologin nopassword:::`, `last@example.test:${hash}`,
    ].join('\n'));
    const api = await create({ file: users });
    // Dovecot looks at the file once a second.
    await until('reading the file again', async () => { await flush('short@example.test'); return accepts('short@example.test', 'Same-1'); });
    for (const local of ['comment', 'short', 'windows', 'none', 'empty', 'bang', 'gecos', 'last', 'nologin']) {
      const address = `${local}@example.test`;
      await flush(address);
      expect([local, await api.verifyPassword(address, secret('Same-1'), within())]).toEqual([local, await accepts(address, 'Same-1')]);
    }
    // Dovecot takes anything here; a password that anybody can guess is not one to let an owner in with.
    expect(await accepts('any@example.test', 'whatever')).toBe(true);
    expect(await api.verifyPassword('any@example.test', secret('whatever'), within())).toBe(false);
    expect(await api.find('#comment@example.test', within())).toBeNull();
    expect(await api.listDomains('', within())).toEqual(['example.test']);
  });
});

describe('passwdFile', () => {
  it('changes no byte but those of the password', async () => {
    const hash = await hashed('Old-one-1');
    const before = [Buffer.from('\ufeff# comment: with:colons\r\n\r\n'), Buffer.from([0x62, 0xff, 0xfe, 0x3a, 0x78, 0x0a, 0x0a]), Buffer.from(`alice@example.test.evil:${hash}\n`), Buffer.from(`xalice@example.test:${hash}\r\n`)];
    const after = [Buffer.from(':1000:1000:Älice:/home/a::userdb_mail=maildir:~/M  x=1\r\n  \t\n'), Buffer.from([0x00, 0xe9, 0x0a]), Buffer.from(`carol@example.test:${hash}`)];
    writeFileSync(file, Buffer.concat([...before, Buffer.from(`alice@example.test:${hash}`), ...after]));
    const api = await create({ file, scheme: 'SHA512-CRYPT' });
    await api.changePassword(ALICE.address, secret('Old-one-1'), secret('New-one-2'), within());
    const now = readFileSync(file);
    const [head, tail] = [Buffer.concat([...before, Buffer.from('alice@example.test:')]), Buffer.concat(after)];
    expect(now.subarray(0, head.length).equals(head)).toBe(true);
    expect(now.subarray(now.length - tail.length).equals(tail)).toBe(true);
    expect(now.toString('latin1', head.length, now.length - tail.length)).toMatch(/^\{SHA512-CRYPT\}\$6\$[./0-9A-Za-z]+\$[./0-9A-Za-z]{86}$/);
    // The last line, which has no newline and gets none.
    await api.setPassword(CAROL.address, secret('New-one-3'), within());
    expect(readFileSync(file, 'latin1')).toMatch(/carol@example\.test:\{SHA512-CRYPT\}[^\n]+$/);
    expect(await api.verifyPassword(CAROL.address, secret('New-one-3'), within())).toBe(true);
    expect(await api.verifyPassword(ALICE.address, secret('New-one-2'), within())).toBe(true);
    expect(readdirSync(folder)).toEqual(['users']);
  });

  it('keeps owner, group and mode', async () => {
    writeFileSync(file, `${ALICE.address}:${await hashed('Old-one-1')}\n`);
    chmodSync(file, 0o640);
    chownSync(file, 65_534, 8);
    const api = await create({ file, scheme: 'BLF-CRYPT', bcryptCost: 4 });
    await api.setPassword(ALICE.address, secret('New-one-2'), within());
    const { uid, gid, mode } = statSync(file);
    expect([uid, gid, mode & 0o7777]).toEqual([65_534, 8, 0o640]);
  });

  it('never says success for a mailbox that is not there, and refuses one that is there twice', async () => {
    const hash = await hashed('Old-one-1');
    writeFileSync(file, `${ALICE.address}:${hash}\n${BOB.address}:${hash}\n${ALICE.address}:${hash}::::::\n`);
    const before = readFileSync(file);
    const api = await create({ file });
    expect(await codeOf(api.setPassword('dora@example.test', secret('New-one-2'), within()))).toBe('ACCOUNT_NOT_FOUND');
    expect(await codeOf(api.setPassword(ALICE.address, secret('New-one-2'), within()))).toBe('ACCOUNT_AMBIGUOUS');
    expect(await codeOf(api.changePassword(ALICE.address, secret('Old-one-1'), secret('New-one-2'), within()))).toBe('ACCOUNT_AMBIGUOUS');
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readdirSync(folder)).toEqual(['users']);
  });

  it('refuses to set where the password field does not decide', async () => {
    const hash = await hashed('Old-one-1');
    writeFileSync(file, `a@x.test:\nb@x.test\nc@x.test:${hash}::::::nopassword=y\nd@x.test:*\ne@x.test:!${hash}\nf@x.test:${hash}::::::password={PLAIN}other\n`);
    const before = readFileSync(file);
    const api = await create({ file });
    for (const local of ['a', 'b', 'c', 'd', 'e', 'f']) {
      expect([local, await codeOf(api.setPassword(`${local}@x.test`, secret('New-one-2'), within()))]).toEqual([local, 'ACCOUNT_NOT_CHANGEABLE']);
      expect(await codeOf(api.changePassword(`${local}@x.test`, secret('Old-one-1'), secret('New-one-2'), within()))).toBe('CURRENT_PASSWORD_WRONG');
      expect((await api.find(`${local}@x.test`, within()))?.enabled).toBe(false);
    }
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('finds an address in capitals where the file has small letters, as Dovecot does', async () => {
    writeFileSync(file, `${ALICE.address}:${await hashed('Old-one-1')}\nBOB@example.test:${await hashed('Old-one-1')}\n`);
    const api = await create({ file });
    expect((await api.find('Alice@EXAMPLE.test', within()))?.address).toBe(ALICE.address);
    expect(await api.find(BOB.address, within())).toBeNull();
  });

  it('serves a file of local names for one domain', async () => {
    writeFileSync(file, `alice:${await hashed('Old-one-1')}:::Alice A:::\nbob:${await hashed('Old-one-1')}\n`);
    const api = await create({ file, usernameFormat: 'local', domain: 'example.test', scheme: 'BLF-CRYPT', bcryptCost: 4 });
    await api.changePassword(ALICE.address, secret('Old-one-1'), secret('New-one-2'), within());
    expect(await api.find(ALICE.address, within())).toEqual({ address: ALICE.address, enabled: true, passwordChangedAt: null, displayName: 'Alice A', passwordChangedNotAfter: expect.any(Number) });
    expect(await api.find('alice@other.test', within())).toBeNull();
    expect(await api.verifyPassword(ALICE.address, secret('New-one-2'), within())).toBe(true);
    expect(await api.listDomains('EXAM', within())).toEqual(['example.test']);
    expect((await api.listMailboxes({ domain: 'example.test', search: 'E A', cursor: null, limit: 5 }, within())).mailboxes).toHaveLength(1);
    expect((await api.listMailboxes({ domain: 'other.test', search: '', cursor: null, limit: 5 }, within())).mailboxes).toEqual([]);
  });

  it('follows a symbolic link and leaves it one; refuses a dangling one, a folder and a hard link', async () => {
    mkdirSync(join(folder, 'real'));
    writeFileSync(join(folder, 'real', 'users'), `${ALICE.address}:${await hashed('Old-one-1')}\n`);
    symlinkSync(join(folder, 'real', 'users'), file);
    const api = await create({ file, scheme: 'BLF-CRYPT', bcryptCost: 4 });
    await api.check(within());
    await api.setPassword(ALICE.address, secret('New-one-2'), within());
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(await api.verifyPassword(ALICE.address, secret('New-one-2'), within())).toBe(true);
    expect(readdirSync(join(folder, 'real'))).toEqual(['users']);
    linkSync(join(folder, 'real', 'users'), join(folder, 'second'));
    for (const attempt of [api.check(within()), api.setPassword(ALICE.address, secret('New-one-3'), within())]) expect(await codeOf(attempt)).toBe('ACCOUNTS_MISCONFIGURED');
    rmSync(join(folder, 'real'), { recursive: true });
    for (const attempt of [api.check(within()), api.find(ALICE.address, within()), api.verifyPassword(ALICE.address, secret('x'), within()), api.setPassword(ALICE.address, secret('New-one-3'), within())])
      expect(await codeOf(attempt)).toBe('ACCOUNTS_MISCONFIGURED');
    expect(existsSync(join(folder, 'real'))).toBe(false);
    expect(await codeOf((await create({ file: folder })).check(within()))).toBe('ACCOUNTS_MISCONFIGURED');
  });

  it('finds by its check what it could not write', async () => {
    writeFileSync(file, `${ALICE.address}:${await hashed('Old-one-1')}\n`);
    // access(2) asks for the real user, so it takes a process of that user's.
    const asNobody = async (): Promise<string> => {
      const { stdout, stderr } = spawnSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '--import', 'tsx', writer, file, 'check'], { cwd: root, encoding: 'utf8' });
      return stdout.trim() || stderr;
    };
    chmodSync(folder, 0o755);
    chmodSync(file, 0o600);
    expect(await asNobody()).toBe('ACCOUNTS_MISCONFIGURED');
    chmodSync(file, 0o666);
    expect(await asNobody()).toBe('ACCOUNTS_MISCONFIGURED');
    chmodSync(folder, 0o777);
    // Everything can be written, but root's file could not be made again.
    expect(await asNobody()).toBe('ACCOUNTS_MISCONFIGURED');
    chownSync(file, 65_534, 65_534);
    expect(await asNobody()).toBe('fine');
    chmodSync(folder, 0o755);
    expect(await asNobody()).toBe('ACCOUNTS_MISCONFIGURED');
  });

  const other = (...args: string[]) => {
    const child = spawn(process.execPath, ['--import', 'tsx', writer, ...args], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
    return {
      ready: new Promise((resolve) => { child.stdout.once('data', resolve); }),
      go: () => { child.stdin.write('go\n'); },
      ended: new Promise<string>((resolve) => { child.once('exit', (code, signal) => { resolve(signal ?? String(code)); }); }),
    };
  };

  it('loses nothing where two processes and this one write at once', async () => {
    const hash = await hashed('Old-one-1');
    const names = (prefix: string) => Array.from({ length: 25 }, (_, index) => `${prefix}${String(index)}@example.test`);
    const all = { one: names('one'), two: names('two'), own: names('own') };
    writeFileSync(file, Object.values(all).flat().map((address) => `${address}:${hash}:::::::\n`).join(''));
    const api = await create({ file, scheme: 'BLF-CRYPT', bcryptCost: 4, lockTimeoutMs: 30_000 });
    const others = [other(file, 'set', 'First-1', ...all.one), other(file, 'set', 'Second-2', ...all.two)];
    await Promise.all(others.map(({ ready }) => ready));
    for (const { go } of others) go();
    const [first, second] = await Promise.all([
      ...others.map(({ ended }) => ended),
      ...all.own.map((address) => api.setPassword(address, secret('Third-3'), within(50_000))),
    ]);
    expect([first, second]).toEqual(['0', '0']);
    for (const [addresses, password] of [[all.one, 'First-1'], [all.two, 'Second-2'], [all.own, 'Third-3']] as const)
      for (const address of addresses) expect([address, await api.verifyPassword(address, secret(password), within())]).toEqual([address, true]);
    expect(readdirSync(folder)).toEqual(['users']);
  }, 60_000);

  it('a writer that is killed before the rename leaves the old file whole, and its lock and rest do not stay in the way', async () => {
    writeFileSync(file, `${ALICE.address}:${await hashed('Old-one-1')}\n`);
    const before = readFileSync(file);
    expect(await other(file, 'die').ended).toBe('SIGKILL');
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readdirSync(folder)).toHaveLength(3);
    const api = await create({ file, scheme: 'BLF-CRYPT', bcryptCost: 4, lockTimeoutMs: 500 });
    expect(await api.verifyPassword(ALICE.address, secret('Old-one-1'), within())).toBe(true);
    await api.changePassword(ALICE.address, secret('Old-one-1'), secret('New-one-2'), within());
    expect(await api.verifyPassword(ALICE.address, secret('New-one-2'), within())).toBe(true);
    expect(readdirSync(folder)).toEqual(['users']);
  }, 60_000);

  describe('the lock', () => {
    let api: AccountApi;
    beforeEach(async () => {
      writeFileSync(file, `${ALICE.address}:${await hashed('Old-one-1')}\n`);
      api = await create({ file, scheme: 'BLF-CRYPT', bcryptCost: 4, lockTimeoutMs: 200 });
    });
    const set = () => api.setPassword(ALICE.address, secret('New-one-2'), within());
    const refused = async () => {
      const before = readFileSync(file);
      expect(await codeOf(set())).toBe('ACCOUNTS_UNAVAILABLE');
      expect(readFileSync(file).equals(before)).toBe(true);
    };
    const old = (ms: number) => { utimesSync(`${file}.lock`, new Date(Date.now() - ms), new Date(Date.now() - ms)); };

    it('of a living process is waited for, and then respected', async () => {
      const lock = await lockFile(file, { timeoutMs: 100, signal: AbortSignal.timeout(1000) });
      await refused();
      old(300_000);
      await refused();
      setTimeout(() => { void lock.release(); }, 50);
      await set();
    });
    it('of another host, or one that cannot be read, is respected until it is a minute old', async () => {
      for (const content of [`${String(process.pid)}:another-host:1:ab`, '', '4711']) {
        writeFileSync(`${file}.lock`, content);
        await refused();
        old(61_000);
        await set();
        expect(readdirSync(folder)).toEqual(['users']);
      }
    });
    it('of a process whose number another one has by now is stale', async () => {
      writeFileSync(`${file}.lock`, `${String(process.pid)}:${hostname()}:1:ab`);
      await set();
    });
    it('that somebody took away is not held any more', async () => {
      const lock = await lockFile(file, { timeoutMs: 100, signal: AbortSignal.timeout(1000) });
      expect(await lock.isHeld()).toBe(true);
      writeFileSync(`${file}.lock`, 'somebody');
      expect(await lock.isHeld()).toBe(false);
      await lock.release();
      expect(existsSync(`${file}.lock`)).toBe(true);
    });
    it('is given up when the caller gives up', async () => {
      await lockFile(file, { timeoutMs: 100, signal: AbortSignal.timeout(1000) });
      const slow = await create({ file, scheme: 'BLF-CRYPT', bcryptCost: 4, lockTimeoutMs: 30_000 });
      const started = Date.now();
      expect(await codeOf(slow.setPassword(ALICE.address, secret('New-one-2'), within(150)))).toBe('ACCOUNTS_UNAVAILABLE');
      expect(Date.now() - started).toBeLessThan(600);
    });
  });

  it('notices an editor that does not know the lock', async () => {
    writeFileSync(file, 'a:b\n');
    const snapshot = await readSnapshot(file);
    expect(await isUnchanged(file, snapshot)).toBe(true);
    writeFileSync(file, 'a:c\n');
    expect(await isUnchanged(file, snapshot)).toBe(false);
  });

  it('lists every problem of a configuration, and the page names every option', () => {
    expect(problems({ file: '/etc/dovecot/users' })).toBe('');
    expect(problems({ file: 'users' })).toMatch(/absolute/);
    expect(problems({ file: '/x', usernameFormat: 'local' })).toMatch(/domain/);
    expect(problems({ file: '/x', domain: 'example.test' })).toMatch(/local/);
    expect(problems({ file: '/x', scheme: 'PLAIN' })).toMatch(/scheme/);
    expect(problems({ file: '/x', other: 1 })).toMatch(/other/);
    const page = readFileSync(join(root, 'docs/drivers/accounts-passwdFile.md'), 'utf8');
    for (const key of Object.keys(driver.options.fields)) expect(page).toContain(`\`${key}\``);
    for (const block of page.matchAll(/```yaml\n([\s\S]*?)```/g)) {
      const entry = (parse(block[1] ?? '') as { accounts: Record<string, unknown>[] }).accounts[0] ?? {};
      expect(problems(Object.fromEntries(Object.entries(entry).filter(([key]) => !['driver', 'domains'].includes(key))))).toBe('');
    }
  });
});
