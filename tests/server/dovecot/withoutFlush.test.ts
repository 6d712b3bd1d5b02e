import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import driver from '../../../server/drivers/sessions/dovecot.ts';
import { testContext } from '../drivers/sessions/driverContext.ts';

// Dovecot 2.4.1 (Debian 13) as it was seen: doveadm dies of a failed assertion when it is told over HTTP to flush the auth cache, and answers
// everything else. Debian 12, on which the tests run, has no such Dovecot.
let server: Server;
let asked: string[];
/** What it has counted for us; null: it counts nothing. */
let lookups: number | null;
beforeEach(async () => {
  asked = [];
  lookups = null;
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => { chunks.push(chunk); }).on('end', () => {
      const commands = JSON.parse(Buffer.concat(chunks).toString('utf8')) as [string, object, string][];
      asked.push(...commands.map(([command]) => command));
      if (commands.some(([command]) => command === 'authCacheFlush')) request.socket.resetAndDestroy();
      else response.end(JSON.stringify(commands.map(([command, , tag]) => ['doveadmResponse', command === 'kick' ? [{ count: '0' }] : command === 'statsDump' ? counted() : [], tag])));
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => { server.close(resolve); });
});

const counted = () => (lookups === null ? [] : [{ metric_name: 'mailbox_password_cached', count: '0' }, { metric_name: 'mailbox_password_lookups', count: String(lookups) }]);
const signal = () => AbortSignal.timeout(20_000);
const store = (more: object) => driver.create(driver.options.validateSync({ backends: [{ url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, apiKey: 'key', ...more }], secondPassMs: 10 }) as Parameters<typeof driver.create>[0], testContext());
const all = { address: 'alice@example.test', issuedBefore: Date.now(), attempt: 1, actor: null };

it('the flush breaks off: the log-out is not done, and doctor names the cause and the way out', async () => {
  const dovecot = await store({});
  await expect(dovecot.revokeAll(all, { signal: signal() })).rejects.toMatchObject({ code: 'SESSIONS_UNAVAILABLE' });
  const findings = await dovecot.diagnose?.({ signal: signal(), publicUrl: null, basePath: '', refusedLogIn: null });
  expect(findings?.filter(({ level }) => level === 'fail')).toEqual([{ level: 'fail', check: 'permission', text: expect.stringContaining('flush the auth cache'), todo: expect.stringContaining('authCache: none') }]);
});

it('authCache: none finds that out once and goes on without; where Dovecot counts nothing for us, doctor says that it is not known', async () => {
  const dovecot = await store({ authCache: 'none' });
  await expect(dovecot.revokeAll(all, { signal: signal() })).resolves.toMatchObject({ revoked: { imap: 0 } });
  await expect(dovecot.revokeAll({ ...all, attempt: 2 }, { signal: signal() })).resolves.toMatchObject({ revoked: { imap: 0 } });
  const findings = await dovecot.diagnose?.({ signal: signal(), publicUrl: null, basePath: '', refusedLogIn: async () => undefined });
  expect(findings?.filter(({ level }) => level !== 'ok')).toEqual([{ level: 'warn', check: 'auth cache', text: expect.stringContaining('not known'), todo: expect.stringContaining('--write-test proves') }]);
  expect(asked).toContain('kick');
  expect(asked.filter((command) => command === 'authCacheFlush')).toHaveLength(1);
});

it('a Dovecot that was just reloaded counts no log-in before the second: doctor logs in again', async () => {
  const dovecot = await store({ authCache: 'none' });
  lookups = 0;
  let logIns = 0;
  const findings = await dovecot.diagnose?.({ signal: signal(), publicUrl: null, basePath: '', refusedLogIn: async () => {
    logIns += 1;
    if (logIns > 1) lookups = 1;
  } });
  expect(findings?.find(({ check }) => check === 'auth cache')).toMatchObject({ level: 'ok', text: expect.stringContaining('off') });
  expect(logIns).toBe(2);
}, 30_000);
