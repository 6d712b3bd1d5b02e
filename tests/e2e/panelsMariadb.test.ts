import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { createHasher } from '../../server/hashing/hasher.ts';
import { hashAdministratorPassword } from '../../server/panels/administrators.ts';
import { Secret } from '../../server/secret.ts';
import { ALICE, BOB, tempFolder } from '../fixtures/service.ts';
import { type MariaDb, startMariaDb } from '../services/mariadb.ts';

const root = join(__dirname, '..', '..');
const KEEPER = { name: 'keeper', password: 'Keeper-of-1-domain' };
let database: MariaDb;
let server: ChildProcess;
let url: string;
let browser: Browser;

async function startServer(config: object): Promise<{ server: ChildProcess; url: string }> {
  const dataDir = tempFolder();
  const file = join(dataDir, 'config.json');
  writeFileSync(file, JSON.stringify({ dataDir, ...config }));
  const child = spawn(process.execPath, [join(root, 'dist/server/cli/main.js'), 'serve', '--port', '0', '--config', file], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, MAILBOX_PASSWORD__LOG__LEVEL: 'error' } });
  let printed = '';
  while (!/http:\/\/\S+/.test(printed)) printed += String(((await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer])[0]);
  return { server: child, url: /http:\/\/\S+/.exec(printed)?.[0] ?? '' };
}

async function stopServer(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/** Mailboxes as PostfixAdmin keeps them, and the module's own state, in one MariaDB. */
beforeAll(async () => {
  database = await startMariaDb();
  await database.query("CREATE TABLE mailbox (username varchar(255) NOT NULL PRIMARY KEY, password varchar(255) NOT NULL, name varchar(255) NOT NULL DEFAULT '', domain varchar(255) NOT NULL, active smallint NOT NULL DEFAULT 1, must_change tinyint NOT NULL DEFAULT 0); CREATE TABLE domain (domain varchar(255) NOT NULL PRIMARY KEY); INSERT INTO domain VALUES ('example.test'), ('mail.test'); CREATE DATABASE state");
  const hasher = await createHasher({ scheme: 'SHA512-CRYPT', prefix: true, bcryptCost: 5 });
  for (const { address, password } of [ALICE, BOB, { address: 'carol@mail.test', password: 'Singing-bells-9' }]) {
    await database.query('INSERT INTO mailbox (username, password, name, domain) VALUES (?, ?, ?, ?)', [address, await hasher.hash(new Secret(password)), '', address.split('@')[1]]);
  }
  // 10,000 domains and 3,000 mailboxes more: the lists load as one scrolls.
  await database.query("INSERT INTO domain SELECT CONCAT('domain', LPAD(seq, 5, '0'), '.test') FROM seq_1_to_10000");
  await database.query("INSERT INTO mailbox (username, password, domain) SELECT CONCAT('user', LPAD(seq, 5, '0'), '@mail.test'), '', 'mail.test' FROM seq_1_to_3000");
  ({ server, url } = await startServer({
    accounts: [{ driver: 'sql', url: database.url, preset: 'postfixadmin', columns: { changeRequired: 'must_change' }, domains: ['*'] }], state: { url: database.url.replace(/mail$/, 'state') },
    administrators: [
      { name: 'chief', passwordHash: await hashAdministratorPassword('Chief-of-all-1'), domains: ['*'] },
      { name: KEEPER.name, passwordHash: await hashAdministratorPassword(KEEPER.password), domains: ['example.test'] },
    ],
    mailSettings: { imap: { host: 'imap.example.test', port: 993, encryption: 'tls' } },
  }));
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
}, 120_000);

afterAll(async () => {
  await browser.close();
  await stopServer(server);
  await database.stop();
}, 60_000);

async function logIn(panel: 'panel' | 'admin', name: string, password: string, at = url): Promise<Page> {
  const page = await (await browser.newContext({ locale: 'en-GB' })).newPage();
  page.setDefaultTimeout(15_000);
  await page.goto(`${at}/${panel}/`);
  await page.locator('input[name=username]').fill(name);
  await page.locator('input[name=password]').fill(password);
  await page.locator('button[type=submit]').click();
  return page;
}
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const box = (page: Page, label: string) => page.getByRole('textbox', { name: label, exact: true });

test('User Panel on MariaDB: change, everything ends, old refused, new works', async () => {
  const [one, other] = [await logIn('panel', ALICE.address, ALICE.password), await logIn('panel', ALICE.address, ALICE.password)];
  await button(other, 'Change').waitFor();
  await button(one, 'Generate password').click();
  const password = await box(one, 'Password').inputValue();
  await button(one, 'Change').click();
  await one.getByText('Your password has been changed. Log in with the new one.').waitFor();
  await button(other, 'Devices').click();
  await other.getByText('You have been logged out.').waitFor();
  const refused = await logIn('panel', ALICE.address, ALICE.password);
  await refused.getByText(/^The e.mail address or the password is wrong\.$/).waitFor();
  const again = await logIn('panel', ALICE.address, password);
  await button(again, 'Devices').click();
  await again.getByText('this one').waitFor();
  for (const page of [one, other, refused, again]) await page.context().close();
}, 60_000);

test('Admin Panel on MariaDB: 10,000 domains by type-ahead, mailboxes as one scrolls, pencil, New, Update User; the mailbox is logged out', async () => {
  const user = await logIn('panel', 'carol@mail.test', 'Singing-bells-9');
  await button(user, 'Change').waitFor();
  const page = await logIn('admin', 'chief', 'Chief-of-all-1');
  const chooser = page.getByRole('combobox', { name: 'Select Domain' });
  await chooser.click();
  await page.getByRole('option', { name: 'domain00001.test' }).waitFor();
  expect(await page.locator('.chooser li').count()).toBe(50);
  await page.locator('.chooser ul').evaluate((list) => { list.scrollTop = list.scrollHeight; });
  await page.getByRole('option', { name: 'domain00060.test' }).waitFor();
  await chooser.fill('mail');
  await page.getByRole('option', { name: 'mail.test' }).click();
  await button(page, 'Edit: carol@mail.test').waitFor();
  const before = await page.locator('.list tbody tr').count();
  await page.mouse.wheel(0, 20_000);
  await page.locator('.list tbody tr').nth(before + 10).waitFor();
  await page.getByLabel('Search mailboxes').fill('carol');
  await page.locator('.list tbody tr').nth(1).waitFor({ state: 'detached' });
  await button(page, 'Edit: carol@mail.test').click();
  await button(page, 'New').click();
  await button(page, 'Update User').click();
  await page.getByText('The password has been set').waitFor();
  await button(user, 'Devices').click();
  await user.getByText('You have been logged out.').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('tab', { name: 'History' }).click();
  await page.getByRole('row', { name: /Set by an administrator carol@mail.test/ }).waitFor();
  await page.getByLabel('Mailbox').fill('alice');
  await page.getByRole('row', { name: /Changed by the owner/ }).waitFor();
  for (const each of [page, user]) await each.context().close();
}, 90_000);

test('a domain administrator on MariaDB sees one domain, and gets 403 for every other', async () => {
  const page = await logIn('admin', KEEPER.name, KEEPER.password);
  await button(page, `Edit: ${BOB.address}`).waitFor();
  expect(await page.getByRole('combobox', { name: 'Select Domain' }).inputValue()).toBe('example.test');
  const statuses = await page.evaluate(async () => {
    const api = '/mailbox-password/admin/api/v1';
    const { csrfToken } = (await (await fetch(`${api}/session`)).json()) as { csrfToken: string };
    const post = async (path: string, body: object) => (await fetch(api + path, { method: 'POST', headers: { 'content-type': 'application/json', 'x-csrf-token': csrfToken }, body: JSON.stringify(body) })).status;
    const get = async (path: string) => (await fetch(api + path)).status;
    const address = 'carol@mail.test';
    return [
      await get(`/mailbox?address=${address}`), await get('/mailboxes?domain=mail.test'), await get(`/mailboxes?domain=example.test&search=${address}`), await get('/mailboxes?domain=example.test&cursor=YQ.forged'),
      await get(`/history?mailbox=${address}`), await get(`/history.csv?mailbox=${address}`), await get('/mailbox?address=CAROL%40MAIL.TEST'), await post('/mailboxes/sessions', { addresses: [address] }),
      await post('/mailbox/password', { address, newPassword: 'Fresh!Harvest42', passwordVersion: null }), await post('/mailbox/end-sessions', { address }),
    ];
  });
  expect(statuses).toEqual(Array.from({ length: 10 }, () => 403));
  const rows = await database.query("SELECT COUNT(*) AS count FROM state.audit WHERE action = 'access' AND outcome = 'FORBIDDEN' AND actor = 'keeper'");
  expect(Number(rows[0]?.['count'])).toBe(10);
  await page.context().close();
}, 60_000);

test('a new password asked for at the next login: in the dialog, in the table, and nothing else is possible until it is chosen', async () => {
  const page = await logIn('admin', 'chief', 'Chief-of-all-1');
  const chooser = page.getByRole('combobox', { name: 'Select Domain' });
  await chooser.fill('example');
  await page.getByRole('option', { name: 'example.test' }).click();
  await button(page, `Edit: ${BOB.address}`).click();
  await page.getByLabel('Ask for a new password at next login').check();
  await button(page, 'New').click();
  const given = await box(page, 'Password').inputValue();
  await button(page, 'Update User').click();
  await page.getByText('The password has been set').waitFor();
  const flag = async () => Number((await database.query('SELECT must_change FROM mailbox WHERE username = ?', [BOB.address]))[0]?.['must_change']);
  expect(await flag()).toBe(1);

  const user = await logIn('panel', BOB.address, given);
  await user.getByText('Your provider asks you to choose a new password.').waitFor();
  expect(await user.locator('.menu button').count()).toBe(1);
  await user.goto(`${url}/panel/#devices`);
  await user.reload();
  await user.getByText('Your provider asks you to choose a new password.').waitFor();
  expect(await user.locator('.devices').count()).toBe(0);
  await box(user, 'Current password').fill(given);
  await button(user, 'Generate password').click();
  const chosen = await box(user, 'Password').inputValue();
  await button(user, 'Change').click();
  await user.getByText('Your password has been changed. Log in with the new one.').waitFor();
  expect(await flag()).toBe(0);
  const again = await logIn('panel', BOB.address, chosen);
  await button(again, 'Devices').click();
  await again.getByText('this one').waitFor();

  // Alone: the password stays.
  await page.keyboard.press('Escape');
  await button(page, `Edit: ${BOB.address}`).click();
  await page.getByLabel('Ask for a new password at next login').check();
  await button(page, 'Update User').click();
  await page.getByText('The password was not changed.').waitFor();
  expect(await flag()).toBe(1);
  await page.getByLabel('Ask for a new password at next login').uncheck();
  await button(page, 'Update User').click();
  await page.getByText('No new password will be asked for.').waitFor();
  expect(await flag()).toBe(0);
  await page.keyboard.press('Escape');
  await page.getByRole('tab', { name: 'History' }).click();
  await page.getByRole('row', { name: /New password asked for bob@example.test chief/ }).first().waitFor();
  for (const each of [page, user, again]) await each.context().close();
}, 120_000);

test('where neither domains nor mailboxes can be listed, the address is typed; where nothing can be asked at the next login, the control is not there', async () => {
  const blind = await startServer({
    accounts: [{ driver: 'sql', url: database.url, domains: ['*'], statements: {
      find: 'SELECT username AS address, password, active AS enabled FROM mailbox WHERE username = lower(:address)',
      update: 'UPDATE mailbox SET password = :hash WHERE username = lower(:address) AND password = :oldHash',
    } }],
    administrators: [{ name: 'chief', passwordHash: await hashAdministratorPassword('Chief-of-all-1'), domains: ['*'] }],
  });
  try {
    const page = await logIn('admin', 'chief', 'Chief-of-all-1', blind.url);
    const field = page.getByLabel('E-mail address of the mailbox');
    await field.waitFor();
    expect(await page.getByRole('combobox', { name: 'Select Domain' }).count()).toBe(0);
    await button(page, 'Edit').click();
    await page.getByText('Fill in this field.').waitFor();
    await field.fill('nobody@mail.test');
    await page.keyboard.press('Enter');
    await page.getByText('This mailbox was not found.').waitFor();
    await page.keyboard.press('Escape');
    await field.fill('user00007@mail.test');
    await database.query("UPDATE mailbox SET password = '{PLAIN}x' WHERE username = 'user00007@mail.test'");
    await button(page, 'Edit').click();
    await button(page, 'New').click();
    expect(await page.locator('.check').count()).toBe(0);
    await button(page, 'Update User').click();
    await page.getByText('The password has been set').waitFor();
    await page.context().close();
  } finally {
    await stopServer(blind.server);
  }
}, 90_000);
