import { join } from 'node:path';
import Database from 'libsql';
import { ModuleError } from '../../../module/errors.ts';
import { createHasher } from '../../../server/hashing/hasher.ts';
import { Secret } from '../../../server/secret.ts';
import { ALICE, startService, tempFolder } from '../../fixtures/service.ts';
import { enterUser } from './panelClient.ts';

test('at the User Panel\'s log-in a mailbox that cannot log in (a scheme that nobody verifies here, two rows) is a wrong password like one that is not there, after the same work; the log says why (I7)', async () => {
  const file = join(tempFolder(), 'mail.db');
  const database = new Database(file);
  // No key: an installation in which an address came to stand twice.
  database.exec("CREATE TABLE mailbox (username varchar(255), password varchar(255) NOT NULL, name varchar(255) NOT NULL DEFAULT '', domain varchar(255) NOT NULL, active smallint NOT NULL DEFAULT 1)");
  const stored = await (await createHasher({ scheme: 'BLF-CRYPT', prefix: true, bcryptCost: 5 })).hash(new Secret(ALICE.password));
  const insert = database.prepare("INSERT INTO mailbox (username, password, domain) VALUES (?, ?, 'example.test')");
  for (const [name, password] of [['alice', stored], ['odd', '{CRAM-MD5}9186d855e11eba527a7a52ca82b313e1'], ['twice', stored], ['twice', stored]]) insert.run(`${String(name)}@example.test`, password);
  database.close();
  const service = await startService({ overrides: { accounts: [{ driver: 'sql', domains: ['*'], url: `sqlite:${file}`, preset: 'postfixadmin' }] } });
  try {
    const says = async (name: string) => {
      const { status, body: { requestId, ...body } } = await enterUser(service.app, { address: `${name}@example.test`, password: ALICE.password });
      return { status, body, requestId };
    };
    const [nobody, odd, twice] = [await says('nobody'), await says('odd'), await says('twice')];
    expect([nobody.status, nobody.body['code']]).toEqual([401, 'CREDENTIALS_WRONG']);
    for (const one of [odd, twice]) expect([one.status, one.body]).toEqual([nobody.status, nobody.body]);
    expect((await says('alice')).status).toBe(200);
    const errors = service.lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ level }) => level === 50);
    expect(errors).toEqual([
      expect.objectContaining({ requestId: odd.requestId, address: 'odd@example.test', code: 'ACCOUNTS_MISCONFIGURED', detail: 'scheme CRAM-MD5 cannot be verified' }),
      expect.objectContaining({ requestId: twice.requestId, address: 'twice@example.test', code: 'ACCOUNT_AMBIGUOUS' }),
    ]);
    const { events } = await service.wiring.audit.read({ domains: null, cursor: null, limit: 10 });
    expect(events.map(({ address, outcome }) => [address, outcome]).reverse().slice(0, 3)).toEqual(['nobody', 'odd', 'twice'].map((name) => [`${name}@example.test`, 'CREDENTIALS_WRONG']));
  } finally {
    await service.stop();
  }
});

test('that the account API is down or set up wrong is said as it is: never as a wrong password', async () => {
  for (const code of ['ACCOUNTS_UNAVAILABLE', 'ACCOUNTS_MISCONFIGURED'] as const) {
    const { app, stop } = await startService({ decorate: (wiring) => ({ ...wiring, accounts: { ...wiring.accounts, verifyPassword: () => Promise.reject(new ModuleError(code)) } }) });
    try {
      expect((await enterUser(app, ALICE)).body['code']).toBe(code);
    } finally {
      await stop();
    }
  }
});
