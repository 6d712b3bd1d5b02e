import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import embedded from '../../../../server/drivers/accounts/embedded.ts';
import maildomains from '../../../../server/drivers/accounts/groupOfficeMaildomains.ts';
import users from '../../../../server/drivers/accounts/groupOfficeUser.ts';
import passwdFile from '../../../../server/drivers/accounts/passwdFile.ts';
import type { Driver } from '../../../../server/drivers/defineDriver.ts';
import type { AccountApi } from '../../../../server/ports/accountApi.ts';
import { GroupOfficeDouble } from '../../../fixtures/groupOfficeDouble/groupOfficeDouble.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailbox-password-diagnose-'));
const context = { name: 'accounts', dataDir: folder, clock: { now: () => Date.now() }, log: pino({ level: 'silent' }) };

const create = <Options extends object>(driver: Driver<AccountApi, Options>, given: object): Promise<AccountApi> => driver.create(driver.options.validateSync(given, { strict: true }) as never, context);

async function found(api: AccountApi): Promise<string[]> {
  const findings = await api.diagnose?.({ signal: AbortSignal.timeout(20_000), publicUrl: null, basePath: '/mailbox-password', refusedLogIn: null });
  await api.close();
  // What is not well says what to do.
  for (const { level, todo } of findings ?? []) expect(level === 'ok' || (todo ?? '') !== '').toBe(true);
  return (findings ?? []).map(({ level, check, text }) => `${level} ${check} ${text}`);
}

describe('doctor: the lines of a passwd-file', () => {
  const lines = async (content: string | Buffer): Promise<string[]> => {
    const file = join(folder, 'users');
    writeFileSync(file, content);
    return (await found(await create(passwdFile, { file }))).filter((line) => /^\w+ (lines|scheme) /.test(line));
  };

  it('schemes are counted; what cannot be verified is named; so are lines that name nobody', async () => {
    expect(await lines('# a comment\n\na@x.test:{SHA512-CRYPT}$6$abcdefgh$x\nb@x.test:{BLF-CRYPT}$2y$05$abc::::::\nc@x.test:!\nd@x.test:{SHA512-CRYPT}$6$abcdefgh$y\n'))
      .toEqual(['ok scheme stored now: SHA512-CRYPT 2, BLF-CRYPT 1; new ones are ARGON2ID']);
    expect(await lines('a@x.test:{CRAM-MD5}abc\n')).toEqual(['fail scheme stored now: CRAM-MD5 1; CRAM-MD5 cannot be verified here']);
    expect(await lines(Buffer.concat([Buffer.from(':nobody\na@x.test:{SHA512-CRYPT}$6$abcdefgh$x\n'), Buffer.from([0xff, 0xfe, 0x3a, 0x78, 0x0a])])))
      .toEqual(['warn lines lines that name nobody who can be read: 2', 'ok scheme stored now: SHA512-CRYPT 1; new ones are ARGON2ID']);
    expect(await lines('')).toEqual(['warn lines the file holds no mailbox yet']);
  });
});

describe('doctor: mailboxes in Group-Office', () => {
  let double: GroupOfficeDouble;
  let serviceKey: string;
  beforeAll(async () => {
    double = await GroupOfficeDouble.start();
    serviceKey = double.installDropIn({ mayChangeUsers: true });
  });
  afterAll(async () => { await double.stop(); });

  it('key, right and module, each by itself', async () => {
    const own = { url: double.url, host: null };
    const host = new URL(double.url).host;
    expect(await found(await create(users, { ...own, serviceKey, setPassword: true }))).toEqual([
      'ok tls in the clear to 127.0.0.1, which is this machine', `ok log-in ${host} answers, and takes us`, "ok permission the service key's user may manage the module mailboxpassword",
      "ok set administrators may set passwords: the key's user may change users",
    ]);
    double.state.userByName('mailbox-password')!.mayChangeUsers = false;
    expect((await found(await create(users, { ...own, serviceKey, setPassword: true }))).at(-1)).toMatch(/^fail set the service key's user may not change users/);
    const wrong = await found(await create(users, { ...own, serviceKey: 'x'.repeat(32) }));
    expect(wrong).toHaveLength(2);
    expect(wrong[1]).toMatch(/^fail log-in .*unauthorized/);
    expect((await found(await create(maildomains, { ...own, serviceKey }))).at(-1)).toMatch(/^(warn mailboxes the module maildomains shows no domain|fail mailboxes the module maildomains: )/);
    const away = await found(await create(maildomains, { url: 'http://127.0.0.1:9/', host: null, serviceKey }));
    expect(away[1]).toMatch(/^fail log-in 127\.0\.0\.1:9: /);
    for (const text of [...wrong, ...away]) expect(text).not.toContain(serviceKey);
  });
});

it('doctor: the embedded mailboxes are named for what they are', async () => {
  expect(await found(await embedded.create({}, context))).toEqual([expect.stringMatching(/^warn host \d+ demo mailboxes in .*; no mail server knows them$/)]);
});
