import { join } from 'node:path';
import Database from 'libsql';
import { pino } from 'pino';
import driver from '../../../server/drivers/accounts/sql.ts';
import { createHasher } from '../../../server/hashing/hasher.ts';
import { Secret } from '../../../server/secret.ts';
import { tempFolder } from '../../fixtures/service.ts';

const within = () => ({ signal: AbortSignal.timeout(20_000) });
const PASSWORD = new Secret('Wonder-land-7');

test('a mailbox that is locked by its stored password is told apart from none, and from a wrong password, by nobody (I7)', async () => {
  const file = join(tempFolder(), 'mail.db');
  const database = new Database(file);
  database.exec("CREATE TABLE mailbox (username varchar(255) PRIMARY KEY, password varchar(255) NOT NULL, name varchar(255) NOT NULL DEFAULT '', domain varchar(255) NOT NULL, active smallint NOT NULL DEFAULT 1)");
  const stored = await (await createHasher({ scheme: 'BLF-CRYPT', prefix: false, bcryptCost: 5 })).hash(PASSWORD);
  const insert = database.prepare("INSERT INTO mailbox (username, password, domain) VALUES (?, ?, 'example.test')");
  for (const [name, password] of [['alice', stored], ['excl', `!${stored}`], ['star', '*'], ['empty', '']]) insert.run(`${String(name)}@example.test`, password);
  database.close();
  const accounts = await driver.create(driver.options.validateSync({ url: `sqlite:${file}`, preset: 'postfixadmin' }, { strict: true }) as never, { name: 'sql', dataDir: '/nowhere', clock: { now: () => Date.now() }, log: pino({ level: 'silent' }) });
  try {
    for (const name of ['excl', 'star', 'empty', 'nobody']) {
      const address = `${name}@example.test`;
      expect(await accounts.verifyPassword(address, PASSWORD, within())).toBe(false);
      await expect(accounts.changePassword(address, PASSWORD, new Secret('Fresh!Harvest42'), within())).rejects.toMatchObject({ code: 'CURRENT_PASSWORD_WRONG' });
    }
    expect(await accounts.verifyPassword('alice@example.test', PASSWORD, within())).toBe(true);
  } finally {
    await accounts.close();
  }
});
