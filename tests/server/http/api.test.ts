import { ERRORS } from '../../../module/errors.ts';
import { OPERATIONS } from '../../../module/operations.ts';
import { ADMIN_PANEL_OPERATIONS, USER_PANEL_OPERATIONS } from '../../../module/panelOperations.ts';
import { ALICE, alive, change, logIn, NEW, startService } from '../../fixtures/service.ts';

const good = { currentPassword: ALICE.password, newPassword: NEW };
let service: Awaited<ReturnType<typeof startService>>;
beforeEach(async () => { service = await startService(); });
afterEach(async () => { await service.stop(); });

test.each([
  ['no body', '', 400, 'REQUEST_MALFORMED'],
  ['broken JSON', '{', 400, 'REQUEST_MALFORMED'],
  ['an array', '[]', 422, 'REQUEST_INVALID'],
  ['null', 'null', 422, 'REQUEST_INVALID'],
  ['a number for a password', JSON.stringify({ ...good, currentPassword: 1 }), 422, 'REQUEST_INVALID'],
  ['an absent current password', JSON.stringify({ newPassword: NEW }), 422, 'REQUEST_INVALID'],
  ['an empty current password', JSON.stringify({ ...good, currentPassword: '' }), 422, 'REQUEST_INVALID'],
  ['an unknown key', JSON.stringify({ ...good, address: 'bob@example.test' }), 422, 'REQUEST_INVALID'],
  ['NUL in the new password', JSON.stringify({ ...good, newPassword: `${NEW}\u0000` }), 422, 'PASSWORD_REJECTED'],
  ['a lone surrogate', JSON.stringify(good).replace(NEW, `${NEW}\\ud800`), 422, 'PASSWORD_REJECTED'],
  ['a body of 1 MiB', JSON.stringify({ ...good, newPassword: 'x'.repeat(1024 * 1024) }), 413, 'REQUEST_TOO_LARGE'],
])('%s is refused with a code, and nothing is lost', async (_name, body, status, code) => {
  const browser = await logIn(service.app, ALICE);
  const answer = await change(service.app, browser, body);
  expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([status, code]);
  expect(answer.headers['content-type']).toContain('application/problem+json');
  expect(await alive(service.app, browser)).toBe(true);
});

test('another media type, no CSRF token, another origin and no session are refused', async () => {
  const { app } = service;
  const browser = await logIn(app, ALICE);
  const codes = [
    await change(app, browser, 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }),
    await change(app, { ...browser, csrf: '' }, good),
    await change(app, { ...browser, csrf: 'x'.repeat(32) }, good),
    await change(app, browser, good, { origin: 'https://evil.test' }),
    await change(app, browser, good, { origin: 'null' }),
    await change(app, browser, good, { origin: 'http://sub.localhost:80' }),
    await change(app, browser, good, { 'sec-fetch-site': 'cross-site' }),
    // A sibling subdomain sends the host's cookies, and is somebody else.
    await change(app, browser, good, { 'sec-fetch-site': 'same-site' }),
    await change(app, browser, good, { 'sec-fetch-site': 'none' }),
    await change(app, { ...browser, cookie: '' }, good),
    await change(app, { ...browser, cookie: 'mailbox_session=forged' }, good),
  ].map((answer) => answer.json<{ code: string }>().code);
  expect(codes).toEqual(['REQUEST_MEDIA_TYPE', 'CSRF_TOKEN_INVALID', 'CSRF_TOKEN_INVALID', ...Array.from({ length: 6 }, () => 'ORIGIN_NOT_ALLOWED'), 'AUTHENTICATION_REQUIRED', 'AUTHENTICATION_REQUIRED']);
  expect(await alive(app, browser)).toBe(true);
});

test('a session replayed after the change is refused', async () => {
  const browser = await logIn(service.app, ALICE);
  expect((await change(service.app, browser, good)).statusCode).toBe(200);
  expect((await change(service.app, browser, { currentPassword: NEW, newPassword: 'Third!Harvest44' })).statusCode).toBe(401);
});

test('after ten wrong passwords the right one has to wait too, and is told how long', async () => {
  const browser = await logIn(service.app, ALICE);
  for (let n = 0; n < 10; n += 1) expect((await change(service.app, browser, { ...good, currentPassword: `wrong ${String(n)}` })).statusCode).toBe(422);
  const answer = await change(service.app, browser, good);
  expect(answer.statusCode).toBe(429);
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(800);
  expect(answer.json<{ params: { retryAfterSeconds: number } }>().params.retryAfterSeconds).toBeLessThanOrEqual(900);
});

test('health, readiness, texts and headers', async () => {
  const { app } = service;
  expect((await app.inject('/healthz')).json()).toEqual({ status: 'ok' });
  expect((await app.inject('/readyz')).json()).toEqual({ status: 'ready', down: [] });
  const dutch = await app.inject('/mailbox-password/locales/section/nl-BE,fr.json');
  expect(dutch.json<Record<string, string>>()['field.current']).toBe('Huidig wachtwoord');
  expect((await app.inject({ url: '/mailbox-password/locales/section/nl-BE,fr.json', headers: { 'if-none-match': String(dutch.headers.etag) } })).statusCode).toBe(304);
  expect((await app.inject('/mailbox-password/locales/section/..%2f..%2fpackage.json')).statusCode).toBe(404);
  expect((await app.inject('/login')).headers['content-security-policy']).not.toContain('unsafe');
  expect((await app.inject('/.well-known/change-password')).statusCode).toBe(302);
  expect((await app.inject('/nothing')).json()).toMatchObject({ code: 'NOT_FOUND' });
});

test('maintenance: everything is shown, nothing is changed', async () => {
  const quiet = await startService({ overrides: { readOnly: true } });
  const browser = await logIn(quiet.app, ALICE);
  expect((await quiet.app.inject({ url: '/mailbox-password/api/v1/context', headers: { cookie: browser.cookie } })).json()).toMatchObject({ writable: false, account: { address: ALICE.address } });
  expect((await change(quiet.app, browser, good)).json()).toMatchObject({ code: 'READ_ONLY', changed: 'no' });
  await quiet.stop();
});

test('the OpenAPI document names every operation and every error code', async () => {
  const document = (await service.app.inject('/openapi.json')).json<{ paths: Record<string, object>; components: { schemas: { Problem: { properties: { code: { enum: string[] } } } } } }>();
  expect(Object.keys(document.paths)).toEqual([...Object.values(OPERATIONS), ...Object.values(USER_PANEL_OPERATIONS), ...Object.values(ADMIN_PANEL_OPERATIONS)].map(({ path }) => path));
  expect(document.components.schemas.Problem.properties.code.enum).toEqual(Object.keys(ERRORS));
  expect(JSON.stringify(document)).not.toContain('undefined');
});

test('a minimum strength is judged on the server', async () => {
  const strict = await startService({ overrides: { policy: { preset: 'default', minStrength: 4 } } });
  const browser = await logIn(strict.app, ALICE);
  expect((await change(strict.app, browser, { ...good, newPassword: 'Qwerty12345!' })).json()).toMatchObject({ fields: [{ code: 'PASSWORD_TOO_WEAK', params: { min: 4 } }] });
  expect((await change(strict.app, browser, { ...good, newPassword: 'vK9#mq2&Lr7@xW' })).statusCode).toBe(200);
  await strict.stop();
});
