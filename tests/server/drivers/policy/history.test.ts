import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStateOutbox } from '../../../../server/drivers/outbox/state.ts';
import driver from '../../../../server/drivers/policy/history.ts';
import { Secret } from '../../../../server/secret.ts';
import { type OpenedState, openState } from '../../../../server/state/stateDatabase.ts';
import { optionsOf, policyContext } from './policyContext.ts';

const address = 'Alice@Example.test';
const call = { signal: AbortSignal.timeout(600_000) };
let folder: string;
let opened: OpenedState;
let state: OpenedState['database'];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mailbox-password-'));
  opened = await openState(folder, null);
  state = opened.database;
});
afterEach(async () => {
  await state.destroy();
  rmSync(folder, { recursive: true });
});

async function start(count: number) {
  let now = 1_700_000_000_000;
  const clock = { now: () => (now += 10) };
  const outbox = createStateOutbox(opened, clock, 1000);
  const rule = await driver.create(optionsOf(driver, { count }), { ...policyContext('history', state), clock });
  return {
    rule,
    known: async (password: string, mailbox = address) => (await rule.judge({ address: mailbox, next: new Secret(password) }, call)) === 'violated',
    /** One change, as the use case writes it down. */
    async remember(next: string, current: string | null, outcome: 'confirm' | 'cancel' | 'open' = 'confirm') {
      const changeId = randomUUID();
      const memories = await rule.remember({ address, next: new Secret(next), current: current === null ? null : new Secret(current) });
      await outbox.record({ changeId, address, stores: ['web'], passwordVersion: null, settleAfter: 0, memories });
      if (outcome === 'open') return changeId;
      await (outcome === 'confirm' ? outbox.confirm(changeId, now) : outbox.cancel(changeId));
      await rule.forget(address);
      return changeId;
    },
    outbox,
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

test('a change that was refused leaves nothing; one that is not certain counts from the moment on which it is', async () => {
  const { known, remember, outbox } = await start(3);
  await remember('b', 'a');
  await remember('refused', 'b', 'cancel');
  expect([await known('a'), await known('b'), await known('refused')]).toEqual([true, true, false]);
  const changeId = await remember('c', 'b', 'open');
  expect([await known('b'), await known('c')]).toEqual([true, false]);
  await outbox.confirm(changeId, Date.now());
  expect(await known('c')).toBe(true);
  // What was confirmed is no longer anybody's to take back.
  await outbox.cancel(changeId);
  expect(await known('c')).toBe(true);
  expect(await state.selectFrom('password_history').select('change_id').execute()).toEqual([{ change_id: null }, { change_id: null }, { change_id: null }]);
});

test('the password that a change would replace is known at once: between a crash and its settling nobody changes back to it', async () => {
  const { known, remember } = await start(3);
  await remember('b', 'a', 'open');
  expect([await known('a'), await known('b')]).toEqual([true, false]);
  await remember('c', 'a', 'cancel');
  expect(await state.selectFrom('password_history').select('id').where('change_id', 'is', null).execute()).toHaveLength(1);
});
