import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import driver from '../../../../server/drivers/notify/smtp.ts';
import { type Notifier, NotSent, type OutgoingMail } from '../../../../server/ports/notifier.ts';
import { makeCertificate } from '../../../services/certificate.ts';
import { type SmtpSink, type SmtpSinkOptions, startSmtpSink } from '../../../services/smtpSink.ts';
import { sleep } from '../../../services/process.ts';
import { readMail } from '../../../fixtures/mailText.ts';
import { optionsOf } from '../policy/policyContext.ts';

const SECRET = 'relay-secret-1';
const MAIL: OutgoingMail = {
  messageId: '<0b8f3d0e-1111-4222-8333-444455556666@example.test>', date: Date.UTC(2026, 10, 24, 20, 15, 30), from: { name: 'Example Mail', address: 'no-reply@example.test' },
  to: 'alice@example.test', subject: 'The password of alice@example.test was changed', text: 'Hello\n.\nGrüße\n', html: '<p>Hello</p>', language: 'nl',
};
const call = () => ({ signal: AbortSignal.timeout(20_000) });
const lines: string[] = [];
const context = { name: 'smtp', dataDir: '/nonexistent', clock: { now: () => Date.now() }, log: pino({ level: 'debug' }, { write: (line: string) => { lines.push(line); } }) };

const open: { close?(): Promise<void>; stop?(): Promise<void> }[] = [];
afterEach(async () => { for (const one of open.splice(0)) await (one.close?.() ?? one.stop?.()); });

async function sinkOf(options: SmtpSinkOptions = {}): Promise<SmtpSink> {
  const sink = await startSmtpSink(options);
  open.push(sink);
  return sink;
}
async function relay(port: number, own: object = {}): Promise<Notifier> {
  const notifier = await driver.create(optionsOf(driver, { host: '127.0.0.1', port, encryption: 'none', timeoutMs: 2000, ...own }), context);
  open.unshift(notifier);
  return notifier;
}
async function waitFor(done: () => boolean): Promise<void> {
  for (const end = Date.now() + 10_000; !done(); await sleep(20)) if (Date.now() > end) throw new Error('waited too long');
}
const refusal = (work: Promise<void>) => work.then(() => null, (error: unknown) => (error instanceof NotSent ? error.kind : error));

test('one mail: headers that machines look at, both parts, the same bytes at every try', async () => {
  const sink = await sinkOf();
  const notifier = await relay(sink.port);
  await notifier.send(MAIL, call());
  await notifier.send(MAIL, call());
  const [first, second] = await sink.arrived(2);
  expect(first?.raw).toBe(second?.raw);
  expect([first?.from, first?.to]).toEqual(['no-reply@example.test', ['alice@example.test']]);
  const [head = '', body = ''] = first?.raw.split('\r\n\r\n', 2) ?? [];
  expect(head.split('\r\n')).toEqual(expect.arrayContaining([
    'Auto-Submitted: auto-generated', 'Content-Language: nl', `Message-ID: ${MAIL.messageId}`, 'Date: Tue, 24 Nov 2026 20:15:30 +0000', 'From: Example Mail <no-reply@example.test>',
    'To: alice@example.test', `Subject: ${MAIL.subject}`, 'MIME-Version: 1.0',
  ]));
  expect(head).toMatch(/^Content-Type: multipart\/alternative;/m);
  expect(body).not.toBe('');
  expect(first?.raw).toMatch(/Content-Type: text\/plain; charset=utf-8[\s\S]*Content-Type: text\/html; charset=utf-8/);
});

describe('STARTTLS and the log-in', () => {
  const ours = makeCertificate();
  const strangers = makeCertificate('relay.example.test');
  afterAll(() => { ours.remove(); strangers.remove(); });

  test('encrypted, and logged in', async () => {
    const sink = await sinkOf({ tls: ours, auth: { user: 'relay', password: SECRET } });
    const notifier = await relay(sink.port, { encryption: 'starttls', caFile: ours.caFile, user: 'relay', password: SECRET });
    await notifier.check(call());
    await notifier.send(MAIL, call());
    expect((await sink.arrived(1))[0]).toMatchObject({ secure: true, user: 'relay' });
  });

  test.each([
    ['a certificate that nobody trusts', ours, {}], ['a certificate of another name', strangers, { caFile: strangers.caFile }],
  ])('%s: not a word is sent', async (_name, certificate, own) => {
    const sink = await sinkOf({ tls: certificate });
    const notifier = await relay(sink.port, { encryption: 'starttls', ...own });
    expect(await refusal(notifier.send(MAIL, call()))).toBe('relay');
    expect(await refusal(notifier.check(call()))).toBe('relay');
    expect(sink.mails).toEqual([]);
  });

  test('STARTTLS is needed, not used where it happens to be offered', async () => {
    const sink = await sinkOf();
    const notifier = await relay(sink.port, { encryption: 'starttls', caFile: ours.caFile });
    expect(await refusal(notifier.send(MAIL, call()))).toBe('relay');
    expect(sink.mails).toEqual([]);
  });

  test('a wrong password of ours delays every mail and is no fault of this one; it stands nowhere', async () => {
    const sink = await sinkOf({ tls: ours, auth: { user: 'relay', password: 'another' } });
    const notifier = await relay(sink.port, { encryption: 'starttls', caFile: ours.caFile, user: 'relay', password: SECRET });
    const error = await notifier.send(MAIL, call()).catch((caught: unknown) => caught as NotSent);
    expect(error).toMatchObject({ kind: 'relay', message: expect.stringContaining('EAUTH') as string });
    expect(JSON.stringify(error) + String((error as Error).stack) + lines.join('')).not.toContain(SECRET);
    expect(await refusal(notifier.check(call()))).toBe('relay');
  });

  test('a file of certificates that is not there does not start', async () => {
    await expect(relay(25, { caFile: '/nonexistent/ca.pem' })).rejects.toMatchObject({ inner: [{ path: 'caFile', message: expect.stringContaining('ENOENT') as string }] });
  });
});

test.each([
  ['mail', 550, 'relay'], ['rcpt', 550, 'permanent'], ['rcpt', 450, 'temporary'], ['rcpt', 421, 'temporary'], ['data', 421, 'temporary'], ['mail', 421, 'relay'], ['data', 554, 'permanent'], ['data', 451, 'temporary'],
] as const)('%s answered by %i: %s', async (stage, code, kind) => {
  const sink = await sinkOf({ answer: (at) => (at === stage ? code : null) });
  expect(await refusal((await relay(sink.port)).send(MAIL, call()))).toBe(kind);
});

test.each([['mail', 553], ['rcpt', 550]] as const)('a mailbox with letters beyond ASCII at a relay that does not know them (%s %i): the other mails do not wait for it', async (stage, code) => {
  const sink = await sinkOf({ answer: (at, address) => (at === stage && (stage === 'mail' || /[^\0-\x7f]/.test(address)) ? code : null) });
  expect(await refusal((await relay(sink.port)).send({ ...MAIL, to: 'grüße@example.test' }, call()))).toBe(stage === 'mail' ? 'temporary' : 'permanent');
});

test('a mailbox with letters beyond ASCII (RFC 6531), and a name of ours beyond ASCII: they arrive as they are', async () => {
  const sink = await sinkOf();
  await (await relay(sink.port)).send({ ...MAIL, to: 'grüße@bücher.example', subject: 'Das Passwort von grüße@bücher.example', from: { name: 'Müller & Söhne (Post), "Büro"', address: MAIL.from.address } }, call());
  const [mail] = await sink.arrived(1);
  expect(mail?.to[0]).toMatch(/^grüße@(bücher|xn--bcher-kva)\.example$/);
  const { headers } = readMail(mail?.raw ?? '');
  expect(headers['subject']).toBe('Das Passwort von grüße@bücher.example');
  expect(headers['from']).toContain('Müller & Söhne (Post)');
});

test('no line of the mail is longer than RFC 5322 allows, and every line of the head is ASCII', async () => {
  const sink = await sinkOf();
  await (await relay(sink.port)).send({ ...MAIL, subject: 'Пароль '.repeat(40), text: `${'ü'.repeat(3000)}\n`, html: `<p>${'long '.repeat(1000)}${'ü'.repeat(3000)}</p>` }, call());
  const raw = (await sink.arrived(1))[0]?.raw ?? '';
  expect(Math.max(...raw.split('\r\n').map((line) => Buffer.byteLength(line)))).toBeLessThanOrEqual(998);
  expect(raw.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  const head = raw.slice(0, raw.indexOf('\r\n\r\n'));
  expect(head).toMatch(/^[\x20-\x7e\r\n\t]*$/);
  for (const line of head.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78 + 20);
  expect(head).not.toMatch(/^(Precedence|Reply-To|Return-Receipt-To|Disposition-Notification-To|List-|X-Mailer)/im);
});

test('nobody there, or somebody who says nothing: the relay is away, within the time', async () => {
  const sink = await startSmtpSink();
  await sink.stop();
  expect(await refusal((await relay(sink.port)).send(MAIL, call()))).toBe('relay');
  const sockets: Socket[] = [];
  const silent = createServer((socket) => { sockets.push(socket); });
  await new Promise<void>((resolve) => { silent.listen(0, '127.0.0.1', resolve); });
  const notifier = await relay((silent.address() as AddressInfo).port, { timeoutMs: 500 });
  const since = performance.now();
  expect(await refusal(notifier.send(MAIL, call()))).toBe('relay');
  expect(await refusal(notifier.send(MAIL, { signal: AbortSignal.timeout(100) }))).toBe('relay');
  expect(await refusal(notifier.check(call()))).toBe('relay');
  expect(performance.now() - since).toBeLessThan(10_000);
  for (const socket of sockets) socket.destroy();
  await new Promise<void>((resolve) => { silent.close(() => { resolve(); }); });
});

test('at the end of its time the connection is closed: a relay that answers after it gets nothing, and the next try brings the mail once', async () => {
  let goOn = (): void => undefined;
  const late = new Promise<void>((resolve) => { goOn = resolve; });
  const asked: string[] = [];
  const sink = await sinkOf({ pause: async (stage) => { asked.push(stage); if (asked.length === 1) await late; } });
  const notifier = await relay(sink.port);
  expect(await refusal(notifier.send(MAIL, { signal: AbortSignal.timeout(300) }))).toBe('temporary');
  goOn();
  await waitFor(() => sink.connections() === 0);
  expect(sink.mails).toEqual([]);
  await notifier.send(MAIL, call());
  await waitFor(() => sink.connections() === 0);
  expect(sink.mails).toHaveLength(1);
});

test('a question that is not answered in time leaves no connection behind, however the relay drips', async () => {
  const sockets = new Set<Socket>();
  const dripping = createServer((socket) => {
    sockets.add(socket);
    socket.write('220 here\r\n');
    const drip = setInterval(() => { socket.write('250-and more\r\n'); }, 50);
    socket.on('error', () => undefined).on('close', () => { clearInterval(drip); sockets.delete(socket); });
  });
  await new Promise<void>((resolve) => { dripping.listen(0, '127.0.0.1', resolve); });
  open.push({ stop: async () => { for (const socket of sockets) socket.destroy(); await new Promise<void>((resolve) => { dripping.close(() => { resolve(); }); }); } });
  const notifier = await relay((dripping.address() as AddressInfo).port);
  expect(await refusal(notifier.check({ signal: AbortSignal.timeout(300) }))).toBe('relay');
  await waitFor(() => sockets.size === 0);
});

test('names that want to be headers, recipients or commands stay names', async () => {
  const sink = await sinkOf();
  const notifier = await relay(sink.port);
  const hostile = 'x\r\nBcc: thief@example.test\r\n\r\nbody';
  await notifier.send({ ...MAIL, subject: hostile, from: { name: `"${hostile}" <a@b>, c`, address: 'no-reply@example.test' } }, call());
  const [mail] = await sink.arrived(1);
  expect(mail?.to).toEqual(['alice@example.test']);
  const head = mail?.raw.split('\r\n\r\n')[0] ?? '';
  expect(head).not.toMatch(/^(bcc|cc):/im);
  expect(head.match(/^(From|To|Subject):/gm)).toEqual(['From:', 'To:', 'Subject:']);
});

test.each([
  [{ host: 'relay.example.test', port: 25, encryption: 'none' }], [{ host: '127.0.0.1', port: 25, encryption: 'none', user: 'a' }],
  [{ host: '127.0.0.1', port: 25 }], [{ host: '127.0.0.1', port: 25, encryption: 'ssl' }], [{ host: '127.0.0.1', port: 25, encryption: 'none', from: 'x' }],
])('%j does not start', (own) => {
  expect(() => driver.options.validateSync(own, { strict: true })).toThrow();
});
