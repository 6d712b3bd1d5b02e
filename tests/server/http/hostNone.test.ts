import { hasDemoMailboxes } from '../../../server/panels/demo.ts';
import { ALICE, startService } from '../../fixtures/service.ts';

const on = async (overrides: object) => {
  const service = await startService({ overrides: { ...overrides } });
  const get = async (url: string) => {
    const { statusCode, headers } = await service.app.inject({ url });
    return [statusCode, headers['location'] ?? null];
  };
  return { ...service, get };
};

it('without a webmail the service\'s own address and the well-known one lead to the User Panel, and no demo is there', async () => {
  const service = await on({ host: { driver: 'none' } });
  try {
    expect(await service.get('/')).toEqual([302, '/mailbox-password/panel/']);
    expect(await service.get('/.well-known/change-password')).toEqual([302, '/mailbox-password/panel/']);
    expect(await service.get('/mailbox-password/panel/')).toEqual([200, null]);
    for (const demo of ['/login', '/host/demo', '/host/session']) expect([demo, ...await service.get(demo)]).toEqual([demo, 404, null]);
    expect(await service.get('/mailbox-password/api/v1/context')).toEqual([401, null]);
    const logIn = await service.app.inject({ method: 'POST', url: '/mailbox-password/panel/api/v1/login', payload: ALICE });
    expect(logIn.statusCode).toBe(200);
  } finally {
    await service.stop();
  }
});

it('with the User Panel off nothing leads there', async () => {
  const service = await on({ host: { driver: 'none' }, panels: { user: { enabled: false } } });
  try {
    expect(await service.get('/')).toEqual([404, null]);
  } finally {
    await service.stop();
  }
});

it.each([
  ['embedded', ['embedded'], true], ['embedded', ['sql', 'embedded'], true], ['embedded', ['sql'], false], ['none', ['embedded'], false], ['groupOffice', ['sql'], false],
] as const)('host %s with mailboxes in %j: the passwords that everybody knows are told only where they open something', (host, accounts, told) => {
  expect(hasDemoMailboxes({ host: { driver: host }, accounts: accounts.map((driver) => ({ driver, domains: ['*'] })) })).toBe(told);
});

it('a webmail that is for trying things out does not offer demo passwords that open nothing', async () => {
  const service = await on({ accounts: [{ driver: 'passwdFile', domains: ['*'], file: '/nowhere/users' }] });
  try {
    expect((await service.app.inject({ url: '/host/demo' })).json()).toEqual({ accounts: [] });
  } finally {
    await service.stop();
  }
});
