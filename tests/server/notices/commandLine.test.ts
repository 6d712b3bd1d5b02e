import { join } from 'node:path';
import { openSqlite } from '../../../server/state/sqlite.ts';
import type { StateTables } from '../../../server/state/stateDatabase.ts';
import { cli, configFile } from '../../fixtures/cli.ts';
import { ALICE, BOB, NEW } from '../../fixtures/service.ts';

/** Each command is a process of its own; a loaded machine starts one in seconds. */
const SLOW = 180_000;

/** What a command owes is written down beside the service, whose worker sends it. */
async function kept(dataDir: string) {
  const database = openSqlite<StateTables>(join(dataDir, 'state.db'));
  const notices = await database.selectFrom('notice').selectAll().orderBy('recorded_at').execute();
  const audit = await database.selectFrom('audit').selectAll().orderBy('at').execute();
  const history = await database.selectFrom('password_history').selectAll().execute();
  await database.destroy();
  return { notices: notices.map(({ facts, ...row }) => ({ ...row, facts: JSON.parse(facts) as Record<string, unknown> })), audit, history };
}

test('set and logout: the same rules, the same notices and the same audit rows as in the Admin Panel', async () => {
  const { file, dataDir } = configFile({
    serverRules: [{ driver: 'history', count: 3 }], notify: { driver: 'log' }, notices: { from: { name: 'Example', address: 'no-reply@example.test' } },
  });
  const run = (args: readonly string[], input = '') => cli([...args, '--config', file], { input });

  expect((await run(['set', ALICE.address, '--password-stdin'], `${NEW}\n`)).status).toBe(0);
  const again = await run(['set', ALICE.address, '--password-stdin'], `${NEW}\n`);
  expect([again.status, again.stderr]).toEqual([65, expect.stringContaining('PASSWORD_IN_HISTORY')]);
  expect(again.stderr).not.toContain(NEW);
  expect((await run(['set', ALICE.address, '--password-stdin'], 'short\n')).stderr).toContain('PASSWORD_TOO_SHORT');
  expect((await run(['logout', BOB.address])).status).toBe(0);

  const { notices, audit, history } = await kept(dataDir);
  expect(notices.map(({ recipient, state, facts }) => [recipient, state, facts['event'], facts['by'], facts['onServer'], facts['ip'], facts['name']])).toEqual([
    [ALICE.address, 'confirmed', 'set', 'operator', true, null, null], [BOB.address, 'confirmed', 'logout', 'operator', true, null, null],
  ]);
  expect(notices.every(({ facts }) => facts['ended'] !== null)).toBe(true);
  expect(audit.map(({ action, actor, actor_kind, address, outcome, remote_address }) => [action, actor, actor_kind, address, outcome, remote_address])).toEqual([
    ['set', 'cli', 'operator', ALICE.address, 'done', 'local'], ['set', 'cli', 'operator', ALICE.address, 'PASSWORD_REJECTED', 'local'], ['revoke', 'cli', 'operator', BOB.address, 'done', 'local'],
  ]);
  expect(history).toHaveLength(1);
  expect(JSON.stringify({ notices, audit, history })).not.toContain(NEW);
}, SLOW);
