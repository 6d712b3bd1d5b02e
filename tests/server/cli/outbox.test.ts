import { expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { startService } from '../../fixtures/service.ts';

const root = join(__dirname, '..', '..', '..');

it('outbox list says what is owed, retry makes it due, both beside a running service', async () => {
  const service = await startService();
  const cli = (...args: string[]) => spawnSync(process.execPath, ['--import', 'tsx', join(root, 'server/cli/main.ts'), 'outbox', ...args], {
    cwd: root, encoding: 'utf8', env: { ...process.env, MAILBOX_PASSWORD__DATADIR: service.dataDir } });
  expect(cli('list')).toMatchObject({ status: 0, stdout: 'nothing is owed\n' });
  const { outbox } = service.wiring;
  await outbox.record({ changeId: 'change-1', address: 'alice@example.test', stores: ['web', 'mail'], passwordVersion: 'secret-version', settleAfter: 0 });
  await outbox.confirm('change-1', 1000);
  await outbox.fail('change-1', 'mail', 'SESSIONS_UNAVAILABLE', Date.now() + 60_000);
  const listed = cli('list');
  expect(listed.status).toBe(1);
  expect(listed.stdout).toMatch(/change-1 {2}mail .*alice@example\.test .*tries 1 .*SESSIONS_UNAVAILABLE/);
  expect(JSON.parse(cli('list', '--json').stdout)).toHaveLength(2);
  expect(cli('retry', 'no-such-change').status).toBe(1);
  expect(cli('retry', 'change-1')).toMatchObject({ status: 0, stdout: '2 due now\n' });
  expect((await outbox.claimDue(10, 1000)).map(({ store }) => store).sort()).toEqual(['mail', 'web']);
  await service.stop();
}, 60_000);
