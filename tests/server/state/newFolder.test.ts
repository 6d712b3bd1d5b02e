import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'libsql';
import { DEMO_MAILBOXES } from '../../../server/drivers/embeddedDatabase.ts';
import { tempFolder } from '../../fixtures/service.ts';

jest.setTimeout(120_000);

const FIXTURE = join(__dirname, '..', '..', 'fixtures', 'newFolder.ts');

/** A process that has loaded everything; `open` gives it a folder and resolves with its answer. */
async function opener() {
  const child = spawn(process.execPath, ['--import', 'tsx', FIXTURE], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<string> => String((await answers.next()).value);
  const loaded = await answer();
  return {
    loaded,
    open: async (folder: string) => { child.stdin.write(`${folder}\n`); return answer(); },
    end: async () => { child.stdin.end(); await once(child, 'exit'); },
  };
}

type Opener = Awaited<ReturnType<typeof opener>>;
let openers: readonly Opener[] = [];
beforeAll(async () => { openers = await Promise.all(Array.from({ length: 4 }, opener)); });
afterAll(() => Promise.all(openers.map(({ end }) => end())));

const OLD_TABLE = 'CREATE TABLE mailbox (address varchar(320) PRIMARY KEY, display_name varchar(200) NOT NULL, hash varchar(255) NOT NULL, enabled integer NOT NULL, password_changed_at bigint NOT NULL, sessions_valid_from bigint NOT NULL)';

test.each([
  ['a new folder', (): void => undefined],
  ['a folder of 0.1', (file: string): void => { const old = new Database(file); old.exec(OLD_TABLE); old.close(); }],
])('commands that meet %s at the same moment wait for each other: each opens it, and it is filled once', async (_, prepare) => {
  expect(openers.map(({ loaded }) => loaded)).toEqual(Array<string>(4).fill('loaded'));
  const rounds = tempFolder();
  for (let round = 0; round < 6; round += 1) {
    const folder = join(rounds, String(round));
    mkdirSync(folder);
    const file = join(folder, 'host.db');
    prepare(file);
    expect(await Promise.all(openers.map(({ open }) => open(folder)))).toEqual(Array<string>(4).fill('done'));
    const database = new Database(file);
    expect(database.prepare('select address from mailbox order by address').all()).toEqual(DEMO_MAILBOXES.map(({ address }) => ({ address })));
    database.close();
  }
});
