import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { type Kysely, type Migration, Migrator, sql } from 'kysely';
import { MIGRATIONS } from '../../../server/state/migrations.ts';
import { connectState, openState, stateVersion } from '../../../server/state/stateDatabase.ts';
import { cli, configFile } from '../../fixtures/cli.ts';
import { ALICE, alive, change, logIn, NEW, startService, tempFolder } from '../../fixtures/service.ts';
import { type MariaDb, startMariaDb } from '../../services/mariadb.ts';
import { type Postgres, startPostgres } from '../../services/postgres.ts';

jest.setTimeout(180_000);

let mariadb: MariaDb;
let postgres: Postgres;
beforeAll(async () => { [mariadb, postgres] = await Promise.all([startMariaDb(), startPostgres()]); }, 180_000);
afterAll(async () => { await Promise.all([mariadb.stop(), postgres.stop()]); });

const ENGINES = ['sqlite', 'mariadb', 'postgres'] as const;
const urlOf = (engine: (typeof ENGINES)[number]): string | null => ({ sqlite: null, mariadb: mariadb.url, postgres: postgres.url })[engine];
const FAST = { firstDelayMs: 20, maxDelayMs: 50, leaseMs: 1000, pollMs: 20, alertAfterMs: 60_000 };
const text = (row: Record<string, unknown>) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value === null ? null : String(value)]));

const OUTBOX = [
  { change_id: randomUUID(), store: 'web', address: 'alice@example.test', state: 'confirmed', recorded_at: 1_700_000_000_000, changed_at: 1_700_000_000_500, password_version: 'version-1', settle_after: 1_700_000_010_000, attempts: 3, next_attempt_at: 4_000_000_000_000, last_error: 'SESSIONS_UNAVAILABLE', claimed_by: null, claimed_until: 0 },
  { change_id: randomUUID(), store: 'mail', address: 'bob@example.test', state: 'recorded', recorded_at: 1_700_000_000_001, changed_at: null, password_version: null, settle_after: 1_700_000_010_001, attempts: 0, next_attempt_at: 4_000_000_000_001, last_error: null, claimed_by: 'a-node', claimed_until: 4_000_000_000_000 },
];
const AUDIT = Array.from({ length: 50 }, (_, at) => ({
  at: 1_700_000_000_000 + at, request_id: `request-${String(at)}`, action: 'change', actor: 'alice@example.test', actor_kind: 'owner', address: 'alice@example.test',
  remote_address: '2001:db8::1', user_agent: 'Überbrowser 1.0', outcome: at % 2 === 0 ? 'done' : 'CURRENT_PASSWORD_WRONG', ended: '{"web":1}',
}));

/** The state as the first version that had steps left it, with rows; `steps` false: as the files of 0.1 were, which had none. */
async function firstVersion(folder: string, url: string | null, steps: boolean): Promise<void> {
  const { database } = connectState(folder, url);
  const first = { '001_outbox_and_audit': MIGRATIONS['001_outbox_and_audit'] as Migration };
  const migrator = new Migrator({ db: database, provider: { getMigrations: async () => first }, migrationTableName: 'mailbox_password_migration', migrationLockTableName: 'mailbox_password_migration_lock' });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw new Error('the first version could not be made', { cause: error });
  await database.insertInto('outbox').values(OUTBOX).execute();
  await database.insertInto('audit').values(AUDIT).execute();
  if (!steps) for (const thing of ['table mailbox_password_migration', 'table mailbox_password_migration_lock', 'index outbox_due', 'index audit_at']) await sql.raw(`drop ${thing}`).execute(database);
  await database.destroy();
}

test.each([...ENGINES.map((engine) => [engine, true] as const), ['sqlite', false] as const])('state of the first version on %s (with steps: %s) comes up to today\'s and keeps every row; what it owed is owed', async (engine, steps) => {
  const folder = tempFolder();
  await firstVersion(folder, urlOf(engine), steps);
  const { database } = await openState(folder, urlOf(engine));
  expect(await stateVersion(database)).toEqual({ applied: Object.keys(MIGRATIONS), pending: [], newer: [] });
  expect((await database.selectFrom('outbox').selectAll().orderBy('recorded_at').execute()).map(text)).toEqual(OUTBOX.map(text));
  expect((await database.selectFrom('audit').selectAll().orderBy('at').execute()).map(text)).toEqual(AUDIT.map(text));
  // Due now: the service of today delivers it.
  await database.updateTable('outbox').set({ next_attempt_at: 0 }).where('store', '=', 'web').execute();
  await database.destroy();
  const asked: string[] = [];
  const service = await startService({ dataDir: folder, overrides: { state: { url: urlOf(engine) }, revocation: FAST }, decorate: (wiring) => ({
    ...wiring, stores: wiring.stores.map((store) => ({ ...store, revokeAll: async ({ address, issuedBefore }) => { asked.push(`${address} ${String(issuedBefore)}`); return { revoked: {} }; } })),
  }) });
  await service.worker.runOnce();
  expect(asked).toEqual(['alice@example.test 1700000000500']);
  expect((await logIn(service.app, ALICE)).status).toBe(200);
  await service.stop();
});

/** What a later version may add: a table, and a column that the older one does not know. */
const LATER: Migration = {
  async up(database: Kysely<unknown>) {
    await database.schema.createTable('of_later').addColumn('id', 'varchar(64)', (column) => column.primaryKey()).execute();
    await database.schema.alterTable('outbox').addColumn('of_later', 'varchar(64)').execute();
  },
};
const steps = MIGRATIONS as Record<string, Migration>;

describe.each(['mariadb', 'postgres'] as const)('two nodes on %s while one of them is upgraded', (engine) => {
  afterEach(() => { delete steps['999_of_a_later_version']; });

  it('the old one works beside the new one, also after a restart; every change of either is logged out once', async () => {
    const { database: old } = connectState(tempFolder(), urlOf(engine));
    for (const { name } of await old.introspection.getTables({ withInternalKyselyTables: true })) await sql`drop table ${sql.table(name)}`.execute(old);
    await old.destroy();
    const dataDir = tempFolder();
    const node = () => startService({ dataDir, overrides: { state: { url: urlOf(engine) }, revocation: FAST } });
    const newer = async () => { const { database } = connectState(dataDir, urlOf(engine)); return (await stateVersion(database).finally(() => database.destroy())).newer; };
    const one = await node();
    const session = await logIn(one.app, ALICE);
    steps['999_of_a_later_version'] = LATER;
    const two = await node();
    delete steps['999_of_a_later_version'];
    expect(await newer()).toEqual(['999_of_a_later_version']);
    // The old one, running.
    expect((await change(one.app, session, { currentPassword: ALICE.password, newPassword: NEW })).json()).toMatchObject({ revocation: 'done' });
    expect(await alive(one.app, session)).toBe(false);
    // The old one, started again: a node that is upgraded last, or a rollback.
    await one.stop();
    const again = await node();
    const [here, there] = [await logIn(again.app, { address: ALICE.address, password: NEW }), await logIn(two.app, { address: ALICE.address, password: NEW })];
    expect((await change(again.app, here, { currentPassword: NEW, newPassword: 'Third!Harvest44' })).json()).toMatchObject({ revocation: 'done' });
    expect([await alive(again.app, here), await alive(two.app, there)]).toEqual([false, false]);
    expect((await change(two.app, await logIn(two.app, { address: ALICE.address, password: 'Third!Harvest44' }), { currentPassword: 'Third!Harvest44', newPassword: ALICE.password })).json()).toMatchObject({ revocation: 'done' });
    // What one of them owes the other may do.
    for (const [from, to] of [[again, two], [two, again]] as const) {
      const changeId = randomUUID();
      await from.wiring.outbox.record({ changeId, address: ALICE.address, stores: ['web'], passwordVersion: null, settleAfter: 0 });
      await from.wiring.outbox.confirm(changeId, 1000);
      await from.wiring.outbox.retryNow();
      expect(await to.worker.runOnce()).toBe(1);
      expect(await to.wiring.outbox.list(1)).toEqual([]);
    }
    await Promise.all([again.stop(), two.stop()]);
  });
});

test('doctor and `migrate status` name a state of a newer version, and the limits', async () => {
  const { file, dataDir } = configFile({});
  mkdirSync(dataDir, { recursive: true });
  const { database } = await openState(dataDir, null);
  await sql`insert into mailbox_password_migration (name, timestamp) values ('999_of_a_later_version', '2030-01-01')`.execute(database);
  await database.destroy();
  const { stdout } = await cli(['doctor', '--json', '-c', file]);
  expect(stdout).toMatch(/newer version of this program \(999_of_a_later_version\)/);
  expect(stdout).toMatch(/one release back/);
  const status = await cli(['migrate', 'status', '-c', file]);
  expect([status.status, status.stdout]).toEqual([0, expect.stringContaining('999_of_a_later_version   (of a newer version)')]);
});
