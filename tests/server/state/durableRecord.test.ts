import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStateOutbox } from '../../../server/drivers/outbox/state.ts';
import { openSqliteHandles, type SqliteHandles } from '../../../server/state/sqlite.ts';
import { migrateState, type StateTables } from '../../../server/state/stateDatabase.ts';

// The disk answers when the test lets it: no real one loses its power on demand.
let busy = false;
const held: (() => void)[] = [];
const toDisk = (): Promise<void> => (busy ? new Promise((resolve) => { held.push(resolve); }) : Promise.resolve());
const letGo = (): void => { held.splice(0).forEach((resolve) => { resolve(); }); };

let folder: string;
let state: SqliteHandles<StateTables>;
beforeEach(async () => {
  busy = false;
  folder = mkdtempSync(join(tmpdir(), 'mailbox-password-'));
  state = openSqliteHandles<StateTables>(join(folder, 'state.db'), toDisk);
  await migrateState({ database: state.durable, shared: false, unhurried: (work) => work() });
  busy = true;
});
afterEach(async () => {
  busy = false;
  letGo();
  await state.durable.destroy();
  rmSync(folder, { recursive: true });
});

const turns = async (): Promise<void> => { for (let at = 0; at < 50; at += 1) await new Promise((resolve) => { setImmediate(resolve); }); };
const memory = { id: 'one', address: 'alice@example.test', at: 1, hash: '$argon2id$', certain: false };

it.each([['alone', []], ['with what the history keeps of it', [memory]]])('I1 what is owed is on the disk before the password may be touched, also in a power cut: %s', async (_name, memories) => {
  const outbox = createStateOutbox({ database: state.durable, relaxed: state.relaxed }, { now: Date.now }, 30_000);
  let recorded = false;
  const recording = outbox.record({ changeId: 'change', address: 'alice@example.test', stores: ['web', 'mail'], passwordVersion: 'old', settleAfter: 0, memories }).then(() => { recorded = true; });
  await turns();
  expect([recorded, held.length]).toEqual([false, 1]);
  // Written for everybody in this machine, and not yet on the disk.
  expect((await outbox.list(10)).map(({ store }) => store).sort()).toEqual(['mail', 'web']);
  letGo();
  await recording;
  // What a power cut may take back waits for no disk: the record is settled and delivered once more then.
  await outbox.confirm('change', Date.now());
  await outbox.complete('change', 'web');
  expect(held).toEqual([]);
  expect((await outbox.list(10)).map(({ store, state: at }) => [store, at])).toEqual([['mail', 'confirmed']]);
});
