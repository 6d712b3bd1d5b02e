import { readdirSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { GroupOfficeDouble } from '../../fixtures/groupOfficeDouble/groupOfficeDouble.ts';
import { LOGIN_CACHE_MS, type DoubleState, type DoubleToken } from '../../fixtures/groupOfficeDouble/state.ts';

/**
 * Every exchange recorded at a real Group-Office 26.0.42 is sent to the double, which must answer the same: status, reason,
 * content type, cookies with their attributes, body. What differs by nature (tokens, times, state strings) is compared
 * by type. `SEEDS` says in which situation each recording was made; a recording without a seed fails.
 */
interface Recording {
  readonly request: { readonly method: string; readonly path: string; readonly headers: Record<string, string>; readonly body: unknown };
  readonly response: {
    readonly status: number;
    readonly reason: string;
    readonly contentType: string;
    readonly cacheControl: string | null;
    readonly setCookie: readonly string[];
    readonly body: unknown;
  };
}

const FOLDER = join(process.cwd(), 'tests/fixtures/groupOfficeDouble/recordings');
const FILES = readdirSync(FOLDER).filter((file) => file.endsWith('.json')).sort();
const load = (file: string): Recording => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Recording;

const USERS = { admin: '1', alice: '2', bob: '3', erin: '4', carol: '5' } as const;

interface Seed {
  /** Whose the token in the request is; `nobody` = no such token is known. */
  readonly as?: keyof typeof USERS | 'nobody';
  /** The row of the token is gone and the cache still has it. */
  readonly cacheOnly?: true;
  readonly arrange?: (state: DoubleState, token: DoubleToken | null) => void;
  /** The double answers fewer properties; each must be in the recording with the same value. */
  readonly subset?: true;
}

const aliceHas = (password: string) => (state: DoubleState) => {
  state.users.get(USERS.alice)!.password = password;
};
const mailbox = (password: string) => (state: DoubleState) => {
  state.mailServer.set('carol@mail.test', password);
};
const accountKeeps = (stored: string, real: string) => (state: DoubleState) => {
  mailbox(real)(state);
  state.addEmailAccount({ userId: USERS.carol, username: 'carol@mail.test', password: stored });
};
const imap = (state: DoubleState): void => void state.imapDomains.add('mail.test');
const noImap = (state: DoubleState): void => state.imapDomains.clear();
const demo = (readers: Set<string> | null) => (state: DoubleState) => {
  state.modules.set('demo/mbxdemo', { id: '25', package: 'demo', name: 'mbxdemo', readers, managers: new Set() });
};
const hasFolder = (folder: string, moduleId: number) => (state: DoubleState) => {
  state.folders.add(folder);
  state.nextIdIs(moduleId);
};
const apiKeyOf = (userId: string) => (state: DoubleState) => {
  const token = state.addToken({ userId, expiresAt: null });
  state.apiKeys.set('1', { id: '1', name: 'demo key', accessToken: token.accessToken! });
};
const both =
  (...steps: ((state: DoubleState, token: DoubleToken | null) => void)[]) =>
  (state: DoubleState, token: DoubleToken | null) => {
    for (const step of steps) step(state, token);
  };
const justSignedIn = (username: string, password: string) => (state: DoubleState) => {
  if (typeof state.passwordLogin(username, password) !== 'object') throw new Error('seed: the log-in was refused');
};

/** Somebody local in the place of carol, and half a log-in of his where one is answered. */
const carl = (password: string, marked: boolean) => (state: DoubleState): void => {
  state.usersVisible = true;
  Object.assign(state.users.get(USERS.carol)!, { username: 'carl', email: 'carl@local.test', password, forcePasswordChange: marked });
  state.addToken({ userId: USERS.carol, loginToken: CARL_LOGIN, accessToken: null, csrfToken: null, passed: ['password'] });
};
const CARL_LOGIN = (load('07-login-marked.json').response.body as { loginToken: string }).loginToken;
const bothDomains = (state: DoubleState): void => void state.imapDomains.add('example.test').add('mail.test');

/** Before the `03` recordings no mail server was configured. */
const SEEDS: Readonly<Record<string, Seed>> = {
  '01-jmap-post-bearer-no-csrf': { as: 'alice' },
  '01-jmap-post-cookie-and-csrf': { as: 'alice' },
  '01-jmap-post-cookie-bad-csrf': { as: 'alice', arrange: (_, token) => void (token!.csrfToken = 'the-right-one') },
  '01-jmap-post-cookie-csrf-in-query': { as: 'alice' },
  '01-jmap-post-cookie-no-csrf': { as: 'alice' },
  '01-jmap-post-cookie-wins-over-bearer': { as: 'alice' },
  '01-jmap-post-no-token': {},
  '01-login-bad-password': {},
  '01-login-disabled-user': {},
  '01-login-invalid-token': {},
  '01-login-malformed-json': {},
  '01-login-missing-args': {},
  '01-login-not-json': {},
  '01-login-ok': {},
  '01-login-ok-remember': {},
  '01-login-rememberme-unknown': {},
  '01-login-unknown-user': {},
  '01-logout-no-csrf': { as: 'alice' },
  '01-logout-no-token': {},
  '01-logout-ok': { as: 'alice' },
  '01-session-after-logout': { as: 'nobody' },
  '01-session-bearer': { as: 'alice' },
  '01-session-bogus-token': { as: 'nobody' },
  '01-session-cookie-no-csrf': { as: 'alice' },
  '01-session-no-token': {},
  '02-admin-sets-other-user-password': { as: 'admin' },
  '02-apikey-after-password-change': { as: 'alice', arrange: (_, token) => void (token!.expiresAt = null) },
  '02-apikey-create': { as: 'admin' },
  '02-caller-jmap-post-after-clients-empty': { as: 'alice' },
  '02-caller-session-after-clients-empty': { as: 'alice' },
  '02-check-current-password-only': { as: 'alice' },
  '02-check-current-password-only-wrong': { as: 'alice' },
  '02-jmap-post-after-raw-sql-delete': { as: 'alice', cacheOnly: true },
  '02-new-password-login-ok': { arrange: aliceHas('New-pass-22') },
  '02-old-password-after-change': { arrange: both(justSignedIn('alice', 'Alicepass-1'), aliceHas('New-pass-22')) },
  '02-other-session-after-change': { as: 'nobody' },
  '02-other-warm-session-66s-after-clients-empty': { as: 'alice', cacheOnly: true },
  '02-other-warm-session-after-clients-empty': { as: 'alice', cacheOnly: true },
  '02-rememberme-after-change': {},
  '02-rememberme-after-clients-empty': {},
  '02-session-after-raw-sql-delete': { as: 'alice', cacheOnly: true },
  '02-set-clients-empty-logout-all': { as: 'alice' },
  '02-set-clients-empty-with-apikey-dberror': { as: 'alice', arrange: apiKeyOf(USERS.alice) },
  '02-set-clients-empty-with-warm-other-session': { as: 'alice' },
  '02-set-password-empty': { as: 'alice' },
  '02-set-password-empty-current': { as: 'alice' },
  '02-set-password-no-current': { as: 'alice' },
  '02-set-password-of-other-user-forbidden': { as: 'alice' },
  '02-set-password-ok': { as: 'alice' },
  '02-set-password-ok-with-apikey': { as: 'alice', arrange: both(aliceHas('New-pass-22'), apiKeyOf(USERS.alice)) },
  '02-set-password-same-as-old': { as: 'alice', arrange: aliceHas('New-pass-22') },
  '02-set-password-too-long': { as: 'alice' },
  '02-set-password-too-short': { as: 'alice' },
  '02-set-password-wrong-current': { as: 'alice' },
  '02-user-get-clients': {
    as: 'alice',
    arrange: (state) => {
      const linux = 'Mozilla/5.0 (X11; Linux x86_64)';
      const chrome = `${linux} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36`;
      const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
      state.clients.clear();
      for (const [id, name, version] of [[4, 'Chrome', chrome], [5, 'Firefox', firefox]] as const) {
        state.clients.set(id, { id, name, version, platform: 'Linux', ip: '127.0.0.1', lastSeen: 0, createdAt: 0, userId: USERS.alice });
      }
    },
  },
  '03-imap-email-messages-after-mailbox-change': { as: 'carol', arrange: both(imap, accountKeeps('Mailpass-1', 'Mailpass-2')) },
  '03-imap-email-messages-after-new-login': { as: 'carol', arrange: both(imap, accountKeeps('Mailpass-1', 'Mailpass-2'), justSignedIn('carol@mail.test', 'Mailpass-2')) },
  '03-imap-email-messages-ok': { as: 'carol', arrange: both(imap, accountKeeps('Mailpass-1', 'Mailpass-1')) },
  '03-imap-email-tree-after-mailbox-change': { as: 'carol', arrange: both(imap, accountKeeps('Mailpass-1', 'Mailpass-2')) },
  '03-imap-email-tree-after-new-login': { as: 'carol', arrange: both(imap, accountKeeps('Mailpass-2', 'Mailpass-2')) },
  '03-imap-email-tree-ok': { as: 'carol', arrange: both(imap, accountKeeps('Mailpass-1', 'Mailpass-1')) },
  '03-imap-login-bad-password': { arrange: imap },
  '03-imap-login-new-password': { arrange: both(imap, mailbox('Mailpass-2')) },
  '03-imap-login-ok': { arrange: imap },
  '03-imap-login-old-password-within-60s': { arrange: both(imap, justSignedIn('carol@mail.test', 'Mailpass-1'), mailbox('Mailpass-2')) },
  '03-imap-login-with-local-password-after-user-set': {
    arrange: both(imap, mailbox('Mailpass-2'), (state) => void (state.users.get(USERS.carol)!.password = 'Local-pass-9')),
  },
  '03-imap-user-get': { as: 'carol', arrange: imap },
  '03-imap-user-get-full': { as: 'carol', arrange: imap, subset: true },
  '03-imap-user-set-password': { as: 'carol', arrange: both(imap, mailbox('Mailpass-2')) },
  '03-imap-user-set-wrong-current': { as: 'carol', arrange: imap },
  '03-imapauthserver-create': { as: 'admin', arrange: both(noImap, (state) => state.nextIdIs(3)) },
  '03-session-no-token-with-imap-domain': { arrange: imap },
  '03-user-get-authenticators-without-username-notfound': { as: 'carol', arrange: imap },
  '04-jmap-post-after-endall': { as: 'nobody', arrange: imap },
  '04-module-endall': {
    as: 'carol',
    arrange: both(imap, demo(null), (state, token) => {
      for (let more = 0; more < 7; more++) state.addToken({ userId: USERS.carol });
      for (let more = 0; more < 2; more++) state.addRememberMe({ userId: USERS.carol, clientId: token!.clientId });
    }),
  },
  '04-module-install-third-party': { as: 'admin', arrange: hasFolder('demo/mbxdemo', 25), subset: true },
  '04-module-method-call-admin': { as: 'admin', arrange: demo(null) },
  '04-module-method-call-user': { as: 'alice', arrange: demo(null) },
  '04-module-method-forbidden': { as: 'alice', arrange: demo(new Set()) },
  '04-module-method-missing': { as: 'alice', arrange: demo(null) },
  '04-module-not-there': { as: 'alice', arrange: demo(null) },
  '04-module-refreshmail-ok': { as: 'carol', arrange: both(imap, demo(null), accountKeeps('Mailpass-5', 'Mailpass-6')) },
  '04-module-refreshmail-wrong': { as: 'carol', arrange: both(imap, demo(null), accountKeeps('Mailpass-5', 'Mailpass-6')) },
  '04-old-password-after-endall-cache-purged': { arrange: both(imap, mailbox('Mailpass-5')) },
  '04-rememberme-after-endall': { arrange: imap },
  '05-core-echo-no-token': {},
  '05-module-info': { as: 'carol', arrange: both(imap, demo(null), accountKeeps('Mailpass-1', 'Mailpass-1')) },
  '05-session-get-identity': { as: 'carol', arrange: imap },
  '05-user-get-all-ids-null': { as: 'carol', arrange: imap },
  '05-user-get-identity': { as: 'carol', arrange: imap },
  '05-user-get-invalid-token': { as: 'nobody', arrange: imap },
  '05-user-get-missing-csrf': { as: 'carol', arrange: imap },
  '06-module-install-apikeys': { as: 'admin', arrange: hasFolder('community/apikeys', 24), subset: true },
  '06-module-install-imapauthenticator': { as: 'admin', arrange: hasFolder('community/imapauthenticator', 23), subset: true },
  '07-forced-missing': { arrange: carl('Carl-pass-1', true) },
  '07-forced-not-answered': { arrange: carl('Carl-pass-1', true) },
  '07-forced-ok': { arrange: both(bothDomains, carl('Carl-pass-1', true)), subset: true },
  '07-forced-same': { arrange: carl('Carl-pass-1', true) },
  '07-forced-short': { arrange: carl('Carl-pass-1', true) },
  '07-forced-wrong-current': { arrange: carl('Carl-pass-1', true) },
  '07-get-marked': { as: 'admin', arrange: carl('Carl-pass-1', true) },
  '07-login-marked': { arrange: carl('Carl-pass-1', true) },
  '07-mark': { as: 'admin', arrange: carl('Carl-pass-1', false) },
  '07-mark-again': { as: 'admin', arrange: carl('Carl-pass-1', true) },
  '07-mark-without-right': { as: 'alice', arrange: carl('Carl-pass-6', false) },
  '07-set-password-and-mark': { as: 'admin', arrange: carl('Carl-pass-3', false) },
  '07-set-password-and-mark-of-marked': { as: 'admin', arrange: carl('Carl-pass-4', true) },
  '07-set-password-and-mark-twice': { as: 'admin', arrange: carl('Carl-pass-5', true) },
  '07-set-password-of-marked': { as: 'admin', arrange: carl('Carl-pass-2', true) },
  '07-set-password-without-right': { as: 'alice', arrange: carl('Carl-pass-6', false) },
  '07-unmark': { as: 'admin', arrange: carl('Carl-pass-6', true) },
};

/** Made by a service in front of Group-Office, not by Group-Office: the host driver's own test takes these. */
const OF_A_SERVICE = /^05-node-whoami-/;

/** Differ by nature from one run to the next. */
const BY_TYPE = new Set([
  'accessToken', 'CSRFToken', 'loginToken', 'rememberMeToken', 'state', 'oldState', 'newState', 'queryState', 'createdAt', 'lastSeen', 'icon',
]);
/** Present only where the second changed since the last save; lists of everything that is installed; a number, or once it was cached a text; null where it is switched off. */
const IGNORED = new Set(['modifiedAt', 'capabilities', 'cacheClearedAt', 'eventSourceUrl']);

function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  const out: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    if (IGNORED.has(key)) continue;
    out[key] = BY_TYPE.has(key) && (inner === null || typeof inner !== 'object') ? `<${inner === null ? 'null' : typeof inner}>` : comparable(inner);
  }
  return out;
}

/** Whether everything in `part` stands in `whole`. */
function contained(part: unknown, whole: unknown, path: string): void {
  if (typeof part !== 'object' || part === null) return expect({ [path]: whole }).toEqual({ [path]: part });
  expect(typeof whole).toBe('object');
  for (const [key, inner] of Object.entries(part)) contained(inner, (whole as Record<string, unknown>)[key], `${path}.${key}`);
}

/** Name and attributes of each cookie, values and times left out; PHP's own session cookie comes only with a cold token. */
function cookieShapes(cookies: readonly string[]): string[] {
  return cookies
    .filter((cookie) => !cookie.startsWith('groupoffice='))
    .map((cookie) =>
      cookie
        .replace(/^([^=]+)=(deleted|[^;]*)/, (_, name: string, value: string) => `${name}=${value === 'deleted' ? 'deleted' : '<value>'}`)
        .replace(/expires=[^;]+/, 'expires=<time>')
        .replace(/Max-Age=6047\d\d/, 'Max-Age=6047xx')
        .replace(/; domain=127\.0\.0\.1/, ''),
    )
    .sort();
}

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly contentType: string;
  readonly cacheControl: string | null;
  readonly setCookie: string[];
  readonly body: unknown;
}

function send(url: string, { method, path, headers, body }: Recording['request']): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(new URL(path, url), { method, headers: { 'User-Agent': 'Mozilla/5.0', ...headers, Host: '127.0.0.1' } }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          reason: incoming.statusMessage ?? '',
          contentType: incoming.headers['content-type'] ?? '',
          cacheControl: incoming.headers['cache-control'] ?? null,
          setCookie: incoming.headers['set-cookie'] ?? [],
          body: JSON.parse(text) as unknown,
        }),
      );
    });
    outgoing.on('error', reject);
    if (body !== null) outgoing.write(typeof body === 'string' ? body : JSON.stringify(body));
    outgoing.end();
  });
}

function seed(state: DoubleState, name: string, recording: Recording, how: Seed): void {
  state.addUser({ id: USERS.admin, username: 'admin', email: 'admin@example.test', isAdmin: true, password: 'Adminpass-1' });
  state.addUser({ id: USERS.alice, username: 'alice', email: 'alice@example.test', password: 'Alicepass-1' });
  state.addUser({ id: USERS.bob, username: 'bob', email: 'bob@example.test', password: 'Bobpass-11', enabled: false });
  state.addUser({ id: USERS.erin, username: 'erin', email: 'erin@example.test', password: 'Erinpass-1' });
  state.addUser({ id: USERS.carol, username: 'carol@mail.test', groups: ['2', '3', '8'] });
  state.mailServer.set('carol@mail.test', 'Mailpass-1');
  if (/^0[456]/.test(name)) imap(state);
  const { headers, path } = recording.request;
  const sent = /accessToken=([^;]+)/.exec(headers.Cookie ?? '')?.[1] ?? /Bearer (.+)/.exec(headers.Authorization ?? '')?.[1];
  let token: DoubleToken | null = null;
  if (sent !== undefined && how.as === undefined) throw new Error(`${name}: whose is the token?`);
  if (sent !== undefined && how.as !== undefined && how.as !== 'nobody') {
    const csrfToken = headers['X-CSRF-Token'] ?? /CSRFToken=(\w+)/.exec(path)?.[1] ?? 'not-sent';
    token = state.addToken({ userId: USERS[how.as], accessToken: sent, csrfToken });
    state.clients.clear();
    if (how.cacheOnly) {
      state.tokenCache.set(sent, token);
      state.deleteTokenRows((row) => row.accessToken === sent);
    }
  }
  how.arrange?.(state, token);
}

describe('the Group-Office double', () => {
  let double: GroupOfficeDouble;

  beforeEach(async () => {
    double = await GroupOfficeDouble.start();
  });
  afterEach(() => double.stop());

  it('has a seed for every recording and no seed without one', () => {
    const names = FILES.map((file) => file.replace('.json', '')).filter((name) => !OF_A_SERVICE.test(name));
    expect(names.length).toBeGreaterThan(90);
    expect(Object.keys(SEEDS).sort()).toEqual(names.sort());
  });

  it.each(Object.entries(SEEDS))('answers %s as recorded', async (name, how) => {
    const recording = load(`${name}.json`);
    seed(double.state, name, recording, how);
    const answer = await send(double.url, recording.request);
    const { status, reason, contentType, cacheControl } = recording.response;
    expect(answer).toMatchObject({ status, reason, contentType, cacheControl });
    expect(cookieShapes(answer.setCookie)).toEqual(cookieShapes(recording.response.setCookie));
    if (how.subset) contained(comparable(answer.body), comparable(recording.response.body), 'body');
    else expect(comparable(answer.body)).toEqual(comparable(recording.response.body));
  });

  it('keeps the old password good for 60 seconds after a change, and not for 61', async () => {
    const { state } = double;
    let now = 1_800_000_000_000;
    state.now = () => now;
    state.addUser({ username: 'alice', password: 'Alicepass-1' });
    await double.signIn('alice', 'Alicepass-1');
    state.userByName('alice')!.password = 'New-pass-22';
    now += LOGIN_CACHE_MS - 1;
    await expect(double.signIn('alice', 'Alicepass-1')).resolves.toMatchObject({ rememberMe: null });
    now += 2;
    await expect(double.signIn('alice', 'Alicepass-1')).rejects.toThrow('401');
  });

  it('keeps a warm session alive when its row goes, and ends it when the model deletes it', async () => {
    const { state } = double;
    state.addUser({ username: 'alice', password: 'Alicepass-1' });
    const warm = await double.signIn('alice', 'Alicepass-1');
    const cold = await double.signIn('alice', 'Alicepass-1');
    expect(await double.alive(warm.accessToken)).toBe(true);
    state.deleteTokenRows(() => true);
    expect(await double.alive(warm.accessToken)).toBe(true);
    expect(await double.alive(cold.accessToken)).toBe(false);
    const third = await double.signIn('alice', 'Alicepass-1');
    expect(await double.alive(third.accessToken)).toBe(true);
    expect(state.deleteTokens(() => true)).toBe(1);
    expect(await double.alive(third.accessToken)).toBe(false);
  });

  it('does not log out on DELETE without the CSRF token, whatever it answers', async () => {
    double.state.addUser({ username: 'alice', password: 'Alicepass-1' });
    const session = await double.signIn('alice', 'Alicepass-1');
    const drop = (headers: Record<string, string>) => fetch(`${double.url}/api/auth.php`, { method: 'DELETE', headers: { Cookie: `accessToken=${session.accessToken}`, ...headers } });
    expect((await drop({})).status).toBe(200);
    expect(await double.alive(session.accessToken)).toBe(true);
    expect((await drop({ 'X-CSRF-Token': session.csrfToken })).status).toBe(200);
    expect(await double.alive(session.accessToken)).toBe(false);
  });
});
