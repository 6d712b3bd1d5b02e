import { chromium } from 'playwright-core';
import { CHIEF, mailDatabase, type MailDatabase, panelsOnMariaDb, startServer } from '../fixtures/panelWorlds.ts';
import { CHROMIUM, panelsSuite } from '../suites/panelsSuite.ts';

let mail: MailDatabase;
beforeAll(async () => { mail = await mailDatabase(); }, 120_000);
afterAll(async () => { await mail.database.stop(); }, 60_000);

panelsSuite(() => panelsOnMariaDb(mail));

test('where neither domains nor mailboxes can be listed, the address is typed; where nothing can be asked at the next login, the control is not there', async () => {
  const browser = await chromium.launch(CHROMIUM);
  const blind = await startServer({
    accounts: [{ driver: 'sql', url: mail.database.url, domains: ['*'], statements: {
      find: 'SELECT username AS address, password, active AS enabled FROM mailbox WHERE username = lower(:address)',
      update: 'UPDATE mailbox SET password = :hash WHERE username = lower(:address) AND password = :oldHash',
    } }],
    administrators: mail.config.administrators,
  });
  try {
    const page = await (await browser.newContext({ locale: 'en-GB' })).newPage();
    page.setDefaultTimeout(15_000);
    await page.goto(`${blind.url}/admin/`);
    await page.getByLabel('Administrator').fill(CHIEF.name);
    await page.getByLabel('Password', { exact: true }).fill(CHIEF.password);
    await page.keyboard.press('Enter');
    const field = page.getByLabel('E-mail address of the mailbox');
    await field.waitFor();
    expect(await page.getByRole('combobox', { name: 'Select Domain' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await page.getByText('Fill in this field.').waitFor();
    await field.fill('nobody@mail.test');
    await page.keyboard.press('Enter');
    await page.getByText('This mailbox was not found.').waitFor();
    await page.keyboard.press('Escape');
    await field.fill('user00007@mail.test');
    await mail.database.query("UPDATE mailbox SET password = '{PLAIN}x' WHERE username = 'user00007@mail.test'");
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await page.getByRole('button', { name: 'New', exact: true }).click();
    expect(await page.locator('.check').count()).toBe(0);
    await page.getByRole('button', { name: 'Update User', exact: true }).click();
    await page.getByText('The password has been set').waitFor();
    await page.context().close();
  } finally {
    await browser.close();
    await blind.stop();
  }
}, 90_000);
