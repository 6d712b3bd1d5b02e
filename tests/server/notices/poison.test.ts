import { sleep } from '../../services/process.ts';
import { startService } from '../../fixtures/service.ts';
import { type SmtpSink, type SmtpSinkOptions, startSmtpSink } from '../../services/smtpSink.ts';

const FACTS = { event: 'change', address: 'a@example.test', recovery: null, language: 'en', by: 'owner', name: null, ip: '192.0.2.1', onServer: false, client: null, ended: null, pending: [] } as const;
const open: { stop(): Promise<void> }[] = [];
afterEach(async () => { for (const one of open.splice(0).reverse()) await one.stop(); });

async function start(options: SmtpSinkOptions, notices: object = {}) {
  const sink = await startSmtpSink(options);
  open.push(sink);
  const service = await startService({ overrides: {
    notify: { driver: 'smtp', host: '127.0.0.1', port: sink.port, encryption: 'none', timeoutMs: 1500 },
    notices: { from: { name: 'Example', address: 'no-reply@example.test' }, firstDelayMs: 2000, maxDelayMs: 60_000, timeoutMs: 5000, ...notices },
  } });
  const delivery = service.wiring.noticeDelivery;
  if (delivery === null) throw new Error('no notices');
  open.push({ stop: async () => { await delivery.worker.stop(); await service.stop(); } });
  async function owe(recipient: string): Promise<void> {
    await service.wiring.outbox.record({ changeId: recipient, address: recipient, stores: ['web'], passwordVersion: null, settleAfter: 0, notices: [{ id: recipient.replace('@', '-'), recipient, facts: { ...FACTS, address: recipient } }] });
    await service.wiring.outbox.confirm(recipient, Date.now());
    await delivery?.notices.release(recipient, {}, []);
  }
  return { ...service, sink, delivery, owe };
}

const has = (sink: SmtpSink, recipient: string): boolean => sink.mails.some(({ to }) => to[0] === recipient);
async function until(what: string, done: () => boolean, ms = 120_000): Promise<void> {
  for (const end = Date.now() + ms; !done(); await sleep(20)) if (Date.now() > end) throw new Error(`waited too long for ${what}`);
}

test('a thousand mails, forty of which hang at their recipient or after their text: the others go, none waits for them, and no outage is called', async () => {
  const hangs = (at: number): 'rcpt' | 'data' | null => (at % 25 !== 7 ? null : at % 50 === 7 ? 'rcpt' : 'data');
  const { sink, delivery, owe, lines } = await start({ hang: (stage, address) => hangs(Number(/\d+/.exec(address)?.[0] ?? 0)) === stage });
  for (let at = 0; at < 1000; at += 1) await owe(`user${String(at)}@example.test`);
  delivery.worker.start();
  await until('960 mails', () => sink.mails.length >= 960);
  // One that comes while all that is left hangs goes at once, not after their time-outs.
  await owe('late@example.test');
  const late = Date.now();
  await until('the late one', () => has(sink, 'late@example.test'));
  expect(Date.now() - late).toBeLessThan(10_000);
  expect(new Set(sink.mails.map(({ to }) => to[0])).size).toBe(961);
  expect(lines.filter((line) => line.includes('notices wait'))).toEqual([]);
  await until('a try of each that hangs', () => lines.filter((line) => line.includes('was not taken yet')).length >= 40);
  await delivery.worker.stop();
  const left = await delivery.outbox.list(1000);
  expect(left).toHaveLength(40);
  for (const { attempts, lastError } of left) expect([attempts >= 1, lastError]).toEqual([true, expect.stringMatching(/time-?out/i)]);
}, 240_000);

test('mails that hang at every try hold up neither new ones nor those that were greylisted', async () => {
  const seen = new Set<string>();
  const { sink, delivery, owe } = await start({
    hang: (stage, address) => stage === 'rcpt' && address.startsWith('hang'),
    answer: (stage, address) => {
      if (stage !== 'rcpt' || !address.startsWith('grey') || seen.has(address)) return null;
      seen.add(address);
      return 451;
    },
  }, { firstDelayMs: 200, maxDelayMs: 400 });
  for (let at = 0; at < 12; at += 1) await owe(`hang${String(at)}@example.test`);
  delivery.worker.start();
  await sleep(4000);
  await owe('grey@example.test');
  await owe('new@example.test');
  await until('the new one', () => has(sink, 'new@example.test'), 15_000);
  await until('the greylisted one', () => has(sink, 'grey@example.test'), 30_000);
}, 90_000);

test('what was refused for good is kept, seen, and goes after all when it is asked for', async () => {
  let refusing = true;
  const { sink, delivery, owe } = await start({ refuse: () => refusing });
  await owe('a@example.test');
  expect(await delivery.worker.runOnce()).toBe(1);
  expect([await delivery.outbox.list(10), await delivery.worker.runOnce(), (await delivery.outbox.summary()).count]).toEqual([[], 0, 0]);
  expect(await delivery.outbox.givenUp(10)).toMatchObject([{ recipient: 'a@example.test', attempts: 1, lastError: expect.stringContaining('550') as string }]);
  refusing = false;
  expect([await delivery.outbox.retryNow(), await delivery.outbox.retryGivenUp('another'), await delivery.outbox.retryGivenUp()]).toEqual([0, 0, 1]);
  expect(await delivery.worker.runOnce()).toBe(1);
  expect(has(sink, 'a@example.test')).toBe(true);
  expect(await delivery.outbox.givenUp(10)).toEqual([]);
});
