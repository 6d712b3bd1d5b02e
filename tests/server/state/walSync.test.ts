import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteHandles, type SqliteHandles } from '../../../server/state/sqlite.ts';

// The disk's part is held back by the test: whether a write waits for it is what counts here, and no real disk waits on demand.
type Told = (error: NodeJS.ErrnoException | null) => void;
const held: Told[] = [];
const toDisk = (): Promise<void> => new Promise((resolve, reject) => { held.push((error) => { if (error === null) resolve(); else reject(error); }); });

interface Tables { thing: { id: number } }
let folder: string;
let state: SqliteHandles<Tables>;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mailbox-password-'));
  state = openSqliteHandles<Tables>(join(folder, 'state.db'), toDisk);
  await state.relaxed.schema.createTable('thing').addColumn('id', 'integer').execute();
});
afterEach(async () => {
  const closed = state.durable.destroy();
  while (held.length > 0) held.shift()?.(null);
  await closed;
  rmSync(folder, { recursive: true });
});

const turns = async (): Promise<void> => { for (let at = 0; at < 50; at += 1) await new Promise((resolve) => { setImmediate(resolve); }); };
const ids = async (): Promise<number[]> => (await state.durable.selectFrom('thing').select('id').orderBy('id').execute()).map(({ id }) => id);

function watched(work: Promise<unknown>) {
  const seen = { done: false, error: undefined as unknown };
  work.then(() => { seen.done = true; }, (error: unknown) => { seen.error = error; });
  return seen;
}
const add = (...numbers: number[]) => numbers.map((id) => watched(state.durable.insertInto('thing').values({ id }).execute()));

it('a durable write waits for a sync that began after it; those that come meanwhile share the next one', async () => {
  const [first] = add(1);
  await turns();
  expect([held.length, first?.done]).toEqual([1, false]);
  const [second, third] = add(2, 3);
  await turns();
  // Written, and seen by others, while the disk is busy.
  expect(await ids()).toEqual([1, 2, 3]);
  expect([held.length, second?.done, third?.done]).toEqual([1, false, false]);
  held.shift()?.(null);
  await turns();
  // The first sync says nothing of them.
  expect([first?.done, second?.done, third?.done, held.length]).toEqual([true, false, false, 1]);
  held.shift()?.(null);
  await turns();
  expect([second?.done, third?.done, held.length]).toEqual([true, true, 0]);
});

it('a transaction waits once, a question and a relaxed write not at all', async () => {
  const transaction = watched(state.durable.transaction().execute(async (both) => {
    await both.insertInto('thing').values({ id: 1 }).execute();
    await both.insertInto('thing').values({ id: 2 }).execute();
  }));
  await turns();
  expect([held.length, transaction.done]).toEqual([1, false]);
  await state.relaxed.insertInto('thing').values({ id: 3 }).execute();
  expect(await ids()).toEqual([1, 2, 3]);
  expect(held.length).toBe(1);
  held.shift()?.(null);
  await turns();
  expect([transaction.done, held.length]).toEqual([true, 0]);
});

it('a disk that fails is STATE_UNAVAILABLE for who waited, and the next write asks it again', async () => {
  const [first] = add(1);
  await turns();
  held.shift()?.(Object.assign(new Error('broken'), { code: 'EIO' }));
  await turns();
  expect(first?.error).toMatchObject({ code: 'STATE_UNAVAILABLE', detail: expect.stringContaining('EIO') });
  const [second] = add(2);
  await turns();
  held.shift()?.(null);
  await turns();
  expect(second?.done).toBe(true);
});
