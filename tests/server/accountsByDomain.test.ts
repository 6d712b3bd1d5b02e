import { describe, expect, it } from '@jest/globals';
import { accountsByDomain } from '../../server/accountsByDomain.ts';
import type { AccountApi } from '../../server/ports/accountApi.ts';
import { Secret } from '../../server/secret.ts';
import { ConfigError } from '../../server/config/loadConfig.ts';
import { ALICE, logIn, startService, tempFolder } from '../fixtures/service.ts';

const call = { signal: AbortSignal.timeout(5000) };

/** Remembers who was asked for what. */
function api(name: string, asked: string[], abilities: Partial<AccountApi['abilities']> = {}): AccountApi {
  const note = (operation: string) => async (address: string) => { asked.push(`${name} ${operation} ${address}`); return true as never; };
  return {
    abilities: { verifyPassword: true, changePassword: true, setPassword: true, listDomains: true, listMailboxes: true, maxPasswordBytes: null, ...abilities },
    find: note('find'), verifyPassword: note('verify'), changePassword: note('change'), setPassword: note('set'), passwordVersion: note('version'),
    listDomains: async () => [`${name}.test`, 'shared.test'],
    listMailboxes: async ({ domain }) => { asked.push(`${name} list ${domain}`); return { mailboxes: [], nextCursor: null }; },
    check: async () => { asked.push(`${name} check`); }, close: async () => { asked.push(`${name} close`); },
  };
}

describe('accounts by domain', () => {
  it('the domain decides, whatever its case; "*" takes the rest', async () => {
    const asked: string[] = [];
    const router = accountsByDomain([{ domains: ['one.test', 'shared.test'], api: api('one', asked) }, { domains: ['*'], api: api('two', asked, { maxPasswordBytes: 72 }) }]);
    await router.find('a@One.Test', call);
    await router.changePassword('"x@one.test"@other.test', new Secret('a'), new Secret('b'), call);
    await router.setPassword('a@shared.test', new Secret('b'), call);
    await router.listMailboxes({ domain: 'ONE.test', search: '', cursor: null, limit: 5 }, call);
    await router.check(call);
    expect(asked).toEqual(['one find a@One.Test', 'two change "x@one.test"@other.test', 'one set a@shared.test', 'one list ONE.test', 'one check', 'two check']);
    expect(await router.listDomains('', call)).toEqual(['one.test', 'shared.test', 'two.test']);
    expect(router.abilities.maxPasswordBytes).toBe(72);
  });

  it('a domain that nobody names is nobody\'s, after the same work', async () => {
    const asked: string[] = [];
    const router = accountsByDomain([{ domains: ['one.test'], api: api('one', asked) }]);
    expect(await router.find('a@else.test', call)).toBeNull();
    expect(await router.verifyPassword('a@else.test', new Secret('x'), call)).toBe(false);
    await expect(router.changePassword('a@else.test', new Secret('x'), new Secret('y'), call)).rejects.toMatchObject({ code: 'CURRENT_PASSWORD_WRONG' });
    await expect(router.setPassword('no-at-sign', new Secret('y'), call)).rejects.toMatchObject({ code: 'ACCOUNT_NOT_FOUND' });
    expect(asked).toEqual(['one verify nobody@invalid', 'one verify nobody@invalid']);
  });

  it('in a service: the mailbox of a domain that is not served cannot log in; a domain named twice does not start', async () => {
    const service = await startService({ overrides: { accounts: [{ driver: 'embedded', domains: ['mail.test'] }] } });
    expect((await logIn(service.app, ALICE)).status).toBe(401);
    expect((await logIn(service.app, { address: 'carol@mail.test', password: 'Singing-bells-9' })).status).toBe(200);
    await service.stop();
    const twice = startService({ dataDir: tempFolder(), overrides: { accounts: [{ driver: 'embedded', domains: ['a.test'] }, { driver: 'embedded', domains: ['A.test'] }] } });
    await expect(twice).rejects.toBeInstanceOf(ConfigError);
  });
});
