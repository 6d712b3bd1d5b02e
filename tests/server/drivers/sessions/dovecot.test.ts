import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import type { SMTPServer } from 'smtp-server';
import { DoveadmClient } from '../../../../server/dovecot/doveadmClient.ts';
import driver from '../../../../server/drivers/sessions/dovecot.ts';
import type { SessionStore } from '../../../../server/ports/sessionStore.ts';
import { startDovecot, type Dovecot } from '../../../services/dovecot.ts';
import { imapClient, type MailClient, pop3Client, sieveClient, submissionClient } from '../../../services/mailClients.ts';
import { freePort, sleep, until } from '../../../services/process.ts';
import { relay } from '../../../services/relay.ts';
import { tcpTap } from '../../../services/tcpTap.ts';
import { describeSessionStore } from '../../../suites/sessionStoreSuite.ts';

const USERS = 'alice@example.test:{PLAIN}old\nbob@example.test:{PLAIN}old\n';
const within = (ms = 20_000) => ({ signal: AbortSignal.timeout(ms) });
const context = { name: 'mail', dataDir: '/nowhere', clock: { now: () => Date.now() }, log: pino({ level: 'silent' }) };
const create = (backends: { url: string; apiKey: string }[], more = {}): Promise<SessionStore> =>
  driver.create(driver.options.validateSync({ backends: backends.map(({ url, apiKey }) => ({ url, apiKey })), ...more }, { strict: true }) as never, context);
const passwd = { passdb: { driver: 'passwd-file', file: 'users' }, files: { users: USERS } } as const;

const must = (client: MailClient | null): MailClient => {
  if (client === null) throw new Error('the log-in was refused');
  return client;
};

describeSessionStore('dovecot', async () => {
  const dovecot = await startDovecot(passwd);
  // Of connections from one client address doveadm cannot end one alone; see below.
  let device = 1;
  return {
    store: await create([dovecot], { secondPassMs: 50 }),
    first: 'alice@example.test', second: 'bob@example.test', choosesIssuedAt: false,
    open: async (address) => { device += 1; const client = must(await imapClient(dovecot.imap, address, 'old', { from: `127.0.0.${String(device)}` })); return () => client.alive(); },
    unreachable: async () => create([{ url: `http://127.0.0.1:${String(await freePort())}`, apiKey: 'x' }]),
    teardown: () => dovecot.stop(),
  };
});

describe('dovecot', () => {
  let dovecot: Dovecot;
  let store: SessionStore;
  let sink: { port: number; server: SMTPServer };
  beforeAll(async () => {
    sink = await relay();
    dovecot = await startDovecot({ ...passwd, relayPort: sink.port });
    store = await create([dovecot]);
  });
  afterAll(async () => {
    await store.close();
    await dovecot.stop();
    await new Promise<void>((resolve) => { sink.server.close(() => { resolve(); }); });
  });
  const revokeAll = (issuedBefore: number, attempt = 1, from = store) => from.revokeAll({ address: 'Alice@Example.Test', issuedBefore, attempt, actor: null }, within());

  it('ends every protocol, counted by channel; another mailbox\'s connections stay', async () => {
    const clients = await Promise.all([
      imapClient(dovecot.imap, 'alice@example.test', 'old'), imapClient(dovecot.imap, 'alice@example.test', 'old', { idle: true }),
      pop3Client(dovecot.pop3, 'alice@example.test', 'old'), submissionClient(dovecot.submission, 'alice@example.test', 'old'),
      sieveClient(dovecot.sieve, 'alice@example.test', 'old'),
    ]);
    const bob = must(await imapClient(dovecot.imap, 'bob@example.test', 'old', { idle: true }));
    expect(await Promise.all(clients.map((client) => must(client).alive()))).toEqual([true, true, true, true, true]);
    expect((await revokeAll(Date.now())).revoked).toEqual({ imap: 2, pop3: 1, submission: 1, managesieve: 1 });
    expect(await Promise.all(clients.map((client) => must(client).alive()))).toEqual([false, false, false, false, false]);
    expect(await bob.alive()).toBe(true);
    bob.close();
  });

  it('ends one device: its connection and what else the mailbox has from that address; nothing from elsewhere, nobody else from there', async () => {
    const open = async (address: string, from: string): Promise<MailClient> => must(await imapClient(dovecot.imap, address, 'old', { from, idle: true }));
    const [phone, alsoPhone, laptop, bob] = [await open('alice@example.test', '127.0.0.7'), await open('alice@example.test', '127.0.0.7'), await open('alice@example.test', '127.0.0.8'), await open('bob@example.test', '127.0.0.7')];
    const sessions = await store.list('Alice@Example.Test', within());
    expect(sessions.map(({ remoteAddress }) => remoteAddress).sort()).toEqual(['127.0.0.7', '127.0.0.7', '127.0.0.8']);
    const id = sessions.find(({ remoteAddress }) => remoteAddress === '127.0.0.7')?.id ?? '';
    expect(await store.revoke('bob@example.test', id, within())).toBe(false);
    expect(await phone.alive()).toBe(true);
    expect(await store.revoke('Alice@Example.Test', id, within())).toBe(true);
    expect([await phone.alive(), await alsoPhone.alive(), await laptop.alive(), await bob.alive()]).toEqual([false, false, true, true]);
    expect(await store.revoke('Alice@Example.Test', id, within())).toBe(false);
    for (const client of [laptop, bob]) client.close();
  });

  const commandsTo = async (options: object, logInMs?: number, hurry = false) => {
    const tap = await tcpTap(Number(new URL(dovecot.url).port));
    const client = must(await imapClient(dovecot.imap, 'alice@example.test', 'old', { idle: true }));
    const tapped = await create([{ url: `http://127.0.0.1:${String(tap.port)}`, apiKey: dovecot.apiKey }], options);
    const began = performance.now();
    // A program that comes back with a password that still counts.
    const again = hurry ? client.ended.then(() => imapClient(dovecot.imap, 'alice@example.test', 'old', { idle: true })) : Promise.resolve(null);
    const { revoked } = await tapped.revokeAll({ address: 'alice@example.test', issuedBefore: Date.now(), attempt: 1, actor: null, logInMs }, within());
    const took = performance.now() - began;
    expect([await client.alive(), await (await again)?.alive()]).toEqual([false, hurry ? false : undefined]);
    const requests = [...tap.sent().toString().matchAll(/^\[\[.*\]\]/gm)].map(([body]) => (JSON.parse(body) as [string][]).map(([command]) => command).join(' '));
    await tap.stop();
    return { requests, took, revoked };
  };
  const PASS = 'authCacheFlush who kick';

  it('flushes before each kick, passes once more after secondPassMs, and asks last of all who is still there', async () => {
    const { requests, took, revoked } = await commandsTo({ secondPassMs: 300 });
    expect(revoked.imap).toBe(1);
    expect(took).toBeGreaterThanOrEqual(300);
    expect(requests).toEqual([PASS, PASS, 'who']);
  });

  it('waits for as long as a look at the password took, twice, where no time is configured', async () => {
    const { requests, took } = await commandsTo({}, 400);
    expect(took).toBeGreaterThanOrEqual(800);
    expect(requests).toEqual([PASS, PASS, 'who']);
  });

  it('passes until nobody new is found: who came in during the second is looked for a third time, counted, and ended', async () => {
    const { requests, revoked } = await commandsTo({ secondPassMs: 300 }, 10, true);
    expect(requests).toEqual([PASS, PASS, PASS, 'who']);
    expect(revoked.imap).toBe(2);
  });

  it('who was kicked and is slow to go is waited for, and counted once; who does not go makes it pending, never done (I3)', async () => {
    const quick = await create([dovecot], { secondPassMs: 50 });
    const client = must(await imapClient(dovecot.imap, 'alice@example.test', 'old'));
    const { rows } = await new DoveadmClient(dovecot, context.clock).call('who', { separateConnections: true, mask: ['alice@example.test'] }, within().signal);
    const pid = Number(rows[0]?.['pid']);
    process.kill(pid, 'SIGSTOP');
    try {
      await expect(quick.revokeAll({ address: 'alice@example.test', issuedBefore: Date.now(), attempt: 1, actor: null }, within(1500))).rejects.toMatchObject({ code: 'SESSIONS_UNAVAILABLE' });
      setTimeout(() => { process.kill(pid, 'SIGCONT'); }, 500);
      expect((await revokeAll(Date.now(), 1, quick)).revoked.imap).toBe(1);
    } finally {
      try { process.kill(pid, 'SIGCONT'); } catch { /* gone, as it should be */ }
    }
    expect(await client.alive()).toBe(false);
  });

  it('tells since when a connection is there, to the second', async () => {
    const before = Math.floor(Date.now() / 1000) * 1000;
    const client = must(await imapClient(dovecot.imap, 'bob@example.test', 'old'));
    await until('the listing', async () => (await store.list('bob@example.test', within())).length === 1);
    const [session] = await store.list('bob@example.test', within());
    expect(session).toMatchObject({ channel: 'imap', remoteAddress: '127.0.0.1' });
    expect(session?.issuedAt).toBeGreaterThanOrEqual(before);
    expect(session?.issuedAt).toBeLessThanOrEqual(Date.now());
    await client.alive();
    await sleep(1100);
    await client.alive();
    expect((await store.list('bob@example.test', within()))[0]?.issuedAt).toBe(session?.issuedAt);
    client.close();
  });

  it('a later try leaves connections that began after the change (I2)', async () => {
    const old = must(await imapClient(dovecot.imap, 'alice@example.test', 'old', { from: '127.0.0.5' }));
    await sleep(1100);
    const changedAt = Date.now();
    await sleep(1100);
    const fresh = must(await imapClient(dovecot.imap, 'alice@example.test', 'old', { from: '127.0.0.6', idle: true }));
    expect((await revokeAll(changedAt, 2)).revoked.imap).toBe(1);
    expect([await old.alive(), await fresh.alive()]).toEqual([false, true]);
    expect((await revokeAll(changedAt, 3)).revoked.imap).toBe(0);
    expect(await fresh.alive()).toBe(true);
  });

  it('asks every back end; one that is down makes the outcome pending, the others are ended all the same', async () => {
    const both = await create([{ url: `http://127.0.0.1:${String(await freePort())}`, apiKey: 'x' }, dovecot]);
    const client = must(await imapClient(dovecot.imap, 'alice@example.test', 'old'));
    await expect(revokeAll(Date.now(), 1, both)).rejects.toMatchObject({ code: 'SESSIONS_UNAVAILABLE' });
    expect(await client.alive()).toBe(false);
  });

  it('a wrong key is a misconfiguration, and stands in no error', async () => {
    const wrong = await create([{ url: dovecot.url, apiKey: 'not-the-key' }]);
    const error: unknown = await wrong.check(within()).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'SESSIONS_MISCONFIGURED' });
    expect(JSON.stringify([error, String(error), (error as Error).stack])).not.toContain('not-the-key');
  });

  it('refuses a key in the clear over the network', () => {
    expect(() => driver.options.validateSync({ backends: [{ url: 'http://imap.example.com:8080', apiKey: 'x' }] }, { strict: true })).toThrow(/loopback/);
    expect(() => driver.options.validateSync({ backends: [{ url: 'https://imap.example.com:8080', apiKey: 'x' }] }, { strict: true })).not.toThrow();
  });
});
