import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import { parse } from 'yaml';
import driver from '../../../../server/drivers/verify/imap.ts';
import type { PasswordVerifier } from '../../../../server/ports/passwordVerifier.ts';
import { Secret } from '../../../../server/secret.ts';
import { verifiedAccounts } from '../../../../server/verifiedAccounts.ts';
import { type Certificate, makeCertificate } from '../../../fixtures/certificate.ts';
import { person } from '../../../fixtures/directory.ts';
import { createLdap, searching } from '../../../fixtures/ldapApi.ts';
import { ALICE, BOB, change, logIn, NEW, startService } from '../../../fixtures/service.ts';
import type { Dovecot } from '../../../services/dovecot.ts';
import { dovecotOnLdap } from '../../../services/ldapPlatform.ts';
import { imapClient } from '../../../services/mailClients.ts';
import { freePort } from '../../../services/process.ts';
import { type Slapd, startSlapd } from '../../../services/slapd.ts';
import { tcpTap } from '../../../services/tcpTap.ts';
import { codeOf, describeAccountApi } from '../../../suites/accountApiSuite.ts';

const within = (ms = 20_000) => ({ signal: AbortSignal.timeout(ms) });
const secret = (value: string) => new Secret(value);
const context = { name: 'imap', dataDir: '/nowhere', clock: { now: () => Date.now() }, log: pino({ level: 'silent' }) };
const create = (options: object): Promise<PasswordVerifier> => driver.create(driver.options.validateSync(options, { strict: true, abortEarly: false }) as never, context);
const problems = (options: object): string => { try { driver.options.validateSync(options, { strict: true, abortEarly: false }); return ''; } catch (error) { return String((error as { errors: string[] }).errors); } };
const CAROL = { address: 'carol@example.test', password: 'Singing-bells-9' };
const PEOPLE = `${person('alice', ALICE.password)}\n${person('bob', BOB.password)}\n${person('carol', CAROL.password, 'pwdAccountLockedTime: 000001010000Z\n')}`;

/** A directory that is only asked to set, and Dovecot in front of it that is asked whether a password is right. */
async function setUp(authCache: boolean) {
  const pair: Certificate = makeCertificate();
  const slapd: Slapd = await startSlapd({ ldif: PEOPLE, policy: 'pwdLockout: TRUE\npwdMaxFailure: 1000' });
  const dovecot: Dovecot = await dovecotOnLdap(slapd, { tls: pair, authCache });
  return { pair, slapd, dovecot, stop: async () => { await dovecot.stop(); await slapd.stop(); pair.remove(); } };
}

describeAccountApi('ldap that sets, verified by IMAP over TLS', async () => {
  const { pair, slapd, dovecot, stop } = await setUp(false);
  const api = async (port: number) => verifiedAccounts(await createLdap(searching(slapd)), await create({ host: 'localhost', port, caFile: pair.certificate }));
  return { api: await api(dovecot.imaps), first: ALICE, second: BOB, locked: CAROL, teardown: stop };
});

describe('verify: imap', () => {
  let up: Awaited<ReturnType<typeof setUp>>;
  beforeAll(async () => { up = await setUp(true); }, 60_000);
  afterAll(async () => { await up.stop(); });
  const over = (more: object = {}) => create({ host: 'localhost', port: up.dovecot.imaps, caFile: up.pair.certificate, ...more });
  const verify = (verifier: PasswordVerifier, password: string, who = ALICE.address) => verifier.verify(who, secret(password), within());

  it('by TLS from the start and by STARTTLS: right is right, wrong is wrong, nothing in the clear', async () => {
    for (const [port, more] of [[up.dovecot.imaps, {}], [up.dovecot.imap, { encryption: 'starttls' }]] as const) {
      const tap = await tcpTap(port);
      const verifier = await over({ port: tap.port, ...more });
      expect([await verify(verifier, ALICE.password), await verify(verifier, 'wrong'), await verify(verifier, ''), await verify(verifier, 'whatever', 'nobody@example.test')]).toEqual([true, false, false, false]);
      await verifier.check(within());
      for (const word of [ALICE.password, Buffer.from(`\0${ALICE.address}\0${ALICE.password}`).toString('base64'), 'whatever']) expect(tap.sent().includes(word)).toBe(false);
      expect(tap.sent().length).toBeGreaterThan(200);
      await tap.stop();
    }
  });

  it('refuses a certificate that it has no reason to trust, or for another name; nothing is sent', async () => {
    const verifier = await over({ caFile: undefined });
    for (const attempt of [verify(verifier, ALICE.password), verifier.check(within())]) expect(await codeOf(attempt)).toBe('ACCOUNTS_MISCONFIGURED');
    const starttls = await over({ caFile: undefined, port: up.dovecot.imap, encryption: 'starttls' });
    expect(await codeOf(verify(starttls, ALICE.password))).toBe('ACCOUNTS_MISCONFIGURED');
    const tap = await tcpTap(up.dovecot.imaps, undefined, '127.0.0.2');
    expect(await codeOf(verify(await over({ host: '127.0.0.2', port: tap.port }), ALICE.password))).toBe('ACCOUNTS_MISCONFIGURED');
    expect(tap.connections()).toBe(1);
    await tap.stop();
  });

  /** A server that says what it likes. */
  async function scripted(greeting: string, answer: (line: string) => string) {
    const sockets = new Set<Socket>();
    let heard = '';
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.write(`${greeting}\r\n`);
      socket.on('data', (chunk) => {
        heard += chunk.toString();
        for (const line of chunk.toString().split('\r\n').filter(Boolean)) socket.write(answer(line));
      });
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    return { port: (server.address() as { port: number }).port, heard: () => heard, async stop() { for (const socket of sockets) socket.destroy(); await new Promise((resolve) => { server.close(resolve); }); } };
  }
  const refusing = (text: string) => (line: string): string => {
    const [tag = '', command = ''] = line.split(' ');
    if (command === 'CAPABILITY') return `* CAPABILITY IMAP4rev1\r\n${tag} OK done\r\n`;
    return command === 'LOGIN' ? `${tag} ${text}\r\n` : `${tag} OK done\r\n`;
  };

  it.each([
    ['NO [AUTHENTICATIONFAILED] Authentication failed.', false], ['NO Login failed.', false], ['NO [AUTHORIZATIONFAILED] Not for you', false], ['NO [EXPIRED] Change it', false], ['OK in', true],
    ['NO [UNAVAILABLE] Temporary authentication failure.', 'ACCOUNTS_UNAVAILABLE'], ['NO [INUSE] later', 'ACCOUNTS_UNAVAILABLE'], ['NO [SERVERBUG] oh', 'ACCOUNTS_UNAVAILABLE'],
    ['NO [LIMIT] Too many connections', 'ACCOUNTS_UNAVAILABLE'], ['NO [ALERT] Too many simultaneous connections', 'ACCOUNTS_UNAVAILABLE'], ['NO [PRIVACYREQUIRED] TLS', 'ACCOUNTS_MISCONFIGURED'], ['BAD what', 'ACCOUNTS_UNAVAILABLE'],
  ] as const)('%s is %s', async (text, expected) => {
    const server = await scripted('* OK ready', refusing(text));
    const verifier = await over({ host: '127.0.0.1', port: server.port, encryption: 'none' });
    const outcome = typeof expected === 'string' ? await codeOf(verify(verifier, 'Some-pass-1')) : await verify(verifier, 'Some-pass-1');
    expect(outcome).toBe(expected);
    await server.stop();
  });

  it('a connection that counts as logged in by itself proves nothing; no STARTTLS, no password', async () => {
    const preauth = await scripted('* PREAUTH welcome', refusing('OK in'));
    expect(await codeOf(verify(await over({ host: '127.0.0.1', port: preauth.port, encryption: 'none' }), 'anything'))).toBe('ACCOUNTS_MISCONFIGURED');
    await preauth.stop();
    for (const greeting of ['* OK ready', '* PREAUTH welcome']) {
      const stripped = await scripted(greeting, refusing('OK in'));
      expect(await codeOf(verify(await over({ port: stripped.port, host: '127.0.0.1', encryption: 'starttls' }), 'Some-pass-1'))).toBe('ACCOUNTS_MISCONFIGURED');
      expect(stripped.heard()).not.toContain('Some-pass-1');
      await stripped.stop();
    }
  });

  it('away, silent or out of time: unavailable', async () => {
    expect(await codeOf(verify(await over({ port: await freePort() }), ALICE.password))).toBe('ACCOUNTS_UNAVAILABLE');
    const silent = await scripted('', () => '');
    const began = Date.now();
    expect(await codeOf((await over({ host: '127.0.0.1', port: silent.port, encryption: 'none' })).verify(ALICE.address, secret('x'), within(300)))).toBe('ACCOUNTS_UNAVAILABLE');
    expect(await codeOf(verify(await over({ host: '127.0.0.1', port: silent.port, encryption: 'none', connectTimeoutMs: 200 }), 'x'))).toBe('ACCOUNTS_UNAVAILABLE');
    expect(Date.now() - began).toBeLessThan(3000);
    await silent.stop();
    // Dovecot is there, and what it asks is not: "temporary failure", never "wrong".
    const own = await setUp(false);
    const verifier = await create({ host: 'localhost', port: own.dovecot.imaps, caFile: own.pair.certificate });
    expect(await verify(verifier, ALICE.password)).toBe(true);
    await own.slapd.kill();
    expect(await codeOf(verifier.verify(ALICE.address, secret(ALICE.password), within(40_000)))).toBe('ACCOUNTS_UNAVAILABLE');
    await own.slapd.start();
    await own.dovecot.kill();
    expect(await codeOf(verify(verifier, ALICE.password))).toBe('ACCOUNTS_UNAVAILABLE');
    await own.stop();
  }, 90_000);

  it('as `accounts[].verify` of the service: the whole change, with Dovecot\'s cache on', async () => {
    const service = await startService({ overrides: {
      host: { driver: 'embedded' },
      accounts: [{ driver: 'ldap', domains: ['*'], ...searching(up.slapd), verify: { driver: 'imap', host: 'localhost', port: up.dovecot.imaps, caFile: up.pair.certificate } }],
      sessions: [{ driver: 'embedded', name: 'web' }, { driver: 'dovecot', name: 'mail', backends: [{ url: up.dovecot.url, apiKey: up.dovecot.apiKey }] }],
    } });
    const idle = await imapClient(up.dovecot.imap, ALICE.address, ALICE.password, { idle: true });
    const browser = await logIn(service.app, ALICE);
    const wrong = await change(service.app, browser, { currentPassword: 'Not-this-one-1', newPassword: NEW });
    expect([wrong.statusCode, wrong.json<{ code: string }>().code]).toEqual([422, 'CURRENT_PASSWORD_WRONG']);
    const done = await change(service.app, browser, { currentPassword: ALICE.password, newPassword: NEW });
    expect([done.statusCode, done.json<{ revocation: string }>().revocation]).toEqual([200, 'done']);
    expect(await idle?.alive()).toBe(false);
    expect([await imapClient(up.dovecot.imap, ALICE.address, ALICE.password), (await imapClient(up.dovecot.imap, ALICE.address, NEW)) !== null]).toEqual([null, true]);
    await up.dovecot.kill();
    const down = await change(service.app, await logIn(service.app, BOB), { currentPassword: BOB.password, newPassword: NEW }).catch(() => null);
    expect(down?.statusCode ?? 503).not.toBe(200);
    await up.dovecot.start();
    expect((await imapClient(up.dovecot.imap, BOB.address, BOB.password)) !== null).toBe(true);
    await service.stop();
  }, 60_000);

  it('does not start with what cannot be meant, and the page names every option', () => {
    expect(problems({ host: 'imap.example.com' })).toBe('');
    expect(problems({ host: 'imap.example.com', encryption: 'none' })).toMatch(/insecure/);
    expect(problems({ host: '127.0.0.1', encryption: 'none' })).toBe('');
    expect(problems({})).toMatch(/host/);
    expect(problems({ host: 'x', pass: 1 })).toMatch(/pass/);
    const page = readFileSync(join(__dirname, '../../../../docs/drivers/verify-imap.md'), 'utf8');
    for (const key of Object.keys(driver.options.fields)) expect(page).toContain(`\`${key}\``);
    for (const block of page.matchAll(/```yaml\n([\s\S]*?)```/g)) {
      const { driver: name, ...own } = ((parse(block[1] ?? '') as { accounts: { verify: Record<string, unknown> }[] }).accounts[0] ?? { verify: {} }).verify;
      expect([name, problems(own)]).toEqual(['imap', '']);
    }
  });
});
