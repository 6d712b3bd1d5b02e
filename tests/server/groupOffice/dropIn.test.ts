import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The drop-in's own PHP, run by php-cli against stubs of the few classes of Group-Office that it calls. */
const PHP = spawnSync('php', ['-m'], { encoding: 'utf8' }).stdout?.includes('apcu') ?? false;
const MODULE = join(process.cwd(), 'module/group-office');
const RUN = join(process.cwd(), 'tests/fixtures/groupOfficeDouble/php/run.php');

const T0 = Date.UTC(2026, 10, 24, 9, 0, 0);

/** A token as Group-Office makes it: uniqid() and 32 hex digits. `n` tells them apart. */
function token(issuedAt: number, n: number): string {
  const seconds = Math.floor(issuedAt / 1000).toString(16).padStart(8, '0');
  const micros = ((issuedAt % 1000) * 1000).toString(16).padStart(5, '0');
  return seconds + micros + String(n).padStart(32, 'a');
}
const column = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
const row = (userId: string, issuedAt: number, n: number, more: object = {}) => ({
  loginToken: token(issuedAt, n), accessToken: token(issuedAt, n + 50), userId, createdAt: column(issuedAt), expiresAt: '2099-01-01 00:00:00', clientId: 1, passed: ['imap'], ...more,
});

interface Outcome {
  result?: Record<string, unknown>;
  error?: { type: string };
  log: unknown[][];
  tokens: string[];
  remembered: string[];
  cached: string[];
  cachedLogins: string[];
  otherThing: string | null;
}

const USERS = [
  { id: '5', username: 'carol@mail.test', email: 'carol@mail.test', displayName: 'Carol' },
  { id: '6', username: 'dave', email: 'dave@example.test', displayName: 'Dave', admin: true },
  { id: '9', username: 'service', email: 'service@example.test', displayName: 'Service' },
];
const CLIENTS = [
  { id: 1, name: 'Firefox', platform: 'Linux', version: 'Mozilla/5.0 Firefox/140.0', ip: '192.0.2.1', lastSeen: '2026-11-24 09:00:30' },
  { id: 2, name: 'Chrome', platform: 'Linux', version: 'Mozilla/5.0 Chrome/150.0', ip: '192.0.2.2', lastSeen: '2026-11-24 09:00:40' },
];
const OWN = row('5', T0, 1);
const OTHER = row('5', T0 + 1000, 2, { clientId: 2 });
/** In the same second as the change, after it. */
const NEW = row('5', T0 + 60_700, 3, { clientId: 2 });
const PENDING = row('5', T0 + 2000, 4, { accessToken: null });
const API_KEY = row('5', T0, 5, { expiresAt: null });
const STRANGER = row('6', T0, 6);
const SERVICE = row('9', T0 - 1000, 7, { expiresAt: null });
const REMEMBERED = { id: 1, series: token(T0, 21), userId: '5', expiresAt: '2099-01-01 00:00:00', clientId: 2 };
const REMEMBERED_ALONE = { id: 2, series: token(T0 + 5, 22), userId: '5', expiresAt: '2099-01-01 00:00:00', clientId: 77 };
const REMEMBERED_NEW = { id: 3, series: token(T0 + 60_800, 23), userId: '5', expiresAt: '2099-01-01 00:00:00', clientId: 1 };
const REMEMBERED_STRANGER = { id: 4, series: token(T0, 24), userId: '6', expiresAt: '2099-01-01 00:00:00', clientId: 1 };
const CHANGED = T0 + 60_500;

const situation = {
  users: USERS,
  tables: {
    core_auth_token: [OWN, OTHER, NEW, PENDING, API_KEY, STRANGER, SERVICE],
    core_auth_remember_me: [REMEMBERED, REMEMBERED_ALONE, REMEMBERED_NEW, REMEMBERED_STRANGER],
    core_client: CLIENTS,
  },
  cachedLogins: { 'carol@mail.test|old': '5', 'carol@mail.test|older': '5', 'dave|x': '6' },
};
const asCarol = { as: OWN.loginToken };
const asService = { as: SERVICE.loginToken, mayManage: true };

function run(call: object): Outcome {
  const input = JSON.stringify({ ...situation, ...call });
  return JSON.parse(execFileSync('php', ['-d', 'apc.enable_cli=1', '-d', 'display_errors=stderr', RUN, MODULE], { input, encoding: 'utf8' })) as Outcome;
}

const lint = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.php')).map((file) => join(folder, file));

it('finds php-cli with APCu', () => {
  // Debian: apt-get install php-cli php-apcu
  expect(PHP).toBe(true);
});

(PHP ? describe : describe.skip)('the drop-in, in PHP', () => {
  it.each(lint(MODULE))('%s is PHP', (file) => {
    expect(execFileSync('php', ['-l', file], { encoding: 'utf8' })).toContain('No syntax errors');
  });

  it.each(lint(MODULE))('%s needs no PHP newer than 8.1', (file) => {
    // Debian 12 has 8.2: what came with it or later is looked for. readonly classes, constants in traits, typed constants, null/true/false
    // as types of their own, types in disjunctive normal form.
    const code = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*|'(?:[^'\\]|\\.)*'/g, '');
    expect(code).not.toMatch(/readonly\s+class|class\s+readonly|const\s+\??[a-z]+\s+[A-Z_]+\s*=|function[^{;]*\)\s*:\s*\??(?:null|true|false)\b|\(\w+&\w+\)\s*\||#\[\\?Override|json_validate|\btrait\b/);
  });

  it('gives the Internal group the right to read when it is installed', () => {
    expect(run({ method: 'Module::install' })).toMatchObject({ result: { done: true, permissions: { 3: { mayRead: true } } }, log: [['parent::beforeInstall']] });
  });

  it.each(['info', 'list', 'end', 'endAll', 'forgetLogins', 'refreshMail'])('%s refuses nobody, and somebody without the right to read', (method) => {
    expect(run({ method }).error).toMatchObject({ type: 'unauthorized' });
    expect(run({ method, ...asCarol, mayRead: false }).error).toMatchObject({ type: 'forbidden' });
  });

  it.each([['info', {}], ['list', {}], ['end', { id: `s-${'0'.repeat(32)}` }], ['endAll', { issuedBefore: CHANGED }], ['forgetLogins', {}], ['refreshMail', { password: 'x' }]] as const)(
    '%s needs the manage right for anybody else, known or not',
    (method, params) => {
      for (const address of ['dave', 'dave@example.test', 'nobody@mail.test']) {
        const refused = run({ method, ...asCarol, params: { ...params, address } });
        expect(refused.error).toEqual({ type: 'forbidden', message: 'Forbidden' });
        expect(refused.tokens).toHaveLength(7);
        expect(refused.cachedLogins).toHaveLength(3);
      }
      expect(run({ method, ...asService, params: { ...params, address: 'nobody@mail.test' } }).error).toBeUndefined();
    },
  );

  it.each([
    ['endAll', {}], ['endAll', { issuedBefore: '1' }], ['endAll', { issuedBefore: 0 }], ['endAll', { issuedBefore: 1.5 }], ['endAll', { issuedBefore: true }],
    ['end', {}], ['end', { id: 7 }], ['end', { id: OWN.loginToken }], ['end', { id: `s-${'0'.repeat(32)}\n` }],
    ['info', { address: '' }], ['info', { address: 5 }], ['info', { address: ['a'] }], ['info', { address: 'x'.repeat(256) }],
    ['refreshMail', {}], ['refreshMail', { password: '' }], ['refreshMail', { password: 'x'.repeat(1025) }], ['refreshMail', { password: ['x'] }],
  ])('%s refuses %j', (method, params) => {
    expect(run({ method, ...asService, params }).error).toMatchObject({ type: 'invalidArguments' });
  });

  it('tells who is calling, and no token', () => {
    const { result } = run({ method: 'info', ...asCarol });
    expect(result).toEqual({
      version: 1, now: expect.any(Number) as number, mayManage: false, cache: 'Apcu', cacheId: expect.stringMatching(/^[0-9a-f]{16}$/) as string, sessionId: expect.stringMatching(/^s-[0-9a-f]{32}$/) as string, passedAuthenticators: ['imap'],
      user: { id: '5', username: 'carol@mail.test', email: 'carol@mail.test', displayName: 'Carol', enabled: true, recoveryEmail: 'recovery@elsewhere.test', language: 'en', isAdmin: false, authenticators: ['imap'] },
    });
    expect(Math.abs((result?.['now'] as number) - Date.now())).toBeLessThan(60_000);
  });

  it('tells the service who an address is: user name first, then e-mail', () => {
    expect(run({ method: 'info', ...asService, params: { address: 'dave@example.test' } }).result).toMatchObject({ user: { id: '6', isAdmin: true, authenticators: ['password'] }, sessionId: null, mayManage: true });
    expect(run({ method: 'info', ...asService, params: { address: 'nobody@mail.test' } }).result).toMatchObject({ user: null, sessionId: null, passedAuthenticators: [] });
    expect(run({ method: 'info', ...asService, params: { address: 'CAROL@mail.test' } }).result).toMatchObject({ user: { id: '5' } });
  });

  it.each(['carol@mail.test ', 'cärol@mail.test', 'dÄve'])('does not take %j, which the database thinks equal, for somebody else', (address) => {
    expect(run({ method: 'info', ...asService, params: { address } }).result).toMatchObject({ user: null });
    expect(run({ method: 'endAll', ...asService, params: { address, issuedBefore: CHANGED } }).tokens).toHaveLength(7);
    expect(run({ method: 'endAll', ...asCarol, params: { address, issuedBefore: CHANGED } }).error).toMatchObject({ type: 'forbidden' });
  });

  it('forgets log-ins under whatever name they were typed: other case, domain alias, no domain', () => {
    const cachedLogins = { 'CAROL@mail.test|old': '5', 'carol|old': '5', 'carol@alias.test|old': '5', 'dave|x': '6' };
    expect(run({ method: 'endAll', ...asService, cachedLogins, params: { address: 'carol@mail.test', issuedBefore: CHANGED } })).toMatchObject({
      result: { ended: { cachedLogins: 3 } }, cachedLogins: ['dave|x'],
    });
  });

  it('makes the cache forget before the rows go: nobody comes in between', () => {
    const { log } = run({ method: 'endAll', ...asService, params: { address: 'carol@mail.test', issuedBefore: CHANGED } });
    const at = (name: string, argument: string) => log.findIndex((call) => call[0] === name && JSON.stringify(call[1]).includes(argument));
    expect(at('cache.delete', 'login-')).toBeGreaterThan(-1);
    expect(at('cache.delete', 'login-')).toBeLessThan(at('Token::delete', ''));
  });

  it("lists the caller's sessions, half log-ins and remember-me cookies, and no API key", () => {
    const { result } = run({ method: 'list', ...asCarol });
    const sessions = result?.['sessions'] as { kind: string; current: boolean; issuedAt: number; client: string; id: string }[];
    expect(sessions.map(({ kind, current }) => [kind, current])).toEqual([
      ['session', true], ['session', false], ['session', false], ['pending', false], ['remembered', false], ['remembered', false], ['remembered', false],
    ]);
    expect(sessions[0]).toMatchObject({ client: 'Firefox', platform: 'Linux', remoteAddress: '192.0.2.1', issuedAt: T0, lastSeenAt: T0 + 30_000, clientId: '1' });
    expect(sessions[5]).toMatchObject({ client: null, lastSeenAt: null });
    expect(JSON.stringify(result)).not.toContain(OTHER.loginToken);
    expect(JSON.stringify(result)).not.toContain(REMEMBERED.series);
  });

  it("ends one session, with its browser's remember-me cookie", () => {
    const listed = run({ method: 'list', ...asCarol }).result?.['sessions'] as { id: string }[];
    const ended = run({ method: 'end', ...asCarol, params: { id: listed[1]?.id } });
    expect(ended.result).toEqual({ ended: 2 });
    expect(ended.tokens).not.toContain(OTHER.loginToken);
    expect(ended.tokens).toHaveLength(6);
    expect(ended.cached).not.toContain(OTHER.accessToken);
    expect(ended.remembered).not.toContain(REMEMBERED.series);
    expect(run({ method: 'end', ...asService, params: { address: 'dave', id: listed[1]?.id } }).result).toEqual({ ended: 0 });
  });

  it('ends everything issued before, through the models, and keeps the new log-in of the same second', () => {
    const outcome = run({ method: 'endAll', ...asCarol, params: { issuedBefore: CHANGED }, cacheOnly: [row('5', T0 + 100, 8), row('5', T0 + 60_900, 9), row('6', T0, 10)] });
    expect(outcome.result).toEqual({
      ended: { sessions: 3, remembered: 2, rememberedAlone: 1, cachedSessions: 1, cachedLogins: 2 },
      kept: { apiKeys: 1, newer: 1 },
    });
    expect(outcome.tokens).toEqual([NEW, API_KEY, STRANGER, SERVICE].map(({ loginToken }) => loginToken));
    expect(outcome.remembered).toEqual([REMEMBERED_NEW.series, REMEMBERED_STRANGER.series]);
    // The session without a row is dead as well; the newer one, the stranger's and the keys live.
    expect(outcome.cached.sort()).toEqual([NEW, API_KEY, STRANGER, SERVICE, row('5', T0 + 60_900, 9), row('6', T0, 10)].map(({ accessToken }) => accessToken).sort());
    expect(outcome.cachedLogins).toEqual(['dave|x']);
    expect(outcome.otherThing).toBe('stays');
    expect(outcome.log).toContainEqual(['Token::delete', { loginToken: [OWN, OTHER, PENDING].map(({ loginToken }) => loginToken) }]);
    expect(outcome.log).toContainEqual(['RememberMe::delete', { id: [1, 2] }]);
    // The calling PHP session goes, before the token it was made from.
    const calls = outcome.log.map(([name]) => name);
    expect(calls.indexOf('oldLogout')).toBeGreaterThan(-1);
    expect(calls.indexOf('oldLogout')).toBeLessThan(calls.indexOf('Token::delete'));
  });

  it('ends everything for the service key, which stays, and answers 0 the second time', () => {
    const outcome = run({ method: 'endAll', ...asService, params: { address: 'carol@mail.test', issuedBefore: CHANGED } });
    expect(outcome.result).toMatchObject({ ended: { sessions: 3, remembered: 2 } });
    expect(outcome.log.map(([name]) => name)).not.toContain('oldLogout');
    expect(outcome.tokens).toContain(SERVICE.loginToken);
    const again = run({ method: 'endAll', ...asService, params: { address: 'carol@mail.test', issuedBefore: T0 - 1 }, cachedLogins: {} });
    expect(again.result).toMatchObject({ ended: { sessions: 0, remembered: 0, rememberedAlone: 0, cachedSessions: 0, cachedLogins: 0 } });
    expect(again.log.map(([name]) => name)).not.toContain('Token::delete');
  });

  it('does not call it done where the models did not delete', () => {
    expect(run({ method: 'endAll', ...asCarol, params: { issuedBefore: CHANGED }, failDelete: true }).error).toMatchObject({ type: 'runtimeException' });
  });

  it('searches the cache on disk too, and empties one that cannot be searched', () => {
    const folder = mkdtempSync(join(tmpdir(), 'drop-in-'));
    try {
      mkdirSync(join(folder, 'cache/disk'), { recursive: true });
      const onDisk = run({ method: 'endAll', ...asCarol, cache: 'Disk', folder, params: { issuedBefore: CHANGED }, cacheOnly: [row('5', T0 + 100, 8)] });
      expect(onDisk.result).toMatchObject({ ended: { cachedSessions: 1, cachedLogins: 2 } });
      expect(onDisk.cachedLogins).toEqual(['dave|x']);
      expect(onDisk.otherThing).toBe('stays');
    } finally {
      rmSync(folder, { recursive: true });
    }
    const elsewhere = run({ method: 'endAll', ...asCarol, cache: 'Memcached', params: { issuedBefore: CHANGED } });
    expect(elsewhere.log).toContainEqual(['cache.flush', false]);
    expect(elsewhere.cachedLogins).toEqual([]);
  });

  it('forgets cached log-ins of one user only', () => {
    const outcome = run({ method: 'forgetLogins', ...asService, params: { address: 'carol@mail.test' } });
    expect(outcome.result).toEqual({ cachedLogins: 2 });
    expect(outcome.cachedLogins).toEqual(['dave|x']);
    expect(outcome.tokens).toHaveLength(7);
  });

  it("puts the new password into the user's own e-mail accounts, for the service only, after asking the mail server", () => {
    const emailAccounts = [
      { user_id: 5, username: 'carol@mail.test', smtp_username: 'carol@mail.test' },
      { user_id: 5, username: 'another@elsewhere.test', smtp_username: '' },
      { user_id: 6, username: 'carol@mail.test', smtp_username: '' },
    ];
    const call = { method: 'refreshMail', emailAccounts, mailPasswords: { 'carol@mail.test': 'New-pass-22' } };
    const params = { address: 'carol@mail.test', password: 'New-pass-22' };
    const outcome = run({ ...call, ...asService, params });
    expect(outcome.result).toEqual({ accounts: 1 });
    expect(outcome.log.filter(([name]) => name === 'Account::save')).toEqual([['Account::save', 'carol@mail.test', { check: true, ignoreAcl: true, smtp: true }]]);
    expect(run({ ...call, ...asCarol, params }).error).toMatchObject({ type: 'forbidden' });
    expect(run({ ...call, ...asService, params: { ...params, password: 'wrong' } }).error).toMatchObject({ type: 'imapAuthenticationFailedException' });
    expect(run({ ...call, ...asService, params, modules: [] }).result).toEqual({ accounts: 0 });
  });
});
