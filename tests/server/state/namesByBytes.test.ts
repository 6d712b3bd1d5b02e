import { type Kysely, type Migration, Migrator } from 'kysely';
import { createStateAudit } from '../../../server/drivers/audit/state.ts';
import { createPanelSessions } from '../../../server/panels/panelSessions.ts';
import type { PanelTables } from '../../../server/panels/tables.ts';
import historyRule from '../../../server/drivers/policy/history.ts';
import { Secret } from '../../../server/secret.ts';
import { MIGRATIONS } from '../../../server/state/migrations.ts';
import { connectState, openState, type StateDatabase } from '../../../server/state/stateDatabase.ts';
import { tempFolder } from '../../fixtures/service.ts';
import { type MariaDb, startMariaDb } from '../../services/mariadb.ts';
import { optionsOf, policyContext } from '../drivers/policy/policyContext.ts';

jest.setTimeout(120_000);
let mariadb: MariaDb;
const opened: StateDatabase[] = [];
beforeAll(async () => { mariadb = await startMariaDb(); }, 120_000);
afterAll(async () => { for (const database of opened) await database.destroy(); await mariadb.stop(); });

const call = { signal: AbortSignal.timeout(600_000) };
/** Pairs that a usual collation holds for one and the same. */
const PAIRS = [['jörg@example.test', 'jorg@example.test'], ['strauß@example.test', 'strauss@example.test'], ['anna@exämple.test', 'anna@example.test'], ['eva@example.test ', 'eva@example.test']] as const;

/** A database with this collation; where `before` is given, brought to the step before first and filled. */
async function state(name: string, collation: string, before?: (database: StateDatabase) => Promise<void>): Promise<StateDatabase> {
  await mariadb.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE ${collation}`);
  const url = mariadb.url.replace(/mail$/, name);
  if (before !== undefined) {
    const { database } = connectState(tempFolder(), url);
    const older = Object.fromEntries(Object.entries(MIGRATIONS).filter(([step]) => step < '009')) as Record<string, Migration>;
    const { error } = await new Migrator({ db: database, provider: { getMigrations: async () => older }, migrationTableName: 'mailbox_password_migration', migrationLockTableName: 'mailbox_password_migration_lock' }).migrateToLatest();
    expect(error).toBeUndefined();
    await before(database);
    await database.destroy();
  }
  const { database } = await openState(tempFolder(), url);
  opened.push(database);
  return database;
}

const panels = (database: StateDatabase) => database as unknown as Kysely<PanelTables>;
const sessionsOf = (database: StateDatabase) => createPanelSessions(panels(database), { now: () => 1_700_000_000_000 }, { user: { idleSeconds: 900, absoluteSeconds: 3600 }, admin: { idleSeconds: 900, absoluteSeconds: 3600 } });
const session = (subject: string) => ({ kind: 'user' as const, subject, credential: '', issuedAt: 1_699_999_999_000, client: '', remoteAddress: '' });

describe.each(['utf8mb4_general_ci', 'utf8mb4_unicode_ci', 'utf8mb4_uca1400_ai_ci'])('mailboxes that %s holds for one', (collation) => {
  test('keep their own panel sessions, passwords and history', async () => {
    const database = await state(`fresh_${collation}`, collation);
    const rule = await historyRule.create(optionsOf(historyRule, { count: 5 }), policyContext('history', database));
    const sessions = sessionsOf(database);
    const audit = createStateAudit(database);
    for (const [one, other] of PAIRS) {
      const [mine, theirs] = [await sessions.open(session(one)), await sessions.open(session(other))];
      await sessions.revokeAll(other, 1_700_000_000_000);
      expect(await sessions.find('user', mine.token)).toMatchObject({ subject: one });
      expect(await sessions.find('user', theirs.token)).toBeNull();
      expect(await sessions.revokeAll(one, 1_700_000_000_000)).toBe(1);

      for (const { id, address, at, hash } of await rule.remember({ address: one, current: null, next: new Secret('Only-mine-1') })) await database.insertInto('password_history').values({ id, address, at, hash, change_id: null }).execute();
      expect(await rule.judge({ address: one, next: new Secret('Only-mine-1') }, call)).toBe('violated');
      expect(await rule.judge({ address: other, next: new Secret('Only-mine-1') }, call)).toBe('met');

      await audit.append({ at: 1, requestId: one, action: 'change', actor: one, actorKind: 'owner', address: one, remoteAddress: '', userAgent: '', outcome: 'done', ended: {} });
    }
    const { events } = await audit.read({ domains: ['example.test'], address: 'ANNA', actor: undefined, outcome: undefined, from: undefined, to: undefined, cursor: null, limit: 10 });
    expect(events).toEqual([]);
  });
});

test('rows of before the step stay', async () => {
  const database = await state('older', 'utf8mb4_general_ci', async (older) => { await panels(older).insertInto('panel_mark').values({ address: 'jörg@example.test', valid_from: 5 }).execute(); });
  expect(await panels(database).selectFrom('panel_mark').select('address').where('address', '=', 'jorg@example.test').execute()).toEqual([]);
  expect((await panels(database).selectFrom('panel_mark').selectAll().where('address', '=', 'jörg@example.test').execute()).map(({ valid_from }) => Number(valid_from))).toEqual([5]);
});
