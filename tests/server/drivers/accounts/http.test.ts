import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { parse } from 'yaml';
import { ERRORS } from '../../../../module/errors.ts';
import driver from '../../../../server/drivers/accounts/http.ts';
import type { AccountApi } from '../../../../server/ports/accountApi.ts';
import { Secret } from '../../../../server/secret.ts';
import { type MailcowMailbox, startMailcowDouble } from '../../../fixtures/mailcowDouble.ts';
import { freePort, runToEnd } from '../../../services/process.ts';
import { codeOf, describeAccountApi } from '../../../suites/accountApiSuite.ts';
import { probeAccountApi } from '../../../suites/accountHttpChecks.ts';

const root = join(__dirname, '../../../..');
const within = (ms = 20_000) => ({ signal: AbortSignal.timeout(ms) });
const secret = (value: string) => new Secret(value);
const KEY = 'a-key-of-the-provider-1234';
const ALICE = { address: 'alice@example.test', password: 'Wonder-land-7' };
const BOB = { address: 'bob@example.test', password: 'Builder-can-8' };
const CAROL = { address: 'carol@example.test', password: 'Singing-bells-9' };

const lines: string[] = [];
const context = { name: 'http', dataDir: '/nowhere', clock: { now: () => Date.now() }, log: pino({ level: 'trace' }, { write: (line: string) => { lines.push(line); } }) };
const create = (options: object): Promise<AccountApi> => driver.create(driver.options.validateSync(options, { strict: true, abortEarly: false }) as never, context);
const problems = (options: object): string => { try { driver.options.validateSync(options, { strict: true, abortEarly: false }); return ''; } catch (error) { return String((error as { errors: string[] }).errors); } };

/** Our own API's reference implementation, in a process of its own. */
async function startReference(): Promise<{ url: string; stop: () => Promise<void> }> {
  const seed = [{ ...ALICE, recoveryAddress: 'alice@elsewhere.test', language: 'pt_BR' }, BOB, { ...CAROL, enabled: false, displayName: 'Carol' }, { address: 'dora@other.test', password: 'Other-one-1' }];
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', join(root, 'tests/fixtures/accountApiServer.ts')], {
    cwd: root, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ACCOUNT_API_KEY: KEY, ACCOUNT_API_SEED: JSON.stringify(seed) },
  });
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => { const told = /listening (\d+)/.exec(chunk.toString())?.[1]; if (told !== undefined) resolve(told); });
    child.once('exit', () => { reject(new Error('the reference implementation ended')); });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      const ended = new Promise((resolve) => { child.once('exit', resolve); });
      child.kill('SIGKILL');
      await ended;
    },
  };
}

describeAccountApi('http, our own account API', async () => {
  const reference = await startReference();
  return {
    api: await create({ preset: 'mailboxPassword', baseUrl: reference.url, apiKey: KEY }),
    first: ALICE, second: BOB, locked: CAROL,
    unreachable: async () => create({ preset: 'mailboxPassword', baseUrl: `http://127.0.0.1:${String(await freePort())}`, apiKey: KEY }),
    teardown: () => reference.stop(),
  };
});

describeAccountApi('http, our own account API 1.1', async () => {
  const reference = await startReference();
  return {
    api: await create({ preset: 'mailboxPassword-1.1', baseUrl: reference.url, apiKey: KEY }),
    first: ALICE, second: BOB, locked: CAROL, comparesVersion: true,
    unreachable: async () => create({ preset: 'mailboxPassword-1.1', baseUrl: `http://127.0.0.1:${String(await freePort())}`, apiKey: KEY }),
    teardown: () => reference.stop(),
  };
});

it('http: a provider of version 1.0 is sent nothing of 1.1', async () => {
  const bodies: string[] = [];
  const stub = await startStub((seen, response) => {
    if (seen.method === 'POST') bodies.push(seen.body);
    json(response, 200, seen.method === 'POST' ? { changed: true } : { address: ALICE.address, enabled: true, passwordVersion: 'v1' });
  });
  const api = await create({ preset: 'mailboxPassword', baseUrl: stub.url, apiKey: KEY });
  expect(api.abilities.requireChange).toBe(false);
  expect(await codeOf(api.setPassword(ALICE.address, secret('Brand-new-1'), { ...within(), requireChange: true }))).toBe('OPERATION_NOT_SUPPORTED');
  expect(await codeOf(api.requireChange?.(ALICE.address, true, within()) ?? Promise.resolve())).toBe('OPERATION_NOT_SUPPORTED');
  await api.setPassword(ALICE.address, secret('Brand-new-1'), { ...within(), expectedVersion: await api.passwordVersion(ALICE.address, within()) });
  expect(bodies).toEqual(['{"newPassword":"Brand-new-1"}']);
  const newer = await create({ preset: 'mailboxPassword-1.1', baseUrl: stub.url, apiKey: KEY });
  await newer.setPassword(ALICE.address, secret('{mark}{version}'), { ...within(), expectedVersion: await newer.passwordVersion(ALICE.address, within()) });
  await newer.setPassword(ALICE.address, secret('Brand-new-2'), within());
  expect(bodies.slice(1).map((body) => JSON.parse(body) as object)).toEqual([
    { newPassword: '{mark}{version}', changeRequired: false, passwordVersion: 'v1' }, { newPassword: 'Brand-new-2', changeRequired: false, passwordVersion: null },
  ]);
  await Promise.all([api.close(), newer.close(), stub.stop()]);
});

it.each(['mailboxPassword', 'mailboxPassword-1.1'])('http, %s: the recovery address and the language of the owner are told where the provider has them', async (preset) => {
  const reference = await startReference();
  const api = await create({ preset, baseUrl: reference.url, apiKey: KEY });
  const [alice, bob] = [await api.find(ALICE.address, within()), await api.find(BOB.address, within())];
  await Promise.all([api.close(), reference.stop()]);
  expect(alice).toMatchObject({ recoveryAddress: 'alice@elsewhere.test', language: 'pt-BR' });
  for (const name of ['recoveryAddress', 'language']) expect(bob).not.toHaveProperty(name);
});

it('http: an API of any make can have the mark, as it spells it', async () => {
  const bodies: string[] = [];
  const stub = await startStub((seen, response) => {
    if (seen.method !== 'GET') bodies.push(seen.body);
    json(response, 200, { mail: ALICE.address, must: 'yes' });
  });
  const find = { path: '/{address}', result: { address: '/mail', changeRequired: { pointer: '/must', oneOf: ['yes'] } } };
  const mark = { on: 'yes', off: 'no' };
  const operations = { find, set: { path: '/set/{address}', form: { pw: '{password}', must: '{mark}' }, mark }, requireChange: { method: 'PUT', path: '/must/{address}', body: { must: '{mark}' }, mark } };
  const api = await create({ baseUrl: stub.url, operations });
  await expect(api.find(ALICE.address, within())).resolves.toMatchObject({ changeRequired: true });
  await api.requireChange?.(ALICE.address, true, within());
  await api.setPassword(ALICE.address, secret('Brand-new-1'), within());
  expect(bodies).toEqual(['{"must":"yes"}', 'pw=Brand-new-1&must=no']);
  expect(problems({ baseUrl: stub.url, operations: { ...operations, set: { path: '/set/{address}', form: { pw: '{password}' } } } })).toMatch(/\{mark\} in set/);
  expect(problems({ baseUrl: stub.url, operations: { ...operations, find: { path: '/{address}' } } })).toMatch(/find\.result\.changeRequired/);
  expect(problems({ baseUrl: stub.url, operations: { ...operations, set: { path: '/set/{address}/{version}', form: { pw: '{password}', must: '{mark}' } } } })).toMatch(/no version/);
  await Promise.all([api.close(), stub.stop()]);
});

it('http: an administrator whose dialog shows an older password is told, and nothing is set', async () => {
  const reference = await startReference();
  const api = await create({ preset: 'mailboxPassword', baseUrl: reference.url, apiKey: KEY });
  const seen = await api.passwordVersion(BOB.address, within());
  await api.setPassword(BOB.address, secret('First-of-two-1'), { ...within(), expectedVersion: seen });
  expect(await codeOf(api.setPassword(BOB.address, secret('Second-of-two-2'), { ...within(), expectedVersion: seen }))).toBe('ACCOUNT_CHANGED_MEANWHILE');
  expect(await api.verifyPassword(BOB.address, secret('First-of-two-1'), within())).toBe(true);
  await api.close();
  await reference.stop();
});

const cows = (): Map<string, MailcowMailbox> => new Map([
  [ALICE.address, { password: ALICE.password, active: 1, authsource: 'mailcow', name: 'Alice' }],
  [BOB.address, { password: BOB.password, active: 1, authsource: 'mailcow', name: 'Bob' }],
  [CAROL.address, { password: CAROL.password, active: 2, authsource: 'mailcow', name: 'Carol' }],
  ['eve@example.test', { password: 'Elsewhere-1', active: 1, authsource: 'keycloak', name: 'Eve' }],
]);

describeAccountApi('http, mailcow', async () => {
  const cow = await startMailcowDouble(KEY, cows());
  return {
    api: await create({ preset: 'mailcow', baseUrl: cow.url, apiKey: KEY }),
    first: ALICE, second: BOB, locked: CAROL, refusesPassword: (password) => password.startsWith('{PLAIN}'),
    unreachable: async () => create({ preset: 'mailcow', baseUrl: `http://127.0.0.1:${String(await freePort())}`, apiKey: KEY }),
    teardown: () => cow.stop(),
  };
});

describe('http: mailcow', () => {
  let cow: Awaited<ReturnType<typeof startMailcowDouble>>;
  let api: AccountApi;
  beforeAll(async () => {
    cow = await startMailcowDouble(KEY, cows());
    api = await create({ preset: 'mailcow', baseUrl: cow.url, apiKey: KEY });
  });
  afterAll(async () => { await api.close(); await cow.stop(); });

  it('sets: the new password counts and the old one does not', async () => {
    await api.setPassword(ALICE.address, secret('Brand-new/1 "q" \\'), within());
    expect(cow.accepts(ALICE.address, 'Brand-new/1 "q" \\')).toBe(true);
    expect(cow.accepts(ALICE.address, ALICE.password)).toBe(false);
    expect(cow.accepts(BOB.address, BOB.password)).toBe(true);
  });

  it('asks for a new password by mailcow\'s own mark, and a set without it takes it away; another directory\'s mailbox has none', async () => {
    const before = await (await fetch(`${cow.url}/api/v1/get/mailbox/${BOB.address}`, { headers: { 'x-api-key': KEY } })).json() as object;
    await api.requireChange?.(BOB.address, true, within());
    const after = await (await fetch(`${cow.url}/api/v1/get/mailbox/${BOB.address}`, { headers: { 'x-api-key': KEY } })).json() as object;
    expect(after).toEqual({ ...before, attributes: { force_pw_update: '1', imap_access: '1', sogo_access: '1' } });
    expect(cow.accepts(BOB.address, BOB.password)).toBe(true);
    await expect(api.find(BOB.address, within())).resolves.toMatchObject({ changeRequired: true });
    await api.setPassword(BOB.address, secret(BOB.password), within());
    await expect(api.find(BOB.address, within())).resolves.toMatchObject({ changeRequired: false });
    expect(await codeOf(api.requireChange?.('eve@example.test', true, within()) ?? Promise.resolve())).toBe('ACCOUNT_NOT_CHANGEABLE');
  });

  it('knows that "danger" under HTTP 200 is a refusal', async () => {
    cow.complexity.length = 30;
    expect(await codeOf(api.setPassword(BOB.address, secret('Too-short-1'), within()))).toBe('PASSWORD_REJECTED_BY_SERVER');
    cow.complexity.length = 6;
    expect(cow.accepts(BOB.address, BOB.password)).toBe(true);
  });

  it('refuses what mailcow would answer with a false success', async () => {
    expect(await codeOf(api.setPassword('eve@example.test', secret('Brand-new-2'), within()))).toBe('ACCOUNT_NOT_CHANGEABLE');
    expect(cow.accepts('eve@example.test', 'Elsewhere-1')).toBe(true);
    for (const odd of ['0', '{BLF-CRYPT}$2y$10$abc', '{plain}Easy-1'])
      expect(await codeOf(api.setPassword(BOB.address, secret(odd), within()))).toBe('PASSWORD_REJECTED_BY_SERVER');
    expect(await codeOf(api.setPassword(BOB.address, secret(`Aa1!${'x'.repeat(69)}`), within()))).toBe('PASSWORD_TOO_LONG_FOR_SCHEME');
    expect(cow.accepts(BOB.address, BOB.password)).toBe(true);
  });

  it('tells which mailboxes may log in, and never takes a word of the API for a mailbox', async () => {
    expect(await api.find(CAROL.address, within())).toEqual({ address: CAROL.address, enabled: false, passwordChangedAt: null, displayName: 'Carol', changeRequired: false });
    for (const word of ['all', 'reduced', 'template']) expect(await api.find(word, within())).toBeNull();
    expect((await api.listMailboxes({ domain: 'example.test', search: '', cursor: null, limit: 10 }, within())).mailboxes).toHaveLength(4);
    expect((await api.listMailboxes({ domain: 'example.test,other.test', search: '', cursor: null, limit: 10 }, within())).mailboxes).toEqual([]);
  });

  it('says misconfigured for a wrong key and for a key that may only read', async () => {
    const other = await create({ preset: 'mailcow', baseUrl: cow.url, apiKey: 'another-key-5678' });
    expect(await codeOf(other.check(within()))).toBe('ACCOUNTS_MISCONFIGURED');
    expect(await codeOf(other.find(ALICE.address, within()))).toBe('ACCOUNTS_MISCONFIGURED');
    cow.readOnly.on = true;
    expect(await codeOf(api.setPassword(BOB.address, secret('Brand-new-3'), within()))).toBe('ACCOUNTS_MISCONFIGURED');
    cow.readOnly.on = false;
    await other.close();
  });

  it('puts no password into a URL', () => {
    expect(cow.requests.length).toBeGreaterThan(5);
    for (const line of cow.requests) expect(decodeURIComponent(line)).not.toMatch(/Brand-new|Too-short/);
  });
});

interface Seen { readonly method: string; readonly url: string; readonly headers: IncomingMessage['headers']; readonly body: string }

/** A real HTTP server that answers what a test tells it to, and keeps what it got. */
async function startStub(answer: (seen: Seen, response: ServerResponse, request: IncomingMessage) => void, tls?: { key: Buffer; cert: Buffer }) {
  const seen: Seen[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.on('end', () => {
      const got = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString('utf8') };
      seen.push(got);
      answer(got, response, request);
    });
  };
  const server: Server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const { port } = server.address() as AddressInfo;
  return {
    seen, port, url: `http${tls === undefined ? '' : 's'}://127.0.0.1:${String(port)}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}

const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
};

describe('http: faults', () => {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => { for (const stop of stops.splice(0)) await stop(); });

  /** Our own API; `find` answers well, everything else as told. */
  async function faulty(answer: (seen: Seen, response: ServerResponse, request: IncomingMessage) => void, more: object = {}) {
    const stub = await startStub((seen, response, request) => {
      if (seen.method === 'GET' && seen.url === `/accounts/${encodeURIComponent(ALICE.address)}`) {
        json(response, 200, { address: ALICE.address, enabled: true, displayName: null, passwordChangedAt: null, passwordVersion: 'v' });
      } else answer(seen, response, request);
    });
    const api = await create({ preset: 'mailboxPassword', baseUrl: stub.url, apiKey: KEY, timeoutMs: 400, ...more });
    stops.push(() => api.close(), () => stub.stop());
    return {
      api, stub,
      verify: () => codeOf(api.verifyPassword(ALICE.address, secret('Old-one-1'), within())),
      change: () => codeOf(api.changePassword(ALICE.address, secret('Old-one-1'), secret('New-one-2'), within())),
      set: () => codeOf(api.setPassword(ALICE.address, secret('New-one-2'), within())),
      find: (address = BOB.address) => codeOf(api.find(address, within())),
    };
  }
  const writes = (stub: { seen: readonly Seen[] }) => stub.seen.filter(({ url }) => /\/(change|set)$/.test(url)).length;

  it.each([
    [500, 'ACCOUNTS_UNAVAILABLE', 'ACCOUNTS_OUTCOME_UNKNOWN'], [502, 'ACCOUNTS_UNAVAILABLE', 'ACCOUNTS_OUTCOME_UNKNOWN'],
    [503, 'ACCOUNTS_UNAVAILABLE', 'ACCOUNTS_OUTCOME_UNKNOWN'], [504, 'ACCOUNTS_UNAVAILABLE', 'ACCOUNTS_OUTCOME_UNKNOWN'],
    [429, 'ACCOUNTS_UNAVAILABLE', 'ACCOUNTS_UNAVAILABLE'], [401, 'ACCOUNTS_MISCONFIGURED', 'ACCOUNTS_MISCONFIGURED'],
    [404, 'ACCOUNTS_MISCONFIGURED', 'ACCOUNTS_MISCONFIGURED'], [202, 'ACCOUNTS_MISCONFIGURED', 'ACCOUNTS_OUTCOME_UNKNOWN'],
    [301, 'ACCOUNTS_MISCONFIGURED', 'ACCOUNTS_MISCONFIGURED'], [303, 'ACCOUNTS_MISCONFIGURED', 'ACCOUNTS_OUTCOME_UNKNOWN'],
  ])('HTTP %i, which no description names: %s for a question, %s for a write, which is sent once', async (status, question, write) => {
    const { stub, verify, change, set, find } = await faulty((_seen, response) => { json(response, status, { code: 'OTHER' }); });
    expect([await verify(), await find()]).toEqual([question, question]);
    expect([await change(), await set()]).toEqual([write, write]);
    expect(writes(stub)).toBe(2);
  });

  it('asks a question once more where the answer was passing, a write never', async () => {
    let count = 0;
    const { api, stub, set } = await faulty((seen, response) => {
      count += 1;
      if (count === 1 || seen.method === 'POST') json(response, 503, {});
      else json(response, 404, { code: 'ACCOUNT_NOT_FOUND' });
    });
    expect(await api.find(BOB.address, within())).toBeNull();
    expect(count).toBe(2);
    await set();
    expect(writes(stub)).toBe(1);
  });

  it('does not follow redirects, and takes no credential anywhere else', async () => {
    const trap = await startStub((_seen, response) => { json(response, 200, { verified: true, changed: true, address: BOB.address }); });
    stops.push(() => trap.stop());
    for (const status of [301, 302, 303, 307, 308]) {
      const { api, verify, set, change, find } = await faulty((seen, response) => { response.writeHead(status, { Location: `${trap.url}${seen.url}` }); response.end(); });
      expect(await verify()).toBe('ACCOUNTS_MISCONFIGURED');
      expect(await find()).toBe('ACCOUNTS_MISCONFIGURED');
      for (const code of [await set(), await change()]) expect(code).toBe(status === 302 || status === 303 ? 'ACCOUNTS_OUTCOME_UNKNOWN' : 'ACCOUNTS_MISCONFIGURED');
      expect(await codeOf(api.check(within()))).toBe('ACCOUNTS_MISCONFIGURED');
    }
    expect(trap.seen).toEqual([]);
  });

  it('gives up a slow answer in time: unavailable, or unknown after a write', async () => {
    const { verify, change, set, api } = await faulty(() => undefined);
    const before = Date.now();
    expect(await verify()).toBe('ACCOUNTS_UNAVAILABLE');
    expect(await change()).toBe('ACCOUNTS_OUTCOME_UNKNOWN');
    expect(await set()).toBe('ACCOUNTS_OUTCOME_UNKNOWN');
    expect(Date.now() - before).toBeLessThan(4000);
    const abort = new AbortController();
    setTimeout(() => { abort.abort(); }, 100);
    const started = Date.now();
    expect(await codeOf(api.changePassword(ALICE.address, secret('a'), secret('New-one-2'), { signal: abort.signal }))).toBe('ACCOUNTS_OUTCOME_UNKNOWN');
    expect(Date.now() - started).toBeLessThan(350);
  });

  it('gives up an answer that trickles', async () => {
    const { change } = await faulty((_seen, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      const drip = setInterval(() => { response.write(' '); }, 20);
      response.on('close', () => { clearInterval(drip); });
    });
    expect(await change()).toBe('ACCOUNTS_OUTCOME_UNKNOWN');
  });

  it('says unknown where the connection is cut after a write, before or within the answer', async () => {
    for (const cut of ['before', 'within'] as const) {
      const { stub, change, set, verify } = await faulty((_seen, response) => {
        if (cut === 'before') response.socket?.destroy();
        else {
          response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' });
          response.write('{"changed":true,');
          setTimeout(() => response.socket?.destroy(), 20);
        }
      });
      expect(await verify()).toBe('ACCOUNTS_UNAVAILABLE');
      expect(await change()).toBe('ACCOUNTS_OUTCOME_UNKNOWN');
      expect(await set()).toBe('ACCOUNTS_OUTCOME_UNKNOWN');
      expect(writes(stub)).toBe(2);
    }
  });

  it('says unavailable, nothing changed, where no connection stands', async () => {
    const api = await create({ preset: 'mailboxPassword', baseUrl: `http://127.0.0.1:${String(await freePort())}`, apiKey: KEY });
    expect(await codeOf(api.changePassword(ALICE.address, secret('a'), secret('New-one-2'), within()))).toBe('ACCOUNTS_UNAVAILABLE');
    await api.close();
    const nowhere = await create({ preset: 'mailboxPassword', baseUrl: 'https://nobody.invalid', apiKey: KEY });
    expect(await codeOf(nowhere.changePassword(ALICE.address, secret('a'), secret('New-one-2'), within()))).toBe('ACCOUNTS_UNAVAILABLE');
    await nowhere.close();
  });

  it('stops reading an answer of 1 MiB', async () => {
    const { verify, change } = await faulty((_seen, response) => { json(response, 200, { verified: true, changed: true, more: 'x'.repeat(1_048_576) }); });
    expect(await verify()).toBe('ACCOUNTS_MISCONFIGURED');
    expect(await change()).toBe('ACCOUNTS_OUTCOME_UNKNOWN');
  });

  it.each(['', 'OK', '{"verified":true,"changed":true', '<html>Log in</html>', '[]', 'null', '"true"', '{"verified":"true","changed":1}', '{"verified":{"equals":true}}'])('takes %j under 200 for no success', async (body) => {
    const { verify, change, find } = await faulty((_seen, response) => { response.writeHead(200, { 'Content-Type': 'application/json' }); response.end(body); });
    expect(await verify()).toBe('ACCOUNTS_MISCONFIGURED');
    expect(await find()).toBe('ACCOUNTS_MISCONFIGURED');
    expect(await change()).toBe('ACCOUNTS_OUTCOME_UNKNOWN');
  });

  it('takes bytes that are no UTF-8 for no answer', async () => {
    const { verify } = await faulty((_seen, response) => { response.writeHead(200); response.end(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])); });
    expect(await verify()).toBe('ACCOUNTS_MISCONFIGURED');
  });

  it('does not take another mailbox\'s data for the one asked for', async () => {
    const { api } = await faulty((_seen, response) => { json(response, 200, { address: ALICE.address, enabled: true }); });
    expect(await api.find(BOB.address, within())).toBeNull();
    expect(await codeOf(api.setPassword(BOB.address, secret('New-one-2'), within()))).toBe('ACCOUNT_NOT_FOUND');
  });

  it('maps every code of our own API, and no code under another status', async () => {
    for (const code of ['CURRENT_PASSWORD_WRONG', 'ACCOUNT_LOCKED', 'ACCOUNT_CHANGED_MEANWHILE', 'ACCOUNT_NOT_CHANGEABLE', 'PASSWORD_REJECTED_BY_SERVER',
      'PASSWORD_IN_HISTORY', 'PASSWORD_CHANGE_TOO_SOON', 'PASSWORD_TOO_LONG_FOR_SCHEME', 'ACCOUNT_AMBIGUOUS', 'OPERATION_NOT_SUPPORTED'] as const) {
      const { change } = await faulty((_seen, response) => { json(response, ERRORS[code].status, { code }); });
      expect(await change()).toBe(code);
      const other = await faulty((_seen, response) => { json(response, 500, { code }); });
      expect(await other.change()).toBe('ACCOUNTS_OUTCOME_UNKNOWN');
    }
  });

  it('speaks TLS only with whom it trusts', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mailbox-password-tls-'));
    const certificate = (name: string, subject: string) => {
      runToEnd('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=x',
        '-addext', `subjectAltName=${subject}`, '-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.pem`)]);
      return { key: readFileSync(join(folder, `${name}.key`)), cert: readFileSync(join(folder, `${name}.pem`)) };
    };
    const good = await startStub((_seen, response) => { json(response, 200, { changed: true, changedAt: 5 }); }, certificate('good', 'IP:127.0.0.1'));
    const other = await startStub((_seen, response) => { json(response, 200, { changed: true }); }, certificate('other', 'DNS:other.test'));
    stops.push(() => good.stop(), () => other.stop());
    const to = (baseUrl: string, caFile?: string) => create({ preset: 'mailboxPassword', baseUrl, apiKey: KEY, ...(caFile !== undefined && { caFile: join(folder, caFile) }) });
    const change = (api: AccountApi) => api.changePassword(ALICE.address, secret('a'), secret('New-one-2'), within());
    expect(await change(await to(good.url, 'good.pem'))).toEqual({ changedAt: 5 });
    expect(await codeOf(change(await to(good.url)))).toBe('ACCOUNTS_MISCONFIGURED');
    expect(await codeOf(change(await to(other.url, 'other.pem')))).toBe('ACCOUNTS_MISCONFIGURED');
    expect(other.seen).toEqual([]);
    expect(await codeOf(to(good.url, 'absent.pem'))).toBe('ACCOUNTS_MISCONFIGURED');
    rmSync(folder, { recursive: true });
  });

  it('says no secret in errors and log lines', async () => {
    const { api } = await faulty((seen, response) => { json(response, 500, { echo: seen.body, key: seen.headers.authorization }); });
    const errors = await Promise.all([
      api.changePassword(ALICE.address, secret('Old-one-1'), secret('New-one-2'), within()), api.verifyPassword(ALICE.address, secret('Old-one-1'), within()),
    ].map((promise) => (promise as Promise<unknown>).catch((error: unknown) => error as Error)));
    const said = errors.map((error) => `${String(error)} ${JSON.stringify(error)} ${String((error as Error).cause)} ${String((error as Error).stack)}`).join() + lines.join();
    expect(said).not.toMatch(/Old-one|New-one|a-key-of/);
  });
});

describe('http: a described API', () => {
  let stub: Awaited<ReturnType<typeof startStub>>;
  let answer: (seen: Seen) => readonly [number, unknown] = () => [200, {}];
  beforeAll(async () => { stub = await startStub((seen, response) => { json(response, ...answer(seen)); }); });
  afterAll(() => stub.stop());
  const last = () => stub.seen.at(-1);

  const operations = {
    find: { path: '/v2/{domain}/users/{local}?full=1', result: { address: '/data/0/mail', enabled: { pointer: '/data/0/state', oneOf: ['on'] }, changedAt: { pointer: '/data/0/since', format: 'iso' } },
      errors: [{ where: [{ pointer: '/data', equals: [] }], code: 'ACCOUNT_NOT_FOUND' }] },
    verify: { path: '/v2/check', form: { user: '{address}', pass: '{password}', 'odd&key': '1' }, success: { where: [{ pointer: '/ok', equals: 1 }] }, errors: [{ where: [{ pointer: '/ok', equals: 0 }], code: 'CURRENT_PASSWORD_WRONG' }] },
    set: { method: 'PUT', path: '/v2/users', headers: { 'X-Scope': 'write' }, body: { user: { mail: '{address}', nested: [{ secret: '{password}' }, 7, null, true] }, '{address}': 'kept' }, success: { status: [204, 200] } },
    listMailboxes: { path: '/v2/{domain}/users?q={search}&from={cursor}&n={limit}', items: '/data', nextCursor: '/next', result: { address: '/mail' } },
  };
  const api = () => create({ baseUrl: `${stub.url}/base/`, headers: { 'X-Key': 'k' }, operations });

  it('replaces structurally: no value becomes JSON, a form field, a path or a placeholder', async () => {
    const odd = `","admin":true,"x":"\\ &=+%00{address}{currentPassword}é\u{1F600}\n`;
    answer = (seen) => (seen.method === 'GET' ? [200, { data: [{ mail: "o'a&b?c#d%2e;e=+@example.test", state: 'on' }] }] : [200, {}]);
    const own = await api();
    await own.setPassword("o'a&b?c#d%2e;e=+@example.test", secret(odd), within());
    expect(JSON.parse(last()?.body ?? '')).toEqual({ user: { mail: "o'a&b?c#d%2e;e=+@example.test", nested: [{ secret: odd }, 7, null, true] }, '{address}': 'kept' });
    expect(last()).toMatchObject({ method: 'PUT', url: '/base/v2/users', headers: { 'x-key': 'k', 'x-scope': 'write', 'content-type': 'application/json' } });
    expect(stub.seen.at(-2)?.url).toBe("/base/v2/example.test/users/o'a%26b%3Fc%23d%252e%3Be%3D%2B?full=1");
    answer = () => [200, { ok: 1 }];
    expect(await own.verifyPassword(ALICE.address, secret(odd), within())).toBe(true);
    expect(Object.fromEntries(new URLSearchParams(last()?.body))).toEqual({ user: ALICE.address, pass: odd, 'odd&key': '1' });
  });

  it('is nobody where the name would be another path', async () => {
    const own = await api();
    const before = stub.seen.length;
    for (const name of ['a/../bob@example.test', '..@example.test', '.@example.test', '/@example.test', 'a\\b@example.test', 'alice@example.test/../x', '@example.test', 'alice@..']) {
      expect(await own.find(name, within())).toBeNull();
      expect(await codeOf(own.setPassword(name, secret('New-one-2'), within()))).toBe('ACCOUNT_NOT_FOUND');
    }
    expect(stub.seen.length).toBe(before);
  });

  it('has the abilities that are described', async () => {
    const own = await api();
    expect(own.abilities).toEqual({ verifyPassword: true, changePassword: false, setPassword: true, listDomains: false, listMailboxes: true, requireChange: false, maxPasswordBytes: null });
    expect(await codeOf(own.changePassword(ALICE.address, secret('a'), secret('b'), within()))).toBe('OPERATION_NOT_SUPPORTED');
    expect(await codeOf(own.listDomains('', within()))).toBe('OPERATION_NOT_SUPPORTED');
    expect(await own.passwordVersion(ALICE.address, within())).toBeNull();
  });

  it('reads answers where the description says', async () => {
    const own = await api();
    answer = () => [200, { data: [{ mail: 'Alice@Example.test', state: 'off', since: '2026-01-02T03:04:05Z' }] }];
    expect(await own.find(ALICE.address, within())).toEqual({ address: 'Alice@Example.test', enabled: false, passwordChangedAt: Date.UTC(2026, 0, 2, 3, 4, 5) });
    answer = () => [200, { data: [] }];
    expect(await own.find(ALICE.address, within())).toBeNull();
    answer = () => [200, { ok: 2 }];
    expect(await codeOf(own.verifyPassword(ALICE.address, secret('x'), within()))).toBe('ACCOUNTS_MISCONFIGURED');
  });

  it('passes pages on, and keeps other domains and what does not match out', async () => {
    const own = await api();
    answer = () => [200, { data: [{ mail: 'a@example.test' }, { mail: 'b@other.test' }, { mail: 'c@sub.example.test' }], next: 17 }];
    expect(await own.listMailboxes({ domain: 'example.test', search: 'a', cursor: 'p&q=1', limit: 3 }, within())).toEqual({
      mailboxes: [{ address: 'a@example.test', enabled: true, passwordChangedAt: null }], nextCursor: '17',
    });
    expect(last()?.url).toBe('/base/v2/example.test/users?q=a&from=p%26q%3D1&n=3');
    expect(await codeOf(own.listMailboxes({ domain: 'example.test', search: '', cursor: null, limit: 2 }, within()))).toBe('ACCOUNTS_MISCONFIGURED');
    answer = () => [200, { data: [{ name: 'x' }] }];
    expect(await codeOf(own.listMailboxes({ domain: 'example.test', search: '', cursor: null, limit: 2 }, within()))).toBe('ACCOUNTS_MISCONFIGURED');
  });

  it('lists every problem of a configuration', () => {
    const base = { baseUrl: 'https://api.example.com', operations };
    const change = (over: object, name = 'set') => problems({ ...base, operations: { ...operations, [name]: { ...(operations as unknown as Record<string, object>)[name], ...over } } });
    expect(problems(base)).toBe('');
    expect(problems({ ...base, baseUrl: 'http://api.example.com' })).toMatch(/https/);
    expect(problems({ ...base, baseUrl: 'http://api.example.com', insecure: true })).toBe('');
    expect(problems({ ...base, baseUrl: 'https://user:pw@api.example.com' })).toMatch(/baseUrl/);
    expect(problems({ baseUrl: 'https://api.example.com' })).toMatch(/describe set or change/);
    expect(problems({ ...base, apiKey: '12345678' })).toMatch(/preset/);
    expect(problems({ ...base, headers: { Host: 'x' } })).toMatch(/headers/);
    expect(problems({ ...base, headers: { 'X-A': 'a\r\nX-B: b' } })).toMatch(/headers/);
    expect(problems({ ...base, other: 1 })).toMatch(/other/);
    expect(problems({ ...base, refusedPasswords: ['('] })).toMatch(/regular expression/);
    expect(change({ path: '/users/{address}/{password}' })).toMatch(/no password/);
    expect(change({ path: '//evil.test/' })).toMatch(/no \/\//);
    expect(change({ path: 'users' })).toMatch(/start with/);
    expect(change({ body: { mail: '{address}', secret: 'x' } })).toMatch(/must send \{password\}/);
    expect(change({ body: { secret: '{password}' } })).toMatch(/must send \{address\}/);
    expect(change({ body: { mail: '{address}', p: '{password}', x: '{username}' } })).toMatch(/\{username\}/);
    expect(change({ method: 'GET' })).toMatch(/GET has no body/);
    expect(change({ method: 'DELETE' })).toMatch(/method/);
    expect(change({ safe: true })).toMatch(/safe/);
    expect(change({ errors: [{ status: [400], code: 'INTERNAL' }] })).toMatch(/code/);
    expect(change({ errors: [{ code: 'ACCOUNT_NOT_FOUND' }] })).toMatch(/status or where/);
    expect(change({ success: { where: [{ pointer: 'x', equals: 1 }] } })).toMatch(/JSON pointer/);
    expect(change({ success: { where: [{ pointer: '/x' }] } })).toMatch(/exactly one/);
    expect(change({ result: undefined }, 'listMailboxes')).toMatch(/result\.address/);
  });
});

type Altered = { url: string; headers: Record<string, string>; body: string };

/** The reference implementation with something wrong in front of it. */
const WRONG: readonly (readonly [label: string, sentence: RegExp, { before?: (seen: Altered) => void | Promise<void>; after?: (seen: Altered, status: number, body: Record<string, unknown>) => readonly [number, unknown] }])[] = [
  ['says success for a mailbox that is not there', /An administrator sets/, { after: ({ url }, status, body) => (url.endsWith('/set') && status === 404 ? [200, { changed: true }] : [status, body]) }],
  ['asks for no key', /without the key/, { before: (seen) => { seen.headers['authorization'] = `Bearer ${KEY}`; } }],
  ['cuts passwords at 72 bytes', /Every password/, { before: (seen) => { seen.body = seen.body.replaceAll(/"((?:\\.|[^"\\]){72})(?:\\.|[^"\\])+"/g, '"$1"'); } }],
  ['trims passwords', /Every password/, { before: (seen) => { seen.body = seen.body.replaceAll(/:" +| +"(?=[,}])/g, (blank) => blank.trim()); } }],
  ['cuts at NUL', /Every password/, { before: (seen) => { seen.body = seen.body.replaceAll(/\\u0000[^"]*/g, ''); } }],
  ['takes % for a wildcard', /Mailboxes of a domain|Domains are listed/, { before: (seen) => { seen.url = seen.url.replaceAll('%25', ''); } }],
  ['tells unknown from wrong in verify', /The right password is verified/, { after: ({ url }, status, body) => (url.includes('nobody') && url.endsWith('/verify') ? [404, { code: 'ACCOUNT_NOT_FOUND' }] : [status, body]) }],
  ['works longer where there is a mailbox', /take the same time/, { before: ({ url }) => (url.endsWith('/verify') && !url.includes('nobody') ? sleep(60) : undefined) }],
  ['redirects', /A mailbox is found/, { after: ({ url }, status, body) => (url.endsWith('test') ? [308, {}] : [status, body]) }],
  ['trims names', /Names made to break/, { before: (seen) => { seen.url = seen.url.replaceAll(/%20|%0A/g, ''); } }],
  ['tells no 409 in a race but 200', /six changes at once/, { after: ({ url }, status, body) => (url.endsWith('/change') && (status === 409 || body['code'] === 'CURRENT_PASSWORD_WRONG') ? [200, { changed: true }] : [status, body]) }],
  ['repeats the password', /A change counts at once/, { after: ({ body: sent }, status, body) => (sent.includes('newPassword') ? [status, { ...body, echo: sent }] : [status, body]) }],
  ['gives the hash as passwordVersion', /A mailbox is found/, { after: (_seen, status, body) => [status, 'passwordVersion' in body ? { ...body, passwordVersion: '{BLF-CRYPT}$2y$10$abc' } : body] }],
  ['gives too many', /page by page/, { before: (seen) => { seen.url = seen.url.replace('limit=1', 'limit=2'); } }],
  ['takes anything for a field', /A body that is no JSON object/, { after: ({ url }, status, body) => (url.endsWith('/verify') && (status === 422 || status === 400) ? [200, { verified: false }] : [status, body]) }],
];

describe('http: the conformance test for providers', () => {
  let reference: Awaited<ReturnType<typeof startReference>>;
  beforeAll(async () => { reference = await startReference(); });
  afterAll(() => reference.stop());
  const target = (url: string) => ({ url, key: KEY, first: ALICE, second: BOB, locked: CAROL });
  const failing = async (url: string): Promise<string[]> => {
    const failed: string[] = [];
    for await (const { sentence, outcome, detail } of probeAccountApi(target(url))) if (outcome !== 'holds') failed.push(`${sentence} (${detail ?? ''})`);
    return failed;
  };

  it('finds that the reference implementation holds, twice: it sets the passwords back', async () => {
    expect(await failing(reference.url)).toEqual([]);
    expect(await failing(reference.url)).toEqual([]);
  }, 60_000);

  it.each(WRONG)('finds a server that %s', async (_label, sentence, { before, after }) => {
    const own = await startReference();
    const proxy = await startStub((seen, response) => {
      void (async () => {
        const altered: Altered = { url: seen.url, headers: { authorization: seen.headers.authorization ?? '', 'content-type': seen.headers['content-type'] ?? '' }, body: seen.body };
        await before?.(altered);
        const answer = await fetch(`${own.url}${altered.url}`, { method: seen.method, headers: altered.headers, ...(seen.method === 'POST' && { body: altered.body }) });
        const body = (await answer.json()) as Record<string, unknown>;
        json(response, ...(after?.(altered, answer.status, body) ?? [answer.status, body] as const));
      })();
    });
    const failed = await failing(proxy.url);
    await proxy.stop();
    await own.stop();
    expect(failed.filter((line) => sentence.test(line))).not.toEqual([]);
  }, 60_000);

  it('runs on the command line', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mailbox-password-probe-'));
    writeFileSync(join(folder, 'key'), `${KEY}\n`);
    writeFileSync(join(folder, 'accounts'), JSON.stringify({ first: ALICE, second: BOB }));
    const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'tests/suites/accountHttpConformance.ts'), '--url', `${reference.url}/`, '--key-file', join(folder, 'key'), '--accounts-file', join(folder, 'accounts')], { cwd: root });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => { said += chunk.toString(); });
    expect(await new Promise((resolve) => { child.once('close', resolve); })).toBe(0);
    expect(said).toMatch(/18 hold, 0 fail, 0 not offered/);
    rmSync(folder, { recursive: true });
  }, 60_000);
});

describe('http: docs', () => {
  it('the description of our own API names exactly the codes and paths that the preset knows', () => {
    const document = parse(readFileSync(join(root, 'docs/account-api.openapi.yaml'), 'utf8')) as { openapi: string; paths: object; components: { schemas: { Problem: { properties: { code: { enum: string[] } } } } } };
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths).sort()).toEqual(['/accounts/{address}', '/accounts/{address}/change', '/accounts/{address}/require-change', '/accounts/{address}/set', '/accounts/{address}/verify', '/domains', '/mailboxes']);
    for (const code of document.components.schemas.Problem.properties.code.enum) expect(Object.keys(ERRORS)).toContain(code);
  });

  it('the page names every option', () => {
    const page = readFileSync(join(root, 'docs/drivers/accounts-http.md'), 'utf8');
    for (const key of Object.keys(driver.options.fields)) expect(page).toContain(`\`${key}\``);
    let examples = 0;
    for (const block of page.matchAll(/```yaml\n# accounts\n([\s\S]*?)```/g)) {
      const entry = (parse(block[1] ?? '') as { accounts: Record<string, unknown>[] }).accounts.find(({ driver: named }) => named === 'http') ?? {};
      const options = Object.fromEntries(Object.entries(entry).filter(([key]) => !['driver', 'domains', 'verify'].includes(key)));
      const plain = JSON.parse(JSON.stringify(options, (_key, value: unknown) => (typeof value === 'object' && value !== null && 'file' in value ? 'a-key-of-the-provider' : value))) as object;
      expect(problems(plain)).toBe('');
      examples += 1;
    }
    expect(examples).toBe(3);
  });
});
