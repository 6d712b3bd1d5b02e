import { number, object, string } from 'yup';
import { ModuleError } from '../../../module/errors.ts';
import { breachOptions, createBreachCheck, sha1Of } from '../../passwordPolicy/breachCheck.ts';
import { createPwnedRanges, PREFIX } from '../../passwordPolicy/pwnedRanges.ts';
import type { PasswordPolicyProvider } from '../../ports/passwordPolicyProvider.ts';
import { definePolicyDriver } from '../defineDriver.ts';

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

    const ranges = createPwnedRanges({ baseUrl: (baseUrl ?? 'https://api.pwnedpasswords.com').replace(/\/+$/, ''), timeoutMs, clock });

    return {
      name,
      rule: { code: 'PASSWORD_BREACHED', params: {} },
      tellsOfThePast: false,
      async judge({ next }, { signal }) {
        const hash = sha1Of(next);
        const prefix = hash.slice(0, PREFIX);
        const known = ranges.known(prefix);
        if (known !== null) return known(hash) >= minCount ? 'violated' : 'met';
        return breachCheck(async () => (await ranges.ask(prefix, signal))(hash) >= minCount);
      },
      remember: async () => [],
      forget: () => Promise.resolve(),
      async check({ signal }) {
        // The SHA-1 of "password": a range that certainly has it.
        const hash = '5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8';
        const range = await ranges.ask(hash.slice(0, PREFIX), signal).catch((cause: unknown) => { throw new ModuleError('POLICY_UNAVAILABLE', { detail: name, cause }); });
        if (range(hash) === 0) throw new ModuleError('POLICY_UNAVAILABLE', { detail: `${name}: it does not know the password "password"` });
      },
      close: () => Promise.resolve(),
    };
  },
});
