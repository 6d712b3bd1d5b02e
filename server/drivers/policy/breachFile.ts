import { object, string, ValidationError } from 'yup';
import { ModuleError } from '../../../module/errors.ts';
import { breachOptions, createBreachCheck, sha1Of } from '../../passwordPolicy/breachCheck.ts';
import { countIn } from '../../passwordPolicy/sortedHashes.ts';
import { watchFile } from '../../passwordPolicy/watchedFile.ts';
import type { PasswordPolicyProvider } from '../../ports/passwordPolicyProvider.ts';
import { definePolicyDriver } from '../defineDriver.ts';

const options = object({
  ...breachOptions,
  file: string().min(1).required().meta({ description: 'The download of Pwned Passwords, SHA-1, ordered by hash, as one file', example: '/var/lib/pwned-passwords/pwnedpasswords.txt' }),
}).noUnknown();

/** A local disk that fails is asked again soon. */
const BREAKER = { failures: 3, pauseMs: 5000 };

const reason = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined ? message : `it cannot be read (${code})`;
};

/** The downloaded list, searched on the disk: nothing leaves the machine, and nothing is loaded. */
export default definePolicyDriver({
  name: 'breachFile',
  summary: 'Refuses passwords of a downloaded Pwned Passwords file (SHA-1, ordered by hash); searched by offset, never loaded.',
  options,
  async create({ file: path, minCount = 1, onFailure = 'accept' }, { name, clock, log }): Promise<PasswordPolicyProvider> {
    const breachCheck = createBreachCheck({ name, onFailure, clock, log, breaker: BREAKER });
    const file = await watchFile(path, log).catch((error: unknown) => {
      throw new ValidationError([new ValidationError(`${path}: ${reason(error)}`, undefined, 'file')]);
    });
    return {
      name,
      rule: { code: 'PASSWORD_BREACHED', params: {} },
      tellsOfThePast: false,
      judge: ({ next }) => breachCheck(async () => (await file.use((list) => countIn(list, sha1Of(next)))) >= minCount),
      remember: async () => [],
      forget: () => Promise.resolve(),
      check: () => file.check().catch((error: unknown) => { throw new ModuleError('POLICY_UNAVAILABLE', { detail: `${name}: ${path}: ${reason(error)}` }); }),
      close: () => file.close(),
    };
  },
});
