// `npx tsx tests/bench/ldapLists.ts`: what a page of the Admin Panel's list costs in a real slapd, at 1,000 and at 20,000 entries of one domain, in
// turns; with and without an index for what stands inside an address. docs/drivers/accounts-ldap.md says why a first page costs a walk, and those that
// follow do not.
import { pino } from 'pino';
import driver from '../../server/drivers/accounts/ldap.ts';
import type { MailboxQuery } from '../../server/ports/accountApi.ts';
import { startSlapd } from '../services/slapd.ts';

const ROUNDS = 5;
const SIZES = [1_000, 20_000] as const;
const LIMIT = 50;

const context = { name: 'ldap', dataDir: '/nowhere', clock: { now: () => Date.now() }, log: pino({ level: 'silent' }) };
const call = () => ({ signal: AbortSignal.timeout(120_000) });
const median = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
const name = (n: number): string => `user${String(n).padStart(6, '0')}`;

const people = (count: number): string => Array.from({ length: count }, (_, n) => `dn: uid=${name(n)},ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: ${name(n)}
cn: ${name(n)}
sn: ${name(n)}
mail: ${name(n)}@example.test
`).join('\n');

async function build(count: number, mailIndex: 'eq' | 'eq,sub') {
  const slapd = await startSlapd({ ldif: people(count), mailIndex });
  // A directory gives 500 entries at once unless it is told otherwise; pages (RFC 2696) are not bound by that for the service.
  const api = await driver.create(driver.options.validateSync({
    url: slapd.url, bindDn: slapd.managerDn, bindPassword: slapd.managerPassword, base: `ou=people,${slapd.baseDn}`, filter: '(&(objectClass=inetOrgPerson)(mail={address}))',
  }, { strict: true }) as never, context);
  const page = async (query: Partial<MailboxQuery>) => {
    const since = performance.now();
    const { mailboxes, nextCursor } = await api.listMailboxes({ domain: 'example.test', search: '', cursor: null, limit: LIMIT, ...query }, call());
    return { took: performance.now() - since, found: mailboxes.length, nextCursor };
  };
  return { page, stop: async () => { await api.close(); await slapd.stop(); } };
}

for (const mailIndex of ['eq', 'eq,sub'] as const) {
  console.log(`slapd, mail indexed ${mailIndex}:`);
  const built = [await build(SIZES[0], mailIndex), await build(SIZES[1], mailIndex)] as const;
  try {
    const cursors = await Promise.all(built.map(async ({ page }) => (await page({})).nextCursor));
    for (const [what, query] of [
      ['first page', () => ({})], ['second page', (at: number) => ({ cursor: cursors[at] ?? null })], ['search, one mailbox', () => ({ search: 'r000042' })],
    ] as const) {
      const times: [number[], number[]] = [[], []];
      let found = 0;
      for (let n = 0; n < ROUNDS; n += 1) for (const [at, one] of built.entries()) {
        const told = await one.page(query(at));
        times[at]?.push(told.took);
        ({ found } = told);
      }
      const [few, many] = [median(times[0]), median(times[1])];
      console.log(`  ${what} (${String(found)} found): ${few.toFixed(1)} ms at 1,000, ${many.toFixed(1)} ms at 20,000, ratio ${(many / few).toFixed(1)}`);
    }
  } finally {
    for (const { stop } of built) await stop();
  }
}
