import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ADMIN_PANEL_OPERATIONS, USER_PANEL_OPERATIONS } from '../../../module/panelOperations.ts';
import { ALICE, BOB } from '../../fixtures/service.ts';
import { enter, startProcess } from '../../fixtures/serviceProcess.ts';

jest.setTimeout(120_000);

/** Every secret of this test holds this, and nothing else does. */
const MARK = 'S3cr3t-Mark';
const secret = (name: string): string => `${MARK}-${name}-x9!Q`;

test('I6 every kind of request with marked secrets: none of them is in the log, in an answer, in /metrics or in the state database', async () => {
  const service = await startProcess({ log: { level: 'debug' }, metrics: { port: 0, tokens: [secret('metrics-token')] } });
  const { url, metricsUrl, dataDir } = service;
  const base = `${url}/mailbox-password`;
  const answers: string[] = [];
  const codes = new Set<string>();
  const say = async (answer: Response): Promise<Response> => {
    const text = await answer.clone().text();
    const { code } = text.startsWith('{') ? (JSON.parse(text) as { code?: string }) : {};
    if (code !== undefined) codes.add(code);
    answers.push(text, [...answer.headers].filter(([name]) => name !== 'set-cookie').join('\n'));
    return answer;
  };
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) =>
    say(await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) }));

  // The Account section: wrong, refused, malformed, misplaced, and right.
  const alice = await enter(url);
  const change = `${base}/api/v1/password`;
  const session = { cookie: alice.cookie, 'x-csrf-token': alice.csrfToken };
  await post(change, { currentPassword: secret('wrong'), newPassword: secret('new') }, session);
  await post(change, { currentPassword: ALICE.password, newPassword: `${MARK}-${ALICE.address}` }, session);
  await post(change, { currentPassword: secret('same'), newPassword: secret('same') }, session);
  await post(change, `{"currentPassword":"${secret('broken')}","newPassword":`, session);
  await post(change, `"${secret('text')}"`, session);
  await post(change, { currentPassword: secret('a'), newPassword: secret('b'), [secret('key')]: secret('value') }, session);
  await post(change, { currentPassword: [secret('list')], newPassword: { password: secret('object') } }, session);
  await post(change, `currentPassword=${secret('form')}`, { ...session, 'content-type': 'application/x-www-form-urlencoded' });
  await post(change, { currentPassword: secret('large'), newPassword: secret('large').repeat(2000) }, session);
  await post(change, { currentPassword: secret('csrf'), newPassword: secret('csrf') }, { ...session, 'x-csrf-token': secret('csrf-token') });
  await post(change, { currentPassword: secret('origin'), newPassword: secret('origin') }, { ...session, origin: `https://${MARK.toLowerCase()}.test` });
  await post(change, { currentPassword: secret('cookie'), newPassword: secret('cookie') }, { cookie: `mailbox_session=${secret('cookie')}` });
  await post(`${change}?newPassword=${secret('query')}`, { currentPassword: secret('query'), newPassword: secret('query') }, { ...session, authorization: `Bearer ${secret('bearer')}`, 'x-request-id': secret('request-id') });
  await say(await fetch(`${url}/${secret('path')}`));
  const changed = await post(change, { currentPassword: ALICE.password, newPassword: secret('first') }, session);
  expect(changed.status).toBe(200);
  // The webmail's log-in, also with the password in the field of the address.
  await post(`${url}/host/login`, { address: BOB.address, password: secret('host') });
  await post(`${url}/host/login`, { address: secret('host-address'), password: BOB.address });

  // The User Panel.
  const user = (name: keyof typeof USER_PANEL_OPERATIONS) => base + USER_PANEL_OPERATIONS[name].path;
  await post(user('logIn'), { address: ALICE.address, password: secret('panel-wrong') });
  await post(user('logIn'), { address: secret('panel-address'), password: 'x' });
  const panel = await post(user('logIn'), { address: ALICE.address, password: secret('first') });
  const panelCookie = (panel.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const { csrfToken: panelToken } = (await panel.json()) as { csrfToken: string };
  const panelSession = { cookie: panelCookie, 'x-csrf-token': panelToken };
  await say(await fetch(user('listDevices'), { headers: panelSession }));
  await post(user('changePassword'), { currentPassword: secret('panel-old'), newPassword: secret('panel-new') }, panelSession);
  expect((await post(user('changePassword'), { currentPassword: secret('first'), newPassword: secret('second') }, panelSession)).status).toBe(200);

  // The Admin Panel.
  const admin = (name: keyof typeof ADMIN_PANEL_OPERATIONS) => base + ADMIN_PANEL_OPERATIONS[name].path;
  await post(admin('logIn'), { name: 'admin', password: secret('admin-wrong') });
  await post(admin('logIn'), { name: secret('admin-name').replaceAll(/[^A-Za-z0-9-]/g, ''), password: 'x' });
  const administrator = await post(admin('logIn'), { name: 'admin', password: 'Admin-demo-9' });
  const adminCookie = (administrator.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const { csrfToken: adminToken } = (await administrator.json()) as { csrfToken: string };
  const adminSession = { cookie: adminCookie, 'x-csrf-token': adminToken };
  const mailbox = (await (await say(await fetch(`${admin('getMailbox')}?address=${BOB.address}`, { headers: adminSession }))).json()) as { passwordVersion: string };
  await post(admin('setPassword'), { address: BOB.address, newPassword: `${MARK}-${BOB.address}`, passwordVersion: mailbox.passwordVersion }, adminSession);
  await post(admin('setPassword'), { address: BOB.address, newPassword: secret('set'), passwordVersion: secret('version') }, adminSession);
  expect((await post(admin('setPassword'), { address: BOB.address, newPassword: secret('set'), passwordVersion: mailbox.passwordVersion }, adminSession)).status).toBe(200);
  await say(await fetch(admin('listHistory'), { headers: adminSession }));

  await say(await fetch(String(metricsUrl)));
  await say(await fetch(String(metricsUrl), { headers: { authorization: `Bearer ${secret('metrics-token')}` } }));
  service.write({ log: { level: 'debug' }, metrics: { port: 0, tokens: [secret('metrics-token')] }, administrators: [{ name: 'root', passwordHash: secret('hash'), domains: ['*'] }] });
  service.signal('SIGHUP');
  await service.says('the one before goes on');
  service.signal('SIGTERM');
  expect(await service.exited).toBe(0);

  const state = readdirSync(dataDir).filter((name) => name.startsWith('state.db')).map((name) => readFileSync(join(dataDir, name), 'latin1')).join('');
  expect(state).toContain('alice@example.test');
  for (const [where, text] of Object.entries({ log: service.text(), answers: answers.join('\n'), state })) {
    const at = text.indexOf(MARK);
    expect([where, at < 0 ? '' : text.slice(Math.max(0, at - 200), at + 60)]).toEqual([where, '']);
    for (const token of [alice.cookie, alice.csrfToken, panelCookie, adminCookie]) expect([where, text.includes(token.split('=').at(-1) ?? '')]).toEqual([where, false]);
  }
  // All of these were really reached, and each wrote its line.
  for (const code of ['CURRENT_PASSWORD_WRONG', 'PASSWORD_REJECTED', 'REQUEST_MALFORMED', 'REQUEST_INVALID', 'REQUEST_MEDIA_TYPE', 'REQUEST_TOO_LARGE', 'CSRF_TOKEN_INVALID', 'ORIGIN_NOT_ALLOWED',
    'AUTHENTICATION_REQUIRED', 'NOT_FOUND', 'CREDENTIALS_WRONG', 'ACCOUNT_CHANGED_MEANWHILE']) {
    expect([code, codes.has(code), new RegExp(`"requestId":"[^"]+","code":"${code}","status":4\\d\\d`).test(service.text())]).toEqual([code, true, true]);
  }
});
