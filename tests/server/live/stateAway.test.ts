import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ADMIN_PANEL_OPERATIONS, USER_PANEL_OPERATIONS } from '../../../module/panelOperations.ts';
import { hashAdministratorPassword } from '../../../server/panels/administrators.ts';
import { ALICE, BOB, change, logIn, NEW, startService } from '../../fixtures/service.ts';
import { startMariaDb } from '../../services/mariadb.ts';
import { startPostgres } from '../../services/postgres.ts';
import { call, enterAdmin, enterUser, type Panel } from '../panels/panelClient.ts';

const ADMIN = { name: 'admin', password: 'Admin-demo-9' };
/** What each operation is sent; the rest takes nothing. */
const SENT: Readonly<Record<string, object>> = {
  logIn: { address: BOB.address, password: BOB.password }, changePassword: { currentPassword: ALICE.password, newPassword: NEW }, endDevice: { store: 'web', id: 'x' }, endDevices: { which: 'others' },
  setPassword: { address: ALICE.address, newPassword: NEW, passwordVersion: null }, requireChange: { address: ALICE.address, required: true }, endSessions: { address: ALICE.address }, countSessions: { addresses: [ALICE.address] },
};
const QUERY: Readonly<Record<string, string>> = { listMailboxes: '?domain=example.test', getMailbox: `?address=${ALICE.address}` };

describe.each(['mariadb', 'postgres'] as const)('the state database on %s', (engine) => {
  let database: Awaited<ReturnType<typeof startMariaDb>> | Awaited<ReturnType<typeof startPostgres>>;
  let service: Awaited<ReturnType<typeof startService>>;
  let [user, admin]: Panel[] = [];
  beforeAll(async () => {
    database = engine === 'mariadb' ? await startMariaDb() : await startPostgres();
    service = await startService({ overrides: { state: { url: database.url } } });
    [user, admin] = [await enterUser(service.app, ALICE), await enterAdmin(service.app)];
  }, 120_000);
  afterAll(async () => {
    await service.stop();
    await database.stop();
  }, 60_000);

  async function everyAnswer(): Promise<Record<string, { status: number; body: Record<string, unknown> }>> {
    const answers: Record<string, { status: number; body: Record<string, unknown> }> = {};
    for (const [name, panel, operations] of [['user', user, USER_PANEL_OPERATIONS], ['admin', admin, ADMIN_PANEL_OPERATIONS]] as const) {
      for (const [operation, { method, path }] of Object.entries<{ readonly method: 'GET' | 'POST'; readonly path: string }>(operations)) {
        // Without administrators of the host these two ask no database; the checks ask for nothing where no server rule is configured.
        if (/HostAdministrator|logInByHost|checkPassword/.test(operation)) continue;
        const payload = name === 'admin' && operation === 'logIn' ? ADMIN : (SENT[operation] ?? {});
        answers[`${name}.${operation}`] = await call(service.app, panel as Panel, method, path + (QUERY[operation] ?? ''), method === 'POST' ? payload : undefined);
      }
    }
    return answers;
  }

  it('that is gone: every operation of both panels and the section says so with a code, nothing has changed, and nobody has to restart or log in again', async () => {
    const webmail = await logIn(service.app, ALICE);
    await database.kill();
    let answers: Awaited<ReturnType<typeof everyAnswer>>;
    try {
      answers = await everyAnswer();
      answers['section.change'] = await change(service.app, webmail, SENT['changePassword']).then((answer) => ({ status: answer.statusCode, body: answer.json<Record<string, unknown>>() }));
    } finally {
      await database.start();
    }
    for (const [name, { status, body }] of Object.entries(answers)) expect([name, status, body['code'], body['changed'], body['retryable']]).toEqual([name, 503, 'STATE_UNAVAILABLE', 'no', true]);
    for (const [panel, at] of [[user, '/panel/api/v1/devices'], [admin, '/admin/api/v1/history'], [admin, '/admin/api/v1/history.csv']] as const)
      expect((await call(service.app, panel as Panel, 'GET', at)).status).toBe(200);
    expect((await enterUser(service.app, ALICE)).status).toBe(200);
    expect(service.lines.filter((line) => [ALICE, BOB, ADMIN, { password: NEW }].some(({ password }) => line.includes(password)))).toEqual([]);
  }, 180_000);

  it.each([['panel_session', '/admin/api/v1/session'], ['audit', '/admin/api/v1/history'], ['audit', '/admin/api/v1/history.csv']])('that has no table %s any more: %s has a code, not half an answer', async (table, path) => {
    await database.query(`ALTER TABLE ${table} RENAME TO ${table}_away`);
    try {
      expect(await call(service.app, admin as Panel, 'GET', path)).toMatchObject({ status: 503, body: { code: 'STATE_UNAVAILABLE', changed: 'no' } });
    } finally {
      await database.query(`ALTER TABLE ${table}_away RENAME TO ${table}`);
    }
    expect((await call(service.app, admin as Panel, 'GET', path)).status).toBe(200);
  }, 60_000);

  it.each([['a NUL', 'x\0@mail.test'], ['an emoji', '\u{1F600}@mail.test'], ['half a surrogate pair', '\uD800@mail.test'], ['a turn of direction', '\u202Ex@mail.test'], ['10,000 characters', `${'x'.repeat(10_000)}@mail.test`]])('writes down who is refused, also with %s in the address', async (_name, address) => {
    const keeper = await startService({ overrides: { state: { url: database.url }, administrators: [{ name: 'keeper', passwordHash: await hashAdministratorPassword('Keeper-of-1-domain'), domains: ['example.test'] }] } });
    try {
      const panel = await enterAdmin(keeper.app, { name: 'keeper', password: 'Keeper-of-1-domain' });
      const before = Number((await database.query("SELECT count(*) AS n FROM audit WHERE action = 'access'"))[0]?.['n']);
      expect(await call(keeper.app, panel, 'POST', '/admin/api/v1/mailbox/end-sessions', { address })).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
      expect(Number((await database.query("SELECT count(*) AS n FROM audit WHERE action = 'access'"))[0]?.['n'])).toBe(before + 1);
    } finally {
      await keeper.stop();
    }
  }, 60_000);
});
