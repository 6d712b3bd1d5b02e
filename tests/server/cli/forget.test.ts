import historyRule from '../../../server/drivers/policy/history.ts';
import { Secret } from '../../../server/secret.ts';
import { openState } from '../../../server/state/stateDatabase.ts';
import { cli, configFile } from '../../fixtures/cli.ts';
import { optionsOf, policyContext } from '../drivers/policy/policyContext.ts';

const call = { signal: AbortSignal.timeout(600_000) };

test('forget: who gets the address of a deleted mailbox is not refused the passwords of the one before; other mailboxes keep theirs', async () => {
  const { file, dataDir } = configFile({});
  const { database } = await openState(dataDir, null);
  try {
    const rule = await historyRule.create(optionsOf(historyRule, { count: 5 }), policyContext('history', database));
    const judged = (address: string) => rule.judge({ address, next: new Secret('Only-mine-1') }, call);
    for (const mailbox of ['gone@example.test', 'alice@example.test']) {
      for (const { id, address, at, hash } of await rule.remember({ address: mailbox, current: new Secret('Before-it-0'), next: new Secret('Only-mine-1') })) await database.insertInto('password_history').values({ id, address, at, hash, change_id: null }).execute();
    }
    expect([await judged('gone@example.test'), await judged('alice@example.test')]).toEqual(['violated', 'violated']);

    expect(await cli(['forget', 'Gone@Example.test', '-c', file])).toMatchObject({ status: 0, stdout: 'Gone@Example.test: 2 old passwords were forgotten\n' });
    expect([await judged('gone@example.test'), await judged('alice@example.test')]).toEqual(['met', 'violated']);
    expect(await cli(['forget', 'gone@example.test', '--json', '-c', file])).toMatchObject({ status: 0, stdout: `${JSON.stringify({ address: 'gone@example.test', forgotten: 0 }, null, 2)}\n` });
  } finally {
    await database.destroy();
  }
}, 120_000);
