import { mkdirSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { dropInFiles } from '../../server/groupOffice/dropInFiles.ts';
import { GroupOfficeDouble } from '../fixtures/groupOfficeDouble/groupOfficeDouble.ts';
import { NEW, startService } from '../fixtures/service.ts';
import { imapClient, type MailClient } from '../services/mailClients.ts';
import { MAILBOXES, type MailPlatform, startMailPlatform } from '../services/mailPlatform.ts';

/**
 * The story of issue 4: a user who logs into Group-Office by IMAP. Passwords in MariaDB, a real Dovecot with its auth cache on, the double as
 * Group-Office (its log-ins ask that Dovecot), the service wired from a configuration as an operator writes it, all behind one origin.
 */
const root = join(__dirname, '..', '..');
const [{ address: ALICE, password: OLD }, { address: BOB, password: BOBS }] = MAILBOXES;
const CHROMIUM = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0.0.0';

let platform: MailPlatform;
let double: GroupOfficeDouble;
let service: Awaited<ReturnType<typeof startService>>;
let browser: Browser;
const connected: (MailClient | null)[] = [];

beforeAll(async () => {
  mkdirSync(join(root, 'tests/artifacts'), { recursive: true });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: CHROMIUM });
  platform = await startMailPlatform('mariadb');
  double = await GroupOfficeDouble.start();
  double.state.imapDomains.add('example.test');
  double.state.mailAccepts = (address, password) => platform.accepts(address, password);
  const serviceKey = double.installDropIn();
  const [, mail] = platform.overrides.sessions;
  service = await startService({
    overrides: {
      server: { port: 0, publicUrl: double.url },
      host: { driver: 'groupOffice', url: double.url },
      accounts: platform.overrides.accounts.map((entry) => ({ ...entry, domains: ['example.test'] })),
      sessions: [{ driver: 'groupOffice', name: 'web', url: double.url, serviceKey }, mail],
    },
  });
  await service.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = service.app.server.address() as { port: number };
  // The proxy of the installation: the service is a path of Group-Office's own origin, the drop-in's files come from Group-Office.
  double.behind = async (request, response, body) => {
    const path = new URL(request.url ?? '/', double.url).pathname;
    const module = '/go/modules/mailboxpassword/mailboxpassword/';
    const file = path === '/ext.js' ? readFileSync(join(root, 'tests/fixtures/groupOfficeDouble/extStandIn.js'))
      : path === '/office' ? PAGE
        : path.startsWith(module) ? dropInFiles({ basePath: '/mailbox-password', localUsers: 'below' }).get(path.slice(module.length)) : undefined;
    if (file !== undefined) {
      response.writeHead(200, { 'Content-Type': path === '/office' ? 'text/html; charset=utf-8' : 'text/javascript' }).end(file);
      return true;
    }
    if (!path.startsWith('/mailbox-password/')) return false;
    await new Promise<void>((resolve, reject) => {
      const onward = httpRequest({ host: '127.0.0.1', port, path: request.url, method: request.method, headers: { ...request.headers, 'x-forwarded-for': '192.0.2.44' } }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response).on('finish', resolve);
      });
      onward.on('error', reject).end(body);
    });
    return true;
  };
}, 180_000);
afterAll(async () => {
  for (const client of connected) client?.close();
  await service.stop();
  await double.stop();
  await platform.stop();
  await browser.close();
}, 120_000);

const PAGE = `<!DOCTYPE html><html><head><title>Webmail</title></head><body class="light">
<script>window.situation = { available: true, texts: {} };</script>
<script src="/ext.js"></script>
<script src="/go/modules/mailboxpassword/mailboxpassword/views/extjs3/MailboxPassword.js"></script>
<script type="module" src="/go/modules/mailboxpassword/mailboxpassword/views/goui/dist/Index.js"></script>
<script type="module">
const session = await (await fetch('/api/jmap.php')).json();
window.signedIn = !!session.userId;
window.groupofficeCore = { client: { CSRFToken: session.CSRFToken } };
go.User = { id: session.userId, language: 'en', themeColorScheme: 'light', session };
window.openAccount = () => new go.usersettings.UserSettingsDialog({}).show().load({ id: session.userId, authenticators: ['imap'] });
document.body.dataset.ready = 'yes';
</script></body></html>`;

/** A browser that logged into Group-Office by hand, "remember me" ticked. */
async function logIn(address: string, password: string) {
  const session = await double.signIn(address, password, true);
  const context = await browser.newContext({ locale: 'en-GB' });
  await context.addCookies([
    { name: 'accessToken', value: session.accessToken, url: double.url, httpOnly: true, sameSite: 'Lax' },
    { name: 'goRememberMe', value: encodeURIComponent(session.rememberMe ?? ''), url: double.url, httpOnly: true, sameSite: 'Lax' },
  ]);
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  return { session, page, signedIn: () => reload(page) };
}
async function reload(page: Page): Promise<boolean> {
  await page.goto(`${double.url}/office`);
  await page.locator('body[data-ready]').waitFor({ state: 'attached' });
  return page.evaluate(() => (globalThis as unknown as { signedIn: boolean }).signedIn);
}
/** What a thief does with a copied remember-me cookie. */
async function useCookie(value: string): Promise<number> {
  const answer = await fetch(`${double.url}/api/auth.php`, { method: 'POST', headers: { 'Content-Type': 'application/json', 'User-Agent': AGENT }, body: JSON.stringify({ rememberMeToken: value }) });
  await answer.arrayBuffer();
  return answer.status;
}

test('two browsers, mail programs and a stolen cookie: all dead; the old password refused at once in Group-Office and Dovecot; mail readable after the new log-in', async () => {
  const first = await logIn(ALICE, OLD);
  const second = await logIn(ALICE, OLD);
  const bob = await logIn(BOB, BOBS);
  const stolen = (await double.signIn(ALICE, OLD, true)).rememberMe ?? '';
  const programs = await platform.connect(ALICE, OLD);
  const bobs = await platform.connect(BOB, BOBS);
  connected.push(...programs, ...bobs);
  expect([await first.signedIn(), await second.signedIn(), await bob.signedIn(), await double.mailOpens(second.session)]).toEqual([true, true, true, true]);
  // Group-Office has the log-in with the old password in its cache: for a minute it would ask nobody.
  expect(double.state.loginCached(ALICE, OLD)).toBe(true);

  await first.page.evaluate(() => { (globalThis as unknown as { openAccount(): void }).openAccount(); });
  const box = (name: string) => first.page.getByRole('textbox', { name, exact: true });
  await box('Current password').fill(OLD);
  await box('Password').fill(NEW);
  await box('Confirm password').fill(NEW);
  await first.page.getByRole('button', { name: 'Update password and log me out from everywhere' }).click();
  await first.page.getByText('Your password has been changed').waitFor();
  await first.page.screenshot({ path: join(root, 'tests/artifacts/group-office-story.png'), fullPage: true });

  // At once, not after a minute.
  await expect(double.signIn(ALICE, OLD)).rejects.toThrow('401');
  expect(await platform.accepts(ALICE, OLD)).toBe(false);
  expect(await platform.accepts(ALICE, NEW)).toBe(true);
  expect(await Promise.all(programs.map((program) => program.alive()))).toEqual(programs.map(() => false));
  expect(await useCookie(stolen)).toBe(400);
  expect(await useCookie(second.session.rememberMe ?? '')).toBe(400);
  expect([await double.alive(first.session.accessToken), await double.alive(second.session.accessToken), await second.signedIn()]).toEqual([false, false, false]);

  // Nobody else noticed anything.
  expect(await Promise.all(bobs.map((program) => program.alive()))).toEqual(bobs.map(() => true));
  expect([await bob.signedIn(), await double.mailOpens(bob.session)]).toEqual([true, true]);

  // "Log in again" leads to the log-in page; there the new password works, and the stored copy of it opens the mailbox.
  await Promise.all([first.page.waitForNavigation(), first.page.getByRole('button', { name: 'Log in again' }).click()]);
  await first.page.locator('body[data-ready]').waitFor({ state: 'attached' });
  expect(await first.page.evaluate(() => (globalThis as unknown as { signedIn: boolean }).signedIn)).toBe(false);
  const again = await logIn(ALICE, NEW);
  expect([await again.signedIn(), await double.mailOpens(again.session)]).toEqual([true, true]);
  const program = await imapClient(platform.dovecot.imap, ALICE, NEW);
  expect(program).not.toBeNull();
  connected.push(program);
  // Not by User/set, which would say yes and change nothing for her; and no password in any log line.
  expect(double.seen.some(({ body }) => JSON.stringify(body).includes('"User/set"'))).toBe(false);
  for (const secret of [OLD, NEW, stolen]) expect(service.lines.join('')).not.toContain(secret);
}, 180_000);
