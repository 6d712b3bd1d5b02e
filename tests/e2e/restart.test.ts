import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { hashAdministratorPassword } from '../../server/panels/administrators.ts';
import { ALICE, BOB, NEW, tempFolder } from '../fixtures/service.ts';
import { type ServiceProcess, startProcess } from '../fixtures/serviceProcess.ts';
import { freePort } from '../services/process.ts';
import { startWebServer, webServerPorts, type WebServer } from '../services/webServer.ts';

jest.setTimeout(300_000);

const artifacts = join(__dirname, '..', 'artifacts');
let browser: Browser;
let web: WebServer;
let port: number;
// The demonstration's own administrator is made anew at each start, and logged out by it.
let administrators: object[];
/** Each over a folder of its own, where no password is new yet. */
const starter = (dataDir = tempFolder()) => async (options: Parameters<typeof startProcess>[1] = {}): Promise<ServiceProcess> => {
  const service = await startProcess({ dataDir, administrators, server: { port, publicUrl: web.https, trustProxy: ['127.0.0.1'] } }, options);
  running.push(service);
  return service;
};
/** A gate: closed until it is opened. */
function gate(): { readonly opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => { open = resolve; });
  return { opened, open };
}
const running: ServiceProcess[] = [];
afterEach(async () => {
  for (const { child, exited } of running.splice(0)) {
    child.kill('SIGKILL');
    await exited;
  }
});

beforeAll(async () => {
  mkdirSync(artifacts, { recursive: true });
  port = await freePort();
  administrators = [{ name: 'root', passwordHash: await hashAdministratorPassword('Admin-demo-9'), domains: ['*'] }];
  web = await startWebServer('nginx', port, await webServerPorts(), '/mailbox-password', { embedded: true });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
});
afterAll(async () => {
  await browser.close();
  await web.stop();
});

async function open(path: string): Promise<Page> {
  const page = await (await browser.newContext({ locale: 'en-GB', ignoreHTTPSErrors: true })).newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(web.https + path);
  return page;
}

const box = (page: Page, label: string) => page.getByRole('textbox', { name: label, exact: true });
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

async function logIn(path: string, name: string, password: string): Promise<Page> {
  const page = await open(path);
  await page.locator(path === '/login' ? 'input[name=address]' : 'input[name=username]').fill(name);
  await page.locator('input[name=password]').fill(password);
  await page.locator('button[type=submit]').click();
  return page;
}

interface Surface {
  readonly name: string;
  /** To the form in which only a button is left to press. */
  enter(who: { address: string; password: string }): Promise<Page>;
  readonly button: string;
  readonly done: string;
}

const SURFACES: readonly Surface[] = [
  {
    name: 'User Panel', button: 'Change', done: 'Your password has been changed. Log in with the new one.',
    async enter({ address, password }) {
      const page = await logIn('/mailbox-password/panel/', address, password);
      await page.locator('input[name=newPassword]').fill(NEW);
      await page.locator('input[name=confirm]').fill(NEW);
      return page;
    },
  },
  {
    name: 'Account section', button: 'Update password and log me out from everywhere', done: 'Your password has been changed',
    async enter({ address, password }) {
      const page = await logIn('/login', address, password);
      await button(page, 'User menu').click();
      await button(page, 'My account').click();
      await box(page, 'Current password').fill(password);
      await box(page, 'Password').fill(NEW);
      await box(page, 'Confirm password').fill(NEW);
      return page;
    },
  },
  {
    name: 'Admin Panel', button: 'Update User', done: 'The password has been set',
    async enter({ address }) {
      const page = await logIn('/mailbox-password/admin/', 'root', 'Admin-demo-9');
      await page.getByRole('combobox', { name: 'Select Domain' }).fill('example.test');
      await page.getByRole('option', { name: 'example.test' }).click();
      await button(page, `Edit: ${address}`).click();
      await box(page, 'Password').fill(NEW);
      return page;
    },
  },
];

test.each(SURFACES)('$name: a change under way when the service is told to end is answered; one that is sent while it is away is done when it is back', async ({ name, enter, button: press, done }) => {
  const start = starter();
  const first = await start({ slowChangeMs: 2000 });
  const [loaded, go] = [gate(), gate()];
  const next = start({ hold: () => { loaded.open(); return go.opened; } });
  await loaded.opened;
  const [alice, bob] = [await enter(ALICE), await enter(BOB)];
  await button(alice, press).click();
  await first.says('changing');
  first.signal('SIGTERM');
  await alice.getByText(done).first().waitFor();
  expect(await first.exited).toBe(0);

  const refused = bob.waitForResponse((answer) => answer.url().endsWith('/password') && answer.status() === 503);
  await button(bob, press).click();
  expect(await (await refused).json()).toMatchObject({ code: 'SHUTTING_DOWN', changed: 'no' });
  go.open();
  const second = await next;
  // Nobody pressed anything again.
  await bob.getByText(done).first().waitFor().finally(() => bob.screenshot({ path: join(artifacts, `restart-${name.replaceAll(' ', '-').toLowerCase()}.png`) }));
  expect(second.text().match(/"password (change|set)"/g)).toHaveLength(1);
  for (const who of [ALICE, BOB]) {
    const page = await logIn('/mailbox-password/panel/', who.address, NEW);
    await page.locator('input[name=newPassword]').waitFor();
    await page.context().close();
  }
  second.signal('SIGTERM');
  expect(await second.exited).toBe(0);
});

test('a panel opened by its address while the service is away: a page says so, and is the panel when the service is back', async () => {
  const page = await open('/mailbox-password/panel/');
  await page.getByText('The service is restarting. Try again in a minute.').waitFor();
  await page.screenshot({ path: join(artifacts, 'restart-page.png') });
  const service = await starter()();
  // Nobody pressed anything.
  await button(page, 'Log in').waitFor();
  service.signal('SIGTERM');
  expect(await service.exited).toBe(0);
});
