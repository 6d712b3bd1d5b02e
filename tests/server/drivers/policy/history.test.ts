import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import driver from '../../../../server/drivers/policy/history.ts';
import { Secret } from '../../../../server/secret.ts';
import { openState, type StateDatabase } from '../../../../server/state/stateDatabase.ts';
import { optionsOf, policyContext } from './policyContext.ts';

const address = 'Alice@Example.test';
const call = { signal: AbortSignal.timeout(600_000) };
let folder: string;
let state: StateDatabase;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mailbox-password-'));
  state = (await openState(folder, null)).database;
});
afterEach(async () => {
  await state.destroy();
  rmSync(folder, { recursive: true });
});

async function start(count: number) {
  let now = 1_700_000_000_000;
  const rule = await driver.create(optionsOf(driver, { count }), { ...policyContext('history', state), clock: { now: () => (now += 10) } });
  return {
    rule,
    known: (password: string, mailbox = address) => rule.isViolated({ address: mailbox, next: new Secret(password) }, call),
    remember: (next: string, current: string | null) => rule.remember({ address, next: new Secret(next), current: current === null ? null : new Secret(current) }),
  };
}

test('the last n, the present one among them; an older one is free again; another mailbox is another matter', async () => {
  const { rule, known, remember } = await start(3);
  expect(rule.rule).toEqual({ code: 'PASSWORD_IN_HISTORY', params: { count: 3 } });
  expect(await known('one')).toBe(false);
  await remember('two', 'one');
  await remember('three', 'two');
  expect([await known('one'), await known('two'), await known('three')]).toEqual([true, true, true]);
  await remember('four', 'three');
  expect([await known('one'), await known('two'), await known('three'), await known('four')]).toEqual([false, true, true, true]);
  expect(await known('four', 'bob@example.test')).toBe(false);
  expect(await known('four', 'aLICE@example.TEST')).toBe(true);
  expect(await state.selectFrom('password_history').select('id').execute()).toHaveLength(3);
});

test('a password that was set elsewhere in between is remembered when its owner replaces it', async () => {
  const { known, remember } = await start(5);
  await remember('by an administrator', null);
  await remember('next', 'set behind our back');
  expect([await known('by an administrator'), await known('set behind our back'), await known('next')]).toEqual([true, true, true]);
  expect(await state.selectFrom('password_history').select('id').execute()).toHaveLength(3);
});

test('only Argon2id hashes are kept, each with a salt of its own', async () => {
  const { remember } = await start(5);
  await remember('the same', null);
  await remember('the same', null);
  const rows = await state.selectFrom('password_history').selectAll().execute();
  expect(rows.map(({ hash }) => hash.slice(0, 31))).toEqual(['$argon2id$v=19$m=19456,t=2,p=1$', '$argon2id$v=19$m=19456,t=2,p=1$']);
  expect(new Set(rows.map(({ hash }) => hash)).size).toBe(2);
  expect(JSON.stringify(rows)).not.toContain('the same');
});

test('fewer in the configuration: fewer count, and the rest goes with the next change', async () => {
  const five = await start(5);
  for (const [next, current] of [['b', 'a'], ['c', 'b'], ['d', 'c']] as const) await five.remember(next, current);
  const two = await start(2);
  expect([await two.known('b'), await two.known('c'), await two.known('d')]).toEqual([false, true, true]);
});
