import { describe, expect, it } from '@jest/globals';
import { accountsByDomain } from '../../server/accountsByDomain.ts';
import type { AccountApi } from '../../server/ports/accountApi.ts';
import { Secret } from '../../server/secret.ts';
import { ConfigError } from '../../server/config/loadConfig.ts';
import { verifiedAccounts } from '../../server/verifiedAccounts.ts';
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

  it('pages through the domains of several in one order, each once, and asks the large one only for its pages', async () => {
    const asked: string[] = [];
    const many = Array.from({ length: 300 }, (_, n) => `shop${String(n).padStart(4, '0')}.test`).concat('shop-one.test', 'a-shop.test', 'z-shop.test', 'shared.test');
    /** As the driver `sql` pages: what begins so, then what holds it, in a language's order of its own, some pages empty. */
    const paging = (names: readonly string[], label: string): AccountApi => {
      const own = api(label, asked);
      return { ...own, listDomains: async () => { throw new Error('all of them were asked for'); }, pageDomains: async ({ search, cursor, limit }) => {
        asked.push(`${label} page ${String(limit)}`);
        const loose = (name: string): string => name.replaceAll(/[-.]/g, '');
        const all = names.filter((name) => name.includes(search)).sort((left, right) => Number(right.startsWith(search)) - Number(left.startsWith(search)) || (loose(left) < loose(right) ? -1 : 1));
        const begins = all.filter((name) => name.startsWith(search)).length;
        const from = cursor === null ? 0 : Number(cursor.replace('empty', ''));
        if (from >= begins && from > 0 && cursor?.startsWith('empty') !== true) return { domains: [], nextCursor: `empty${String(from)}` };
        const to = from < begins ? Math.min(begins, from + limit) : from + limit;
        return { domains: all.slice(from, to), nextCursor: to < all.length ? String(to) : null };
      } };
    };
    const router = accountsByDomain([
      { domains: ['shared.test', 'one.test', 'shop-one.test', 'shop0007.test', 'not-there.test'], api: paging(['shared.test', 'one.test', 'shop-one.test', 'shop0007.test', 'shop0007.test.org', ...many], 'few') },
      { domains: ['hook.test', 'my-shop.test'], api: api('blind', asked, { listDomains: false }) },
      { domains: ['*'], api: paging(many, 'many') },
    ]);
    for (const search of ['', 'shop', 'hop0', 'zzz']) {
      for (const limit of [1, 7, 50, 400]) {
        const seen: string[] = [];
        let [cursor, pages]: [string | null, number] = [null, 0];
        do {
          const page: Awaited<ReturnType<NonNullable<AccountApi['pageDomains']>>> | undefined = await router.pageDomains?.({ search, cursor, limit }, call);
          expect(page?.domains.length).toBeLessThanOrEqual(limit);
          seen.push(...page?.domains ?? []);
          [cursor, pages] = [page?.nextCursor ?? null, pages + 1];
        } while (cursor !== null && pages < 2_000);
        const expected = [...new Set([...many, 'one.test', 'hook.test', 'my-shop.test'])].filter((name) => name.includes(search));
        expect([...seen].sort()).toEqual(expected.sort());
        const begins = expected.filter((name) => name.startsWith(search)).length;
        expect(seen.slice(0, begins).every((name) => name.startsWith(search))).toBe(true);
      }
    }
    asked.length = 0;
    await router.pageDomains?.({ search: '', cursor: null, limit: 50 }, call);
    expect(asked.filter((one) => one.startsWith('many'))).toEqual(['many page 50']);
    for (const cursor of ['', 'x', Buffer.from('[1,2]').toString('base64url'), Buffer.from('["a",["b"]]').toString('base64url'), Buffer.from('{}').toString('base64url'), Buffer.from('null').toString('base64url')])
      await expect(router.pageDomains?.({ search: '', cursor, limit: 50 }, call)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
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

test('where another verifies, the account API\'s own version proves nothing: it verifies for itself', async () => {
  const seen: unknown[] = [];
  const own: AccountApi = {
    ...api('one', [], { setPassword: false, provesByVersion: true }),
    changePassword: async (_address, _current, _next, { verifiedVersion }) => { seen.push(verifiedVersion); return { changedAt: null }; },
  };
  const verified = verifiedAccounts(own, { verify: async () => true, check: async () => undefined, close: async () => undefined });
  await verified.changePassword('a@one.test', new Secret('x'), new Secret('y'), { ...call, verifiedVersion: 'v1' });
  expect([verified.abilities.provesByVersion, seen]).toEqual([false, [null]]);
});
