import { afterEach, afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ModuleError } from '../../../module/errors.ts';
import type { Wiring } from '../../../server/wiring.ts';
import { ALICE, alive, BOB, change, logIn, NEW, startService } from '../../fixtures/service.ts';
import { imapClient, type MailClient } from '../../services/mailClients.ts';
import { BACKENDS } from '../../services/mailBackends.ts';
import { type AnyMailPlatform, platformOn } from '../../services/mailPlatform.ts';
import { sleep, until } from '../../services/process.ts';
import { tcpGate } from '../../services/tcpGate.ts';
import { tcpTap } from '../../services/tcpTap.ts';

type Service = Awaited<ReturnType<typeof startService>>;
const states = (clients: readonly MailClient[]) => Promise.all(clients.map((client) => client.alive()));
const all = (value: boolean) => [value, value, value, value, value];
const owed = (service: Service) => service.wiring.outbox.list(10);
const settled = (service: Service) => until('the outbox to empty', async () => { await service.worker.runOnce(); return (await owed(service)).length === 0; });

describe.each(['mariadb', 'postgres', 'ldap'] as const)('mail clients that stay connected, passdb on %s', (engine) => {
  let platform: AnyMailPlatform;
  let service: Service | undefined;
  beforeAll(async () => { platform = await platformOn(await BACKENDS[engine]()); }, 60_000);
  afterAll(async () => { await platform.stop(); });
  afterEach(async () => { await service?.stop(); service = undefined; await platform.seed(); });
  const start = async (more: Parameters<typeof startService>[0] = {}) => {
    const { overrides, ...rest } = more;
    service = await startService({ overrides: { ...platform.overrides, ...overrides }, ...rest });
    return service;
  };
  const go = async (from: Service, who = ALICE) => {
    const browser = await logIn(from.app, who);
    const answer = await change(from.app, browser, { currentPassword: who.password, newPassword: NEW });
    return { browser, status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
  };

  it('after a change all are dead, the old password is refused at once, the new one works, another mailbox is untouched', async () => {
    const from = await start();
    const phone = await logIn(from.app, ALICE);
    const bobsBrowser = await logIn(from.app, BOB);
    const [alices, bobs] = await Promise.all([platform.connect(ALICE.address, ALICE.password), platform.connect(BOB.address, BOB.password)]);
    expect(await platform.accepts(ALICE.address, ALICE.password)).toBe(true);
    const { browser, status, body } = await go(from);
    expect([status, body]).toEqual([200, expect.objectContaining({ revocation: 'done', pending: [], ended: { web: 2, imap: 2, pop3: 1, submission: 1, managesieve: 1 } })]);
    expect(await states(alices)).toEqual(all(false));
    expect(await platform.accepts(ALICE.address, ALICE.password)).toBe(false);
    expect(await platform.accepts(ALICE.address, NEW)).toBe(true);
    expect([await alive(from.app, browser), await alive(from.app, phone), await alive(from.app, bobsBrowser)]).toEqual([false, false, true]);
    expect(await states(bobs)).toEqual(all(true));
    expect(await owed(from)).toEqual([]);
    for (const client of bobs) client.close();
  });

  it('Dovecot down at the change and back later: pending, then done; a session of the new password lives', async () => {
    const from = await start();
    await platform.dovecot.kill();
    const { status, body } = await go(from);
    expect([status, body]).toEqual([200, expect.objectContaining({ revocation: 'pending', pending: ['imap', 'pop3', 'submission', 'managesieve'] })]);
    expect((await owed(from)).map(({ store, state }) => [store, state])).toEqual([['mail', 'confirmed']]);
    await until('a failed retry', async () => { await from.worker.runOnce(); return ((await owed(from))[0]?.attempts ?? 0) >= 2; });
    const ready = await from.app.inject({ url: '/readyz' });
    expect([ready.statusCode, ready.json()]).toEqual([503, { status: 'not ready', down: ['outbox', 'sessions:mail'] }]);
    expect(from.lines.some((line) => line.includes('LOG-OUT OVERDUE') && line.includes('"level":50'))).toBe(true);
    await sleep(1000);
    await platform.dovecot.start();
    expect(await platform.accepts(ALICE.address, ALICE.password)).toBe(false);
    const fresh = await platform.connect(ALICE.address, NEW);
    await settled(from);
    expect(await states(fresh)).toEqual(all(true));
    expect((await from.app.inject({ url: '/readyz' })).statusCode).toBe(200);
    for (const client of fresh) client.close();
  });

  it('doveadm cannot be reached while clients stay connected: the old ones end later, the new ones stay', async () => {
    const gate = await tcpGate(platform.dovecot.doveadm);
    const from = await start({ overrides: { sessions: [{ driver: 'embedded', name: 'web' }, { driver: 'dovecot', name: 'mail', backends: [{ url: `http://127.0.0.1:${String(gate.port)}`, apiKey: platform.dovecot.apiKey }] }] } });
    const old = await imapClient(platform.dovecot.imap, ALICE.address, ALICE.password, { idle: true, from: '127.0.0.8' });
    await sleep(1100);
    gate.shut();
    expect((await go(from)).body).toMatchObject({ revocation: 'pending' });
    await sleep(1100);
    const fresh = await imapClient(platform.dovecot.imap, ALICE.address, NEW, { idle: true, from: '127.0.0.9' });
    await from.worker.runOnce();
    expect([await old?.alive(), await fresh?.alive()]).toEqual([true, true]);
    gate.open();
    await settled(from);
    expect([await old?.alive(), await fresh?.alive()]).toEqual([false, true]);
    expect(await platform.accepts(ALICE.address, ALICE.password)).toBe(false);
    fresh?.close();
    await gate.stop();
  });

  it('the same with sessionsDuringOutage: end: what came in meanwhile is ended too, another mailbox is not', async () => {
    const gate = await tcpGate(platform.dovecot.doveadm);
    const from = await start({ overrides: { sessions: [{ driver: 'embedded', name: 'web' }, { driver: 'dovecot', name: 'mail', sessionsDuringOutage: 'end', backends: [{ url: `http://127.0.0.1:${String(gate.port)}`, apiKey: platform.dovecot.apiKey }] }] } });
    const old = await imapClient(platform.dovecot.imap, ALICE.address, ALICE.password, { idle: true, from: '127.0.0.8' });
    const bob = await imapClient(platform.dovecot.imap, BOB.address, BOB.password, { idle: true });
    await sleep(1100);
    gate.shut();
    expect((await go(from)).body).toMatchObject({ revocation: 'pending' });
    await sleep(1100);
    // The cache still takes the old password: that is why nobody can say who this is.
    const thief = await imapClient(platform.dovecot.imap, ALICE.address, ALICE.password, { idle: true, from: '127.0.0.9' });
    expect([await old?.alive(), await thief?.alive()]).toEqual([true, true]);
    gate.open();
    await settled(from);
    expect([await old?.alive(), await thief?.alive(), await bob?.alive()]).toEqual([false, false, true]);
    expect(await platform.accepts(ALICE.address, ALICE.password)).toBe(false);
    bob?.close();
    await gate.stop();
  });

  it('database down before the record: refused, nothing is owed, everybody stays', async () => {
    const from = await start({ overrides: { timeouts: { accountsMs: 3000, sessionsMs: 5000, hostMs: 5000 } } });
    const clients = await platform.connect(ALICE.address, ALICE.password);
    const browser = await logIn(from.app, ALICE);
    await platform.backend.kill();
    const answer = await change(from.app, browser, { currentPassword: ALICE.password, newPassword: NEW });
    expect([answer.statusCode, answer.json<{ code: string; changed: string }>()]).toEqual([503, expect.objectContaining({ code: 'ACCOUNTS_UNAVAILABLE', changed: 'no' })]);
    expect(await owed(from)).toEqual([]);
    await platform.backend.start();
    expect(await states(clients)).toEqual(all(true));
    expect(await alive(from.app, browser)).toBe(true);
    expect(await platform.accepts(ALICE.address, ALICE.password)).toBe(true);
    for (const client of clients) client.close();
  });

  it('database down after the record, before the write: refused, nothing stays owed, everybody stays', async () => {
    const from = await start({
      overrides: { timeouts: { accountsMs: 3000, sessionsMs: 5000, hostMs: 5000 } },
      decorate: (wiring: Wiring) => ({ ...wiring, outbox: { ...wiring.outbox, record: async (request) => { await wiring.outbox.record(request); await platform.backend.kill(); } } }),
    });
    const clients = await platform.connect(ALICE.address, ALICE.password);
    const { status, body } = await go(from);
    expect([status, body.code, body.changed]).toEqual([503, 'ACCOUNTS_UNAVAILABLE', 'no']);
    expect(await owed(from)).toEqual([]);
    await platform.backend.start();
    expect(await states(clients)).toEqual(all(true));
    expect(await platform.accepts(ALICE.address, ALICE.password)).toBe(true);
    for (const client of clients) client.close();
  });

  it('database down after the write, no answer: "unknown", and the log-out follows by itself', async () => {
    const from = await start({
      overrides: { timeouts: { accountsMs: 3000, sessionsMs: 5000, hostMs: 5000 } },
      decorate: (wiring: Wiring) => ({ ...wiring, accounts: { ...wiring.accounts, changePassword: async (...args) => {
        await wiring.accounts.changePassword(...args);
        await platform.backend.kill();
        throw new ModuleError('ACCOUNTS_OUTCOME_UNKNOWN');
      } } }),
    });
    const clients = await platform.connect(ALICE.address, ALICE.password);
    const { status, body } = await go(from);
    expect([status, body.code, body.changed]).toEqual([504, 'ACCOUNTS_OUTCOME_UNKNOWN', 'unknown']);
    expect(await owed(from)).toHaveLength(2);
    await platform.backend.start();
    await sleep(1100);
    await from.wiring.outbox.retryNow();
    await settled(from);
    expect(await states(clients)).toEqual(all(false));
    expect(await platform.accepts(ALICE.address, ALICE.password)).toBe(false);
    expect(await platform.accepts(ALICE.address, NEW)).toBe(true);
  });
});

describe('LDAP slow past the time-out', () => {
  const backend = async () => {
    const platform = await platformOn(await BACKENDS.ldap());
    const [accounts] = platform.overrides.accounts as { url: string }[];
    return { platform, accounts: accounts as { url: string }, port: Number(new URL(accounts?.url ?? '').port) };
  };

  it('the change was sent and lands, no answer comes: "unknown", and the log-out follows by itself', async () => {
    const { platform, accounts, port } = await backend();
    // Lets everything through but the answers after a password change was sent.
    const tap = await tcpTap(port, '1.3.6.1.4.1.4203.1.11.1');
    let silent = true;
    const service = await startService({
      overrides: { ...platform.overrides, accounts: [{ ...accounts, url: `ldap://127.0.0.1:${String(tap.port)}` }], timeouts: { accountsMs: 1500, sessionsMs: 5000, hostMs: 5000 } },
      // Whether the new password counts cannot be asked either, as long as the directory is slow.
      decorate: (wiring: Wiring) => ({ ...wiring, accounts: { ...wiring.accounts, verifyPassword: async (address, password, call) => {
        if (silent && password.reveal() === NEW) throw new ModuleError('ACCOUNTS_UNAVAILABLE');
        return wiring.accounts.verifyPassword(address, password, call);
      } } }),
    });
    const clients = await platform.connect(ALICE.address, ALICE.password);
    const bobs = await platform.connect(BOB.address, BOB.password);
    const browser = await logIn(service.app, ALICE);
    const answer = await change(service.app, browser, { currentPassword: ALICE.password, newPassword: NEW });
    expect([answer.statusCode, answer.json<{ code: string; changed: string }>()]).toEqual([504, expect.objectContaining({ code: 'ACCOUNTS_OUTCOME_UNKNOWN', changed: 'unknown' })]);
    expect(await owed(service)).toHaveLength(2);
    silent = false;
    await service.wiring.outbox.retryNow();
    await settled(service);
    expect(await states(clients)).toEqual(all(false));
    expect(await alive(service.app, browser)).toBe(false);
    expect([await platform.accepts(ALICE.address, ALICE.password), await platform.accepts(ALICE.address, NEW)]).toEqual([false, true]);
    expect(await states(bobs)).toEqual(all(true));
    for (const client of bobs) client.close();
    await service.stop();
    await tap.stop();
    await platform.stop();
  }, 120_000);

  it('the directory never took it: "unknown" first, then nothing is owed and everybody stays', async () => {
    const { platform, accounts, port } = await backend();
    const gate = await tcpGate(port);
    const service = await startService({
      overrides: { ...platform.overrides, accounts: [{ ...accounts, url: `ldap://127.0.0.1:${String(gate.port)}` }], timeouts: { accountsMs: 700, sessionsMs: 5000, hostMs: 5000 } },
      decorate: (wiring: Wiring) => ({ ...wiring, accounts: { ...wiring.accounts, changePassword: async () => { gate.shut(); throw new ModuleError('ACCOUNTS_OUTCOME_UNKNOWN'); } } }),
    });
    const clients = await platform.connect(ALICE.address, ALICE.password);
    const browser = await logIn(service.app, ALICE);
    expect((await change(service.app, browser, { currentPassword: ALICE.password, newPassword: NEW })).statusCode).toBe(504);
    expect(await owed(service)).toHaveLength(2);
    gate.open();
    // Until then the write could still be on its way.
    await until('an empty outbox', async () => { await service.wiring.outbox.retryNow(); await service.worker.runOnce(); return (await owed(service)).length === 0; }, 30_000);
    expect(await states(clients)).toEqual(all(true));
    expect(await alive(service.app, browser)).toBe(true);
    expect([await platform.accepts(ALICE.address, ALICE.password), await platform.accepts(ALICE.address, NEW)]).toEqual([true, false]);
    for (const client of clients) client.close();
    await service.stop();
    await gate.stop();
    await platform.stop();
  }, 120_000);
});
