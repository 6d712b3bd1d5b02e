import { type Browser, chromium, type Page } from 'playwright-core';
import { ALICE, BOB, NEW, tempFolder } from '../fixtures/service.ts';
import { type ServiceProcess, startProcess } from '../fixtures/serviceProcess.ts';
import { freePort } from '../services/process.ts';
import { startWebServer, webServerPorts, type WebServer } from '../services/webServer.ts';

jest.setTimeout(180_000);

const dataDir = tempFolder();
let browser: Browser;
let web: WebServer;
let start: (slowChangeMs?: number) => Promise<ServiceProcess>;

beforeAll(async () => {
  const [ports, port] = [await webServerPorts(), await freePort()];
  start = (slowChangeMs = 0) => startProcess({ dataDir, server: { port, publicUrl: `https://127.0.0.1:${String(ports.https)}`, trustProxy: ['127.0.0.1'] } }, { slowChangeMs });
  web = await startWebServer('nginx', port, ports);
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
});
afterAll(async () => {
  await browser.close();
  await web.stop();
});

async function logIn(path: string, name: string, password: string): Promise<Page> {
  const page = await (await browser.newContext({ locale: 'en-GB', ignoreHTTPSErrors: true })).newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(`${web.https}/mailbox-password/${path}/`);
  await page.locator('input[name=username]').fill(name);
  await page.locator('input[name=password]').fill(password);
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
  return page;
}

async function press(page: Page): Promise<void> {
  await page.locator('input[name=newPassword]').fill(NEW);
  await page.locator('input[name=confirm]').fill(NEW);
  await page.getByRole('button', { name: 'Change', exact: true }).click();
}

const DONE = 'Your password has been changed. Log in with the new one.';

test('User Panel: a change under way when the service is told to end is answered; one that is sent while it is away is done when it is back', async () => {
  const first = await start(2000);
  const [alice, bob] = [await logIn('panel', ALICE.address, ALICE.password), await logIn('panel', BOB.address, BOB.password)];
  await bob.locator('input[name=newPassword]').waitFor();
  await alice.locator('input[name=newPassword]').waitFor();
  await press(alice);
  await first.says('changing');
  first.signal('SIGTERM');
  await alice.getByText(DONE).waitFor();
  expect(await first.exited).toBe(0);

  const refused = bob.waitForResponse((answer) => answer.url().endsWith('/password') && answer.status() === 503);
  await press(bob);
  expect(await (await refused).json()).toMatchObject({ code: 'SHUTTING_DOWN', changed: 'no' });
  const second = await start();
  // Nobody pressed anything again.
  await bob.getByText(DONE).waitFor();
  expect(second.text().match(/"password change"/g)).toHaveLength(1);
  second.signal('SIGTERM');
  expect(await second.exited).toBe(0);
});
