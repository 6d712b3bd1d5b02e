import { expect, it } from '@jest/globals';
import { cli as run } from '../../fixtures/cli.ts';
import { startService } from '../../fixtures/service.ts';

const draft = (id: string, recipient: string) => ({
  id, recipient,
  facts: { event: 'set', address: 'alice@example.test', recovery: null, language: 'en', by: 'administrator', name: 'carol', ip: '198.51.100.7', onServer: false, client: null, ended: null, pending: [] },
} as const);

interface Listed { readonly logOuts: readonly Record<string, unknown>[]; readonly notices: readonly Record<string, unknown>[] }

it('outbox list says which log-outs and which notices are owed, retry makes both due, beside a running service', async () => {
  const service = await startService({ overrides: { server: { port: 0 }, notify: { driver: 'smtp', host: '127.0.0.1', port: 1, encryption: 'none' }, notices: { from: { name: 'Example', address: 'no-reply@example.test' } } } });
  const cli = (...args: string[]) => run(['outbox', ...args], { env: { MAILBOX_PASSWORD__DATADIR: service.dataDir } });
  expect(await cli('list')).toMatchObject({ status: 0, stdout: 'nothing is owed\n' });
  expect(JSON.parse((await cli('list', '--json')).stdout)).toEqual({ logOuts: [], notices: [], givenUp: [] });
  const { outbox, noticeDelivery } = service.wiring;
  await outbox.record({ changeId: 'change-1', address: 'alice@example.test', stores: ['web', 'mail'], passwordVersion: 'secret-version', settleAfter: 0, notices: [draft('n1', 'alice@example.test'), draft('n2', 'alice@elsewhere.test')] });
  // What is not certain yet is nobody's notice.
  expect((JSON.parse((await cli('list', '--json')).stdout) as Listed).notices).toEqual([]);
  await outbox.confirm('change-1', Date.now() - 61_000);
  await outbox.fail('change-1', 'mail', 'SESSIONS_UNAVAILABLE', Date.now() + 60_000);
  await noticeDelivery?.outbox.postpone('n1', 'ECONNREFUSED 127.0.0.1:1', Date.now() + 3_600_000, true);
  await noticeDelivery?.outbox.postpone('n2', '451 4.7.1 try again', Date.now() + 3_600_000, true);
  const listed = await cli('list');
  expect(listed.status).toBe(1);
  expect(listed.stdout).toMatch(/^2 log-outs owed:\n(.*\n)*change-1 {2}mail {2}alice@example\.test .*owed \d+ s +tries 1 +next in \d+ s +SESSIONS_UNAVAILABLE$/m);
  expect(listed.stdout).toMatch(/^2 notices not sent yet:\n(.*\n)*change-1 {2}set {2}alice@elsewhere\.test +owed (6\d|[7-9]\d|\d{3,}) s +tries 1 +next in \d+ s +451 4\.7\.1 try again$/m);
  const json = await cli('list', '--json');
  const { logOuts, notices } = JSON.parse(json.stdout) as Listed;
  expect(logOuts.map(({ store }) => store).sort()).toEqual(['mail', 'web']);
  expect(notices.map(({ id, event, recipient, lastError, attempts }) => [id, event, recipient, lastError, attempts])).toEqual(expect.arrayContaining([['n1', 'set', 'alice@example.test', 'ECONNREFUSED 127.0.0.1:1', 1]]));
  for (const secret of ['secret-version', '198.51.100.7']) expect(json.stdout + listed.stdout).not.toContain(secret);
  expect((await cli('retry', 'no-such-change')).status).toBe(1);
  expect(await cli('retry', 'change-1')).toMatchObject({ status: 0, stdout: '2 log-outs and 2 notices due now\n' });
  expect((await outbox.claimDue(10, 1000)).map(({ store }) => store).sort()).toEqual(['mail', 'web']);
  expect((await noticeDelivery?.outbox.claimDue(10, 1000))?.map(({ id }) => id).sort()).toEqual(['n1', 'n2']);
  // What was given up is no debt: it is shown, and goes after all when it is asked for.
  await outbox.complete('change-1', 'web');
  await outbox.complete('change-1', 'mail');
  await noticeDelivery?.outbox.remove('n1');
  await noticeDelivery?.outbox.giveUp('n2', '550 no such mailbox');
  const lost = await cli('list');
  expect([lost.status, lost.stdout]).toEqual([0, expect.stringMatching(/^nothing is owed\n1 notice given up within the last month .*\nchange-1 {2}set {2}alice@elsewhere\.test .*tries \d +550 no such mailbox\n$/)]);
  expect(JSON.parse((await cli('list', '--json')).stdout)).toMatchObject({ notices: [], givenUp: [{ id: 'n2', lastError: '550 no such mailbox' }] });
  expect((await cli('retry', 'change-1')).stdout).toBe('0 log-outs and 0 notices due now\n');
  expect(await cli('retry', '--given-up', 'change-1')).toMatchObject({ status: 0, stdout: '0 log-outs and 1 notice due now\n' });
  expect((await noticeDelivery?.outbox.claimDue(10, 1000, 'first'))?.map(({ id }) => id)).toEqual(['n2']);
  await service.stop();
}, 180_000);
