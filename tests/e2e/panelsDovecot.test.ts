import { type Browser, chromium, type Page } from 'playwright-core';
import { startServer } from '../fixtures/panelWorlds.ts';
import { imapClient, type MailClient, submissionClient } from '../services/mailClients.ts';
import { MAILBOXES, type MailPlatform, startMailPlatform } from '../services/mailPlatform.ts';
import { CHROMIUM } from '../suites/panelsSuite.ts';

const [ALICE, BOB] = MAILBOXES;
let platform: MailPlatform;
let service: Awaited<ReturnType<typeof startServer>>;
let browser: Browser;
beforeAll(async () => {
  platform = await startMailPlatform('mariadb');
  const { accounts, sessions } = platform.overrides;
  service = await startServer({ accounts, sessions });
  browser = await chromium.launch(CHROMIUM);
}, 180_000);
afterAll(async () => {
  await browser.close();
  await service.stop();
  await platform.stop();
}, 60_000);

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
async function devicesOf(who: typeof ALICE | typeof BOB): Promise<Page> {
  const page = await (await browser.newContext({ locale: 'en-GB' })).newPage();
  page.setDefaultTimeout(15_000);
  await page.goto(`${service.url}/panel/`);
  await page.getByRole('textbox', { name: 'E-mail address', exact: true }).fill(who.address);
  await page.getByRole('textbox', { name: 'Password', exact: true }).fill(who.password);
  await button(page, 'Log in').click();
  await button(page, 'Devices').click();
  await page.getByText('this one').waitFor();
  return page;
}
const must = async (client: Promise<MailClient | null>): Promise<MailClient> => {
  const connected = await client;
  if (connected === null) throw new Error('the log-in was refused');
  return connected;
};

test('Devices before a real Dovecot: a mail program is listed and ends by its button, the others by theirs, all by theirs; nobody else is touched', async () => {
  const imap = (from: string) => must(imapClient(platform.dovecot.imap, ALICE.address, ALICE.password, { from, idle: true }));
  const bob = await must(imapClient(platform.dovecot.imap, BOB.address, BOB.password, { from: '127.0.0.7', idle: true }));
  const [phone, laptop] = [await imap('127.0.0.7'), await imap('127.0.0.8')];
  const page = await devicesOf(ALICE);
  const other = await devicesOf(ALICE);
  await page.reload();
  const rows = page.getByRole('listitem').filter({ has: page.getByRole('button') });
  const row = (address: string) => rows.filter({ hasText: address });
  await row('127.0.0.7').getByText('E-mail programs (IMAP)').waitFor();
  expect(await rows.count()).toBe(4);
  await row('127.0.0.7').getByRole('button').click();
  await page.getByText('E-mail programs (IMAP): 1 session').waitFor();
  await row('127.0.0.7').waitFor({ state: 'detached' });
  expect([await phone.alive(), await laptop.alive(), await bob.alive()]).toEqual([false, true, true]);

  await button(page, 'Log out all others').click();
  await row('127.0.0.8').waitFor({ state: 'detached' });
  await button(other, 'Password').click();
  await button(other, 'Devices').click();
  await other.getByText('You have been logged out.').waitFor();
  expect([await rows.count(), await laptop.alive(), await bob.alive()]).toEqual([1, false, true]);

  const [again, sending] = [await imap('127.0.0.7'), await must(submissionClient(platform.dovecot.submission, ALICE.address, ALICE.password))];
  await button(page, 'Log out from everywhere, here too').click();
  await page.getByText('You have been logged out.').waitFor();
  expect([await again.alive(), await sending.alive(), await bob.alive()]).toEqual([false, false, true]);
  bob.close();
  for (const each of [page, other]) await each.context().close();
}, 90_000);
