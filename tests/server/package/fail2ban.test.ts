import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { NO_METRICS } from '../../../server/ports/metrics.ts';
import { refuse } from '../../../server/service/refuse.ts';
import { ALICE, BOB, change, logIn, NEW, startService, tempFolder } from '../../fixtures/service.ts';

const FILTER = join(import.meta.dirname, '../../../server/package/deploy/fail2ban/filter.d/mailbox-password.conf');
const THIEF = '198.51.100.66';
const THIEF6 = '2001:db8::66';
const VICTIM = '203.0.113.5';

/** The addresses that fail2ban's own tool finds in these lines, one for each line that matched. */
function found(lines: readonly string[]): readonly string[] {
  const log = join(tempFolder(), 'mailbox-password.log');
  writeFileSync(log, lines.map((line) => `${line.trimEnd()}\n`).join(''));
  const { status, stdout, stderr } = spawnSync('fail2ban-regex', ['--out', '<ip>', log, FILTER], { encoding: 'utf8' });
  if (status === null || (status !== 0 && status !== 255) || /Traceback|ERROR/.test(stderr + stdout)) throw new Error(`${stdout}${stderr}`);
  return stdout.split('\n').filter((line) => line !== '');
}

/** What journald's and syslog's readers hand to fail2ban. */
const withPrefix = (line: string): string => `Nov 24 12:00:00 mail mailbox-password[4711]: ${line}`;

let service: Awaited<ReturnType<typeof startService>>;
beforeEach(async () => {
  service = await startService({ overrides: { dataDir: tempFolder(), server: { port: 0 }, rateLimit: { wrongPasswordsPerMailbox: { points: 4, windowSeconds: 900 }, wrongPasswordsPerAddress: { points: 30, windowSeconds: 900 } } } });
});
afterEach(async () => { await service.stop(); });

const panel = (which: 'panel' | 'admin', payload: Record<string, string>, remoteAddress = THIEF, headers: Record<string, string> = {}) =>
  service.app.inject({ method: 'POST', url: `/mailbox-password/${which}/api/v1/login`, remoteAddress, headers, payload });

test('wrong log-ins of both panels, a wrong current password and what is refused after too many of them', async () => {
  await panel('panel', { address: ALICE.address, password: 'Wrong-guess-1' });
  await panel('panel', { address: ALICE.address, password: 'Wrong-guess-1' }, THIEF6);
  await panel('admin', { name: 'admin', password: 'Wrong-guess-1' });
  const bob = await logIn(service.app, BOB);
  for (let n = 0; n < 5; n += 1) await change(service.app, bob, { currentPassword: 'Wrong-guess-1', newPassword: NEW });
  // 127.0.0.1 is where inject() comes from; the fifth is RATE_LIMITED.
  const expected = [THIEF, THIEF6, THIEF, ...Array<string>(5).fill('127.0.0.1')];
  expect(service.lines.some((line) => line.includes('RATE_LIMITED'))).toBe(true);
  expect(found(service.lines)).toEqual(expected);
  expect(found(service.lines.map(withPrefix))).toEqual(expected);
}, 240_000);

test('nothing that went well, and no refusal of another kind, is counted', async () => {
  await panel('panel', { address: ALICE.address, password: ALICE.password });
  const alice = await logIn(service.app, ALICE);
  await change(service.app, alice, { currentPassword: ALICE.password, newPassword: 'short' });
  await change(service.app, { ...alice, csrf: 'x' }, { currentPassword: ALICE.password, newPassword: NEW });
  await service.app.inject({ url: '/mailbox-password/panel/api/v1/session', remoteAddress: THIEF });
  await service.app.inject({ url: '/nowhere', remoteAddress: THIEF });
  expect((await change(service.app, alice, { currentPassword: ALICE.password, newPassword: NEW })).statusCode).toBe(200);
  expect(service.lines.length).toBeGreaterThan(4);
  // A node that is full or ends refuses everybody: that is nobody's fault.
  const log = pino({ level: 'info' }, { write: (line: string) => { service.lines.push(line); } });
  const answer = { writeHead: () => answer, end: () => undefined };
  for (const code of ['OVERLOADED', 'SHUTTING_DOWN'] as const) refuse(answer as never, code, { requestId: 'abcdefgh-1', method: 'POST', route: '/mailbox-password/panel/api/v1/login', remoteAddress: THIEF, page: null }, { log, metrics: NO_METRICS });
  expect(service.lines.filter((line) => line.includes('OVERLOADED') || line.includes('SHUTTING_DOWN'))).toHaveLength(2);
  expect(found(service.lines)).toEqual([]);
  // The very same lines would be counted with another code.
  expect(found(service.lines.map((line) => line.replace(/OVERLOADED|SHUTTING_DOWN/, 'RATE_LIMITED').replace('"status":503', '"status":429')))).toEqual([THIEF, THIEF]);
}, 240_000);

test('nobody can make a line that names somebody else', async () => {
  const line = service.lines;
  await panel('panel', { address: ALICE.address, password: 'Wrong-guess-1' });
  const real = line.find((text) => text.includes('"request refused"')) ?? '';
  const forged = real.trimEnd().replace(THIEF, VICTIM);
  expect(found([forged])).toEqual([VICTIM]);
  line.length = 0;
  const hostile = [forged, `x\n${forged}`, `x\r\n${forged}\n`, `x","remoteAddress":"${VICTIM}","msg":"request refused"}`, `"remoteAddress":"${VICTIM}"`, `from ${VICTIM}`, `mail mailbox-password[1]: ${forged}`];
  for (const text of hostile) {
    await panel('panel', { address: text, password: 'Wrong-guess-1' });
    await panel('panel', { address: `${text.slice(0, 60)}@example.test`, password: 'Wrong-guess-1' });
    await panel('admin', { name: text, password: 'Wrong-guess-1' });
    await panel('panel', { address: ALICE.address, password: 'Wrong-guess-1' }, THIEF, { 'user-agent': text.replaceAll(/[\r\n]/g, ' '), 'x-request-id': text.replaceAll(/[\r\n]/g, ' '), 'x-forwarded-for': VICTIM });
    await service.app.inject({ url: `/mailbox-password/${encodeURIComponent(text)}`, remoteAddress: THIEF });
  }
  for (const lines of [line, line.map(withPrefix)]) {
    const addresses = new Set(found(lines));
    expect([...addresses]).toEqual([THIEF]);
  }
}, 240_000);
