import { sql } from 'kysely';
import { createStateAudit, newestFirst } from '../../../../server/drivers/audit/state.ts';
import { historyCsv } from '../../../../server/http/panels/historyCsv.ts';
import type { AuditEvent } from '../../../../server/ports/auditLog.ts';
import { openState, type OpenedState } from '../../../../server/state/stateDatabase.ts';
import { tempFolder } from '../../../fixtures/service.ts';

jest.setTimeout(120_000);
const ROWS = 25_000;
const BATCH = 500;
/** Three rows a millisecond, so that the time alone parts no two of them. */
const row = (n: number) => ({
  at: 1_700_000_000_000 + Math.floor(n / 3), request_id: `request-${String(n).padStart(6, '0')}`, action: 'change', actor: `m${String(n % 1000)}@example.test`, actor_kind: 'owner',
  address: `m${String(n % 1000)}@${n % 5 === 0 ? 'five' : 'other'}.test`, remote_address: '192.0.2.1', user_agent: 'x', outcome: n % 7 === 0 ? 'RATE_LIMITED' : 'done', ended: '{}',
});

let state: OpenedState;
beforeAll(async () => {
  state = await openState(tempFolder(), null);
  for (let first = 0; first < ROWS; first += BATCH) await state.database.insertInto('audit').values(Array.from({ length: BATCH }, (_, n) => row(first + n))).execute();
});
afterAll(async () => { await state.database.destroy(); });

test('page by page, whatever is asked for comes once and newest first, also where the rows lie far apart', async () => {
  const audit = createStateAudit(state.database);
  for (const [query, wanted] of [
    [{ domains: null }, () => true],
    [{ domains: ['five.test'], outcome: 'refused' as const }, (n: number) => n % 35 === 0],
    [{ domains: null, address: 'm7@', from: row(3_000).at, to: row(21_000).at }, (n: number) => n % 1000 === 7 && n >= 3_000 && n < 21_000],
  ] as const) {
    const found: AuditEvent[] = [];
    let cursor: string | null = null;
    do {
      const page = await audit.read({ ...query, cursor, limit: 1_000 });
      found.push(...page.events);
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(found.map(({ requestId }) => requestId)).toEqual(Array.from({ length: ROWS }, (_, n) => n).filter(wanted).reverse().map((n) => row(n).request_id));
  }
});

test('a page is looked up, not counted off from the top', async () => {
  const below = { at: row(100).at, requestId: row(100).request_id };
  const plan = await newestFirst(state.database, {}, below).selectAll().limit(51).explain<{ detail: string }>(undefined, sql`query plan`);
  expect(plan.map(({ detail }) => detail)).toEqual([expect.stringMatching(/^SEARCH audit USING INDEX audit_at \(at<\?\)$/)]);
});

/** How often others had their turn meanwhile. */
async function turnsDuring(work: () => Promise<void>): Promise<number> {
  let turns = 0;
  let over = false;
  const take = (): void => { turns += 1; if (!over) setImmediate(take); };
  setImmediate(take);
  await work();
  over = true;
  return turns;
}

test('a search that finds nothing lets others have their turn', async () => {
  expect(await turnsDuring(async () => {
    expect(await createStateAudit(state.database).read({ domains: ['nowhere.test'], cursor: null, limit: 50 })).toEqual({ events: [], nextCursor: null });
  })).toBeGreaterThanOrEqual(2);
});

test('so does the file of all of it', async () => {
  let lines = 0;
  expect(await turnsDuring(async () => {
    for await (const part of historyCsv(createStateAudit(state.database), { domains: null })) lines += part.split('\r\n').length - 1;
  })).toBeGreaterThanOrEqual(ROWS / 500);
  expect(lines).toBe(ROWS + 1);
});
