import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hash } from '@node-rs/argon2';
import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { hashAdministratorPassword } from '../../../server/panels/administrators.ts';
import { openSqlite } from '../../../server/state/sqlite.ts';
import { readMail } from '../../fixtures/mailText.ts';
import { ALICE, change, logIn, NEW, startService, tempFolder } from '../../fixtures/service.ts';
import { freePort } from '../../services/process.ts';
import { type SmtpSink, type SmtpSinkOptions, startSmtpSink } from '../../services/smtpSink.ts';

const RECOVERY = 'alice@elsewhere.test';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const request = { currentPassword: ALICE.password, newPassword: NEW };
const original = String.prototype.replaceAll;
const open: { stop(): Promise<void> }[] = [];
afterEach(async () => { for (const one of open.splice(0).reverse()) await one.stop(); });

async function sinkOf(options: SmtpSinkOptions = {}): Promise<SmtpSink> {
  const sink = await startSmtpSink(options);
  open.push(sink);
  return sink;
}

const config = (port: number, notices: object = {}) => ({
  notify: { driver: 'smtp', host: '127.0.0.1', port, encryption: 'none', timeoutMs: 2000 },
  notices: { from: { name: 'Example Mail', address: 'no-reply@example.test' }, timeZone: 'Europe/Amsterdam', support: 'support@example.test', firstDelayMs: 1000, maxDelayMs: 4000, ...notices },
});

async function start(port: number, { notices = {}, more = {}, system = Date.now, dataDir = tempFolder() }: { notices?: object; more?: object; system?: () => number; dataDir?: string } = {}) {
  const service = await startService({ dataDir, system, overrides: { ...config(port, notices), ...more } });
  open.push(service);
  const delivery = service.wiring.noticeDelivery;
  if (delivery === null) throw new Error('no notices');
  return { ...service, delivery, pass: () => delivery.worker.runOnce() };
}

/** A mailbox in an operator's own table, which knows a recovery address and a language. */
async function withRecovery(recovery: string | null, language: string | null) {
  const dataDir = tempFolder();
  const file = join(dataDir, 'operator.db');
  const database = openSqlite<Record<string, never>>(file);
  await sql`create table mailbox (username text, password text, email_other text, language text)`.execute(database);
  await sql`insert into mailbox values (${ALICE.address}, ${await hash(ALICE.password)}, ${recovery}, ${language})`.execute(database);
  await database.destroy();
  // Whatever the translators are at: these two have the texts of a notice.
  for (const [tag, text] of [['nl', 'Het wachtwoord van {{address}} is gewijzigd.'], ['ar', 'تم تغيير كلمة مرور {{address}}.']] as const) writeFileSync(join(dataDir, `${tag}.json`), JSON.stringify({ 'notice.what.change': text }));
  return {
    dataDir,
    more: { locales: { dir: dataDir }, accounts: [{ driver: 'sql', domains: ['*'], url: `sqlite:${file}`, table: 'mailbox', prefix: 'none',
      columns: { address: 'username', password: 'password', recoveryAddress: 'email_other', language: 'language' } }] },
  };
}

async function asAdministrator(app: FastifyInstance, name = 'admin', password = 'Admin-demo-9') {
  const entered = await app.inject({ method: 'POST', url: '/mailbox-password/admin/api/v1/login', payload: { name, password } });
  const headers = { cookie: entered.cookies.map((cookie) => `${cookie.name}=${cookie.value}`).join('; '), 'x-csrf-token': String(entered.json<{ csrfToken: string }>().csrfToken), 'accept-language': 'nl' };
  return {
    async set(newPassword: string) {
      const { passwordVersion } = (await app.inject({ url: `/mailbox-password/admin/api/v1/mailbox?address=${ALICE.address}`, headers })).json<{ passwordVersion: string }>();
      return app.inject({ method: 'POST', url: '/mailbox-password/admin/api/v1/mailbox/password', headers, payload: { address: ALICE.address, newPassword, passwordVersion } });
    },
    endSessions: () => app.inject({ method: 'POST', url: '/mailbox-password/admin/api/v1/mailbox/end-sessions', headers, payload: { address: ALICE.address } }),
  };
}

test('a change: when, from where, by whom, what was ended, what to do; no secret in the mail, the table or the log', async () => {
  const sink = await sinkOf();
  let ticks = 0;
  const { app, wiring, pass, lines } = await start(sink.port, { system: () => Date.UTC(2026, 10, 24, 20, 15, 30) + (ticks += 1) });
  const browser = await logIn(app, ALICE);
  await logIn(app, ALICE);
  expect((await change(app, browser, request, { 'user-agent': FIREFOX, 'accept-language': 'en' })).statusCode).toBe(200);
  const table = JSON.stringify(await wiring.noticeDelivery?.outbox.list(10));
  expect(await pass()).toBe(1);
  const [mail] = await sink.arrived(1);
  expect(mail?.to).toEqual([ALICE.address]);
  const { headers, text, html } = readMail(mail?.raw ?? '');
  expect(headers).toMatchObject({ subject: `The password of ${ALICE.address} was changed`, 'auto-submitted': 'auto-generated', 'content-language': 'en', date: 'Tue, 24 Nov 2026 20:15:30 +0000' });
  for (const body of [text, html]) {
    expect(body).toContain(`The password of the mailbox ${ALICE.address} was changed.`);
    expect(body).toMatch(/When: Tuesday, November 24, 2026 at 9:15:30\sPM GMT\+1/);
    expect(body).toContain('From: Firefox, Linux, IP address 127.0.0.1');
    expect(body).toContain('By: someone who entered the current password');
    expect(body).toMatch(/These were logged out:(\n|<br>)• Webmail: 2 sessions/);
    expect(body).toContain('If this was not you');
    expect(body).toContain('support@example.test');
    expect(body).not.toMatch(/\{\{|https?:|href/);
  }
  expect(html).toContain('<html lang="en" dir="ltr">');
  for (const secret of [ALICE.password, NEW, browser.cookie.split('=')[1] ?? '', browser.csrf]) {
    expect(table + (mail?.raw ?? '') + text + html + lines.join('')).not.toContain(secret);
  }
  expect(await wiring.noticeDelivery?.outbox.list(10)).toEqual([]);
  expect(await pass()).toBe(0);
});

test('the recovery address gets a mail of its own; the language is the account\'s, then the page\'s, then the configured', async () => {
  const sink = await sinkOf();
  const nobodys = await withRecovery(RECOVERY, null);
  const first = await start(sink.port, { ...nobodys, notices: { defaultLanguage: 'ar' } });
  await change(first.app, await logIn(first.app, ALICE), request, { 'accept-language': 'xx, nl;q=0.8, en;q=0.1' });
  await first.pass();
  const mails = [...await sink.arrived(2)];
  expect(mails.map(({ to }) => to).sort()).toEqual([[RECOVERY], [ALICE.address]]);
  const [own, other] = [ALICE.address, RECOVERY].map((to) => readMail(mails.find((mail) => mail.to[0] === to)?.raw ?? ''));
  expect(other?.headers['message-id']).not.toBe(own?.headers['message-id']);
  expect(own?.text).not.toContain(RECOVERY);
  expect(other?.text).toContain(RECOVERY);
  expect([own?.headers['content-language'], own?.headers['to']]).toEqual(['nl', ALICE.address]);

  const arabic = await withRecovery(null, 'ar_EG');
  const second = await start(sink.port, arabic);
  await change(second.app, await logIn(second.app, ALICE), request, { 'accept-language': 'nl' });
  await second.pass();
  expect(readMail((await sink.arrived(3))[2]?.raw ?? '').headers['content-language']).toBe('ar');

  const third = await start(sink.port, { ...await withRecovery(null, null), notices: { defaultLanguage: 'nl' } });
  await change(third.app, await logIn(third.app, ALICE), request);
  await third.pass();
  expect(readMail((await sink.arrived(4))[3]?.raw ?? '').headers['content-language']).toBe('nl');
});

test('a set and a log-out by an administrator: not in the administrator\'s language, the name only where so configured', async () => {
  const sink = await sinkOf();
  const plain = await start(sink.port);
  await logIn(plain.app, ALICE);
  const admin = await asAdministrator(plain.app);
  expect((await admin.set(NEW)).statusCode).toBe(200);
  await logIn(plain.app, { ...ALICE, password: NEW });
  expect((await admin.endSessions()).statusCode).toBe(200);
  await plain.pass();
  const [set, logout] = [...await sink.arrived(2)].map(({ raw }) => readMail(raw));
  expect(set?.headers['subject']).toBe(`The password of ${ALICE.address} was set by your provider`);
  expect(set?.text).toContain('By: an administrator of your provider');
  expect(set?.text).not.toContain('admin,');
  expect(logout?.headers['subject']).toBe(`${ALICE.address} was logged out on every device`);
  expect(logout?.text).toContain('Its password is still the same.');
  expect(logout?.text).toContain('Webmail: 1 session');

  const named = await start(sink.port, { notices: { showAdministrator: true }, more: { administrators: [{ name: 'ada', passwordHash: await hashAdministratorPassword('Keeper-of-1-domain'), domains: ['*'] }] } });
  await (await asAdministrator(named.app, 'ada', 'Keeper-of-1-domain')).set(NEW);
  await named.pass();
  expect(readMail((await sink.arrived(3))[2]?.raw ?? '').text).toContain('By: ada, an administrator of your provider');
});

test('a refused change tells nobody anything', async () => {
  const sink = await sinkOf();
  const { app, delivery, pass } = await start(sink.port);
  const browser = await logIn(app, ALICE);
  expect((await change(app, browser, { ...request, currentPassword: 'Wrong-one-1' })).statusCode).toBe(422);
  expect((await change(app, browser, { ...request, newPassword: 'short' })).statusCode).toBe(422);
  await pass();
  expect([sink.mails, await delivery.outbox.list(10)]).toEqual([[], []]);
});

test('a change that the back end refused leaves no row behind', async () => {
  const sink = await sinkOf();
  const { wiring, pass, dataDir } = await start(sink.port);
  const rows = async (): Promise<number> => {
    const database = openSqlite<{ notice: { id: string } }>(join(dataDir, 'state.db'));
    const found = await database.selectFrom('notice').select('id').execute();
    await database.destroy();
    return found.length;
  };
  const notices = await wiring.notices.draft({ event: 'change', address: ALICE.address, actor: ALICE.address, actorKind: 'owner', remoteAddress: '', userAgent: '', surface: 'user-panel', language: undefined });
  await wiring.outbox.record({ changeId: 'refused', address: ALICE.address, stores: ['web'], passwordVersion: null, settleAfter: 0, notices });
  expect(await rows()).toBe(1);
  await wiring.outbox.cancel('refused');
  expect([await rows(), await pass(), sink.mails]).toEqual([0, 0, []]);
});

test('what a thief may choose says nothing of the thief\'s: User-Agent, a hostile recovery address', async () => {
  const sink = await sinkOf();
  const hostile = await withRecovery('x@evil.test\r\nBcc: all@evil.test', null);
  const { app, pass, lines } = await start(sink.port, hostile);
  await change(app, await logIn(app, ALICE), request, { 'user-agent': 'Call +31 900 1234 at once <a href="https://evil.test">here</a>' });
  expect(await pass()).toBe(1);
  const [mail] = await sink.arrived(1);
  expect(mail?.to).toEqual([ALICE.address]);
  const { text, html } = readMail(mail?.raw ?? '');
  expect(text).toContain('From: the IP address 127.0.0.1');
  expect(mail?.raw.toLowerCase() + text + html).not.toMatch(/evil|900 1234|bcc/);
  expect(lines.join('')).toContain('not an address that mail can go to');
});

test('the relay is away at the change: the change does not wait, nothing is lost, and it goes when the relay is back', async () => {
  const port = await freePort();
  let now = Date.now();
  const { app, wiring, delivery, pass, lines } = await start(port, { system: () => now });
  const browser = await logIn(app, ALICE);
  const since = performance.now();
  expect((await change(app, browser, request)).json()).toMatchObject({ revocation: 'done' });
  const took = performance.now() - since;
  const ready = await app.inject({ url: '/readyz' });
  expect([ready.statusCode, ready.json()]).toMatchObject([200, { status: 'ready', down: [], warnings: ['notices'] }]);
  for (let at = 0; at < 10; at += 1) {
    await pass();
    now += 60_000;
  }
  expect(took).toBeLessThan(5000);
  const [owed] = await delivery.outbox.list(10);
  expect(owed).toMatchObject({ recipient: ALICE.address, attempts: 0, lastError: expect.stringContaining('ECONN') as string });
  expect(lines.filter((line) => line.includes('notices wait')).length).toBeGreaterThan(3);
  const sink = await sinkOf({ port });
  await pass();
  const [mail] = await sink.arrived(1);
  // The Date is that of the change, not of the sending.
  expect(Math.abs(Date.parse(readMail(mail?.raw ?? '').headers['date'] ?? '') - (now - 600_000))).toBeLessThan(120_000);
  expect(await delivery.outbox.list(10)).toEqual([]);
  expect(lines.join('')).toContain('takes notices again');
  expect(await wiring.outbox.list(10)).toEqual([]);
});

test('a mailbox that is full now gets it later, with growing and capped pauses; the others do not wait for it', async () => {
  let now = Date.now();
  let full = true;
  const sink = await sinkOf({ answer: (stage, address) => (stage === 'rcpt' && address === ALICE.address && full ? 452 : null) });
  const both = await withRecovery(RECOVERY, null);
  const { app, delivery, pass } = await start(sink.port, { ...both, system: () => now });
  await change(app, await logIn(app, ALICE), request);
  const pauses: number[] = [];
  for (let at = 0; at < 6; at += 1) {
    await pass();
    const [owed] = await delivery.outbox.list(10);
    pauses.push((owed?.nextAttemptAt ?? 0) - now);
    expect(owed?.attempts).toBe(at + 1);
    now = owed?.nextAttemptAt ?? now;
  }
  expect(sink.mails.map(({ to }) => to)).toEqual([[RECOVERY]]);
  expect(pauses[0]).toBeLessThanOrEqual(1000);
  for (const pause of pauses) expect(pause).toBeLessThanOrEqual(4000);
  expect(pauses.at(-1)).toBeGreaterThanOrEqual(2000);
  full = false;
  await pass();
  expect((await sink.arrived(2))[1]?.to).toEqual([ALICE.address]);
});

test('an address that is refused for good is given up, once, with a log line', async () => {
  const sink = await sinkOf({ refuse: (address) => address === RECOVERY });
  const both = await withRecovery(RECOVERY, null);
  const { app, delivery, pass, lines } = await start(sink.port, both);
  await change(app, await logIn(app, ALICE), request);
  await pass();
  expect((await sink.arrived(1)).map(({ to }) => to)).toEqual([[ALICE.address]]);
  expect(await delivery.outbox.list(10)).toEqual([]);
  const said = lines.filter((line) => line.includes('given up')).map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(said).toMatchObject([{ level: 50, mailbox: ALICE.address, kind: 'recovery', attempts: 1, detail: expect.stringContaining('550') as string }]);
});

test('what could not be sent for so long is given up, with a log line', async () => {
  let now = Date.now();
  const { app, delivery, pass, lines } = await start(await freePort(), { system: () => now, notices: { expireAfterHours: 2 } });
  await change(app, await logIn(app, ALICE), request);
  await pass();
  now += 2 * 3_600_000 - 1000;
  await pass();
  expect(await delivery.outbox.list(10)).toHaveLength(1);
  now += 2000;
  await pass();
  expect(await delivery.outbox.list(10)).toEqual([]);
  expect(lines.filter((line) => line.includes('could not be sent in time'))).toHaveLength(1);
});

test.each([
  ['192.0.2.7', '192.0.2.7'], ['192.0.2.7:52814', '192.0.2.7'], ['::ffff:192.0.2.7', '192.0.2.7'], ['2001:db8::7', '2001:db8::7'], ['[2001:db8::7]:443', '2001:db8::7'], ['fe80::7%eth0', 'fe80::7'], ['not an address', null],
])('where it came from: %s is told as %s', async (remoteAddress, ip) => {
  const { wiring } = await start(await freePort());
  const [draft] = await wiring.notices.draft({ event: 'change', address: ALICE.address, actor: ALICE.address, actorKind: 'owner', remoteAddress, userAgent: '', surface: 'user-panel', language: undefined });
  expect(draft?.facts.ip).toBe(ip);
});

test('the operator\'s line names a help page: then the mail does not say that it has no links; a line without one leaves that sentence', async () => {
  const sink = await sinkOf();
  for (const [support, sentence] of [['https://help.example.test/stolen or +31 20 123 4567', 'No link in it leads to a log-in'], ['+31 20 123 4567', 'It has no links']] as const) {
    const { app, pass } = await start(sink.port, { notices: { support } });
    await change(app, await logIn(app, ALICE), request, { 'accept-language': 'en' });
    await pass();
    const { text, html } = readMail(sink.mails.at(-1)?.raw ?? '');
    for (const body of [text, html]) {
      expect(body).toContain(sentence);
      expect(body).toContain(support);
    }
    expect(html).not.toContain('<a ');
  }
});

test('the operator\'s own templates are what arrives, in the owner\'s language, and the text in lines that any reader can show', async () => {
  const sink = await sinkOf();
  const templatesDir = tempFolder();
  const long = 'Bel ons op +31 20 123 4567 of kom langs, wij zijn er elke werkdag van negen tot vijf uur en helpen u graag.';
  writeFileSync(join(templatesDir, 'notice.change.nl.txt'), `{{what}}\n\n${long}\n`);
  writeFileSync(join(templatesDir, 'notice.change.nl.html'), '<p class="ours">{{what}}</p>');
  const { app, pass } = await start(sink.port, { notices: { templatesDir } });
  await change(app, await logIn(app, ALICE), request, { 'accept-language': 'nl' });
  await pass();
  const { text, html, lines } = readMail((await sink.arrived(1))[0]?.raw ?? '');
  expect(html).toMatch(/^<p class="ours">.*alice@.*<\/p>$/);
  expect(text.split('\n').at(-1)).toBe(long);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(72);
});

test('templates that break when a notice is made of them: ours are used, the log says so, and nothing is lost', async () => {
  const sink = await sinkOf();
  const dataDir = tempFolder();
  writeFileSync(join(dataDir, 'notice.txt'), 'Ours: {{what}}');
  const { app, pass, lines } = await start(sink.port, { notices: { templatesDir: dataDir } });
  const replace = jest.spyOn(String.prototype, 'replaceAll').mockImplementation(function broken(this: string, ...args: unknown[]) {
    if (this.startsWith('Ours: ')) throw new Error('broken');
    return original.apply(this, args as Parameters<string['replaceAll']>);
  });
  await change(app, await logIn(app, ALICE), request, { 'accept-language': 'en' });
  await pass();
  replace.mockRestore();
  expect(readMail((await sink.arrived(1))[0]?.raw ?? '').text).toContain(`The password of the mailbox ${ALICE.address} was changed.`);
  expect(lines.join('')).toContain('ours are used');
});

test('a store that does not answer stands in the mail as pending', async () => {
  const sink = await sinkOf();
  const { app, pass, wiring } = await start(sink.port, { more: { sessions: [{ driver: 'embedded', name: 'web' }, { driver: 'webhook', name: 'phones', url: 'http://127.0.0.1:9', secret: `whsec_${'a'.repeat(32)}`, channels: ['activesync'] }] } });
  expect((await change(app, await logIn(app, ALICE), request)).json()).toMatchObject({ revocation: 'pending' });
  await pass();
  expect(readMail((await sink.arrived(1))[0]?.raw ?? '').text).toContain('Not logged out yet: Phones (ActiveSync).');
  expect(await wiring.outbox.list(10)).toHaveLength(1);
});

test('many at once all go', async () => {
  const sink = await sinkOf();
  const { delivery, wiring, pass } = await start(sink.port);
  for (let at = 0; at < 60; at += 1) {
    const changeId = `change-${String(at)}`;
    const drafts = await delivery.notices.draft({ event: 'set', address: `user${String(at)}@example.test`, actor: 'admin', actorKind: 'administrator', remoteAddress: '192.0.2.1', userAgent: '', surface: 'admin-panel', language: undefined });
    await wiring.outbox.record({ changeId, address: `user${String(at)}@example.test`, stores: ['web'], passwordVersion: null, settleAfter: 0, notices: drafts });
    await wiring.outbox.confirm(changeId, Date.now());
    await delivery.notices.release(changeId, {}, []);
  }
  let passes = 0;
  while (await pass() > 0) passes += 1;
  expect(passes).toBe(1);
  expect(new Set(sink.mails.map(({ to }) => to[0])).size).toBe(60);
});

test.each([
  [{ notify: { driver: 'smtp', host: '127.0.0.1', port: 25, encryption: 'none' } }, 'notices.from: is missing'],
  [{ ...config(25, { from: { name: 'a\r\nBcc: b@c', address: 'a@b.test' } }) }, 'notices.from.name: '],
  [{ ...config(25, { from: { name: 'a', address: 'a@b.test, c@d.test' } }) }, 'notices.from.address: '],
  [{ ...config(25, { timeZone: 'Europe/Atlantis' }) }, 'notices.timeZone: '],
  [{ ...config(25, { templatesDir: '/nonexistent' }) }, 'notices.templatesDir: '],
  [{ notify: { driver: 'pigeon' } }, 'notify.driver: "pigeon" is not one of log, smtp'],
])('%j does not start', async (overrides, problem) => {
  const failed = await startService({ overrides }).then(() => null, (error: unknown) => error as { problems: readonly string[] });
  expect(failed?.problems.some((line) => line.startsWith(problem))).toBe(true);
});
