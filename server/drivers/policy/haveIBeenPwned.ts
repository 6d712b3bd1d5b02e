import { pwnedPasswordRange } from 'hibp';
import { number, object, string } from 'yup';
import { ModuleError } from '../../../module/errors.ts';
import { breachOptions, createBreachCheck, sha1Of } from '../../passwordPolicy/breachCheck.ts';
import type { PasswordPolicyProvider } from '../../ports/passwordPolicyProvider.ts';
import { definePolicyDriver } from '../defineDriver.ts';

/** The first five digits are all that leaves: about 2,000 breached passwords share them, and countless others. */
const PREFIX = 5;
const SUFFIX = /^[0-9A-F]{35}$/i;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

const options = object({
  ...breachOptions,
  baseUrl: string().url().test('https', 'baseUrl must be https://, or http:// to this machine', (text) => {
    if (text === undefined || !URL.canParse(text)) return true;
    const { protocol, hostname, username, search, hash } = new URL(text);
    return (protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname))) && username === '' && search === '' && hash === '';
  }).meta({ description: 'A mirror of the range API (default https://api.pwnedpasswords.com)', example: 'https://pwned.example.com' }),
  timeoutMs: number().integer().min(100).max(30_000).meta({ description: 'Milliseconds to wait for an answer (default 2000)', example: 2000 }),
  pauseMs: number().integer().min(100).max(3_600_000).meta({ description: 'After three failures in a row it is not asked for so long (default 30000)', example: 30_000 }),
}).noUnknown();

/** https://haveibeenpwned.com/API/v3#PwnedPasswords: the range API, asked by k-anonymity and with padding. */
export default definePolicyDriver({
  name: 'haveIBeenPwned',
  summary: 'Have I Been Pwned: refuses passwords known from data leaks; five digits of the SHA-1 leave, never the password.',
  options,
  async create({ baseUrl, timeoutMs = 2000, pauseMs = 30_000, minCount = 1, onFailure = 'accept' }, { name, clock, log }): Promise<PasswordPolicyProvider> {
    const breachCheck = createBreachCheck({ name, onFailure, clock, log, breaker: { failures: 3, pauseMs } });

    async function countOf(hash: string, signal: AbortSignal): Promise<number> {
      const found = await pwnedPasswordRange(hash.slice(0, PREFIX), {
        addPadding: true, mode: 'sha1', timeoutMs, signal, userAgent: 'mailbox-password', ...(baseUrl !== undefined && { baseUrl }),
      });
      const lines = Object.entries(found);
      // Every range has entries. An empty or odd answer (a proxy's page, say) is no "not found".
      if (lines.length === 0 || !lines.every(([suffix, count]) => SUFFIX.test(suffix) && Number.isInteger(count))) throw new Error('the answer is not a range');
      // An entry of padding has the count 0.
      return found[hash.slice(PREFIX)] ?? 0;
    }

    return {
      name,
      rule: { code: 'PASSWORD_BREACHED', params: {} },
      tellsOfThePast: false,
      judge: ({ next }, { signal }) => breachCheck(async () => (await countOf(sha1Of(next), signal)) >= minCount),
      remember: async () => [],
      forget: () => Promise.resolve(),
      async check({ signal }) {
        // The SHA-1 of "password": a range that certainly has it.
        const hash = '5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8';
        const count = await countOf(hash, signal).catch((cause: unknown) => { throw new ModuleError('POLICY_UNAVAILABLE', { detail: name, cause }); });
        if (count === 0) throw new ModuleError('POLICY_UNAVAILABLE', { detail: `${name}: it does not know the password "password"` });
      },
      close: () => Promise.resolve(),
    };
  },
});
