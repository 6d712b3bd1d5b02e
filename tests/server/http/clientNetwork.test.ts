import { clientNetwork } from '../../../server/http/clientNetwork.ts';
import { startService } from '../../fixtures/service.ts';

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::ffff:c000:207', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['local', 'local'],
])('%s is counted as %s', (ip, network) => {
  expect(clientNetwork(ip)).toBe(network);
});

test('guesses from many addresses of one IPv6 network are one client\'s; another network is not held up', async () => {
  const few = { points: 3, windowSeconds: 900 };
  const { app, stop } = await startService({ overrides: { server: { port: 0, trustProxy: true }, rateLimit: { wrongPasswordsPerMailbox: { points: 100, windowSeconds: 900 }, wrongPasswordsPerAddress: few } } });
  const guess = async (from: string, mailbox: number) =>
    (await app.inject({ method: 'POST', url: '/mailbox-password/panel/api/v1/login', headers: { 'x-forwarded-for': from }, payload: { address: `m${String(mailbox)}@example.test`, password: 'Wrong-guess-1' } })).statusCode;
  const answers: number[] = [];
  for (let n = 1; n <= 5; n += 1) answers.push(await guess(`2001:db8:1:2::${String(n)}`, n));
  expect(answers).toEqual([401, 401, 401, 429, 429]);
  expect(await guess('2001:db8:1:3::1', 6)).toBe(401);
  await stop();
});

test('another spelling of a mailbox is no new mailbox to guess at, and no administrator', async () => {
  const few = { points: 3, windowSeconds: 900 };
  const { app, stop } = await startService({ overrides: { server: { port: 0 }, rateLimit: { wrongPasswordsPerMailbox: few, wrongPasswordsPerAddress: { points: 100, windowSeconds: 900 } } } });
  const guess = async (address: string) => (await app.inject({ method: 'POST', url: '/mailbox-password/panel/api/v1/login', payload: { address, password: 'Wrong-guess-1' } })).statusCode;
  const answers: number[] = [];
  for (const spelling of ['alice', 'ALICE', 'álice', 'alice\u200b', ' alice', 'ａlice']) answers.push(await guess(`${spelling}@example.test`));
  answers.push(await guess('alice@example.test.'), await guess('alice@example.test  '));
  expect(answers).toEqual([401, 401, 401, 429, 429, 429, 429, 429]);
  for (let n = 0; n < 4; n += 1) await guess(' administrator admin');
  for (let n = 0; n < 4; n += 1) await guess('admin');
  const admin = await app.inject({ method: 'POST', url: '/mailbox-password/admin/api/v1/login', payload: { name: 'admin', password: 'Admin-demo-9' } });
  expect(admin.statusCode).toBe(200);
  await stop();
});
