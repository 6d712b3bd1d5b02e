import { randomUUID } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { number, object } from 'yup';
import type { PasswordMemory, PasswordPolicyProvider } from '../../ports/passwordPolicyProvider.ts';
import { memoryKey } from '../../passwordPolicy/memories.ts';
import type { Secret } from '../../secret.ts';
import { definePolicyDriver } from '../defineDriver.ts';

const options = object({
  count: number().integer().min(1).max(24).required().meta({ description: 'Refuse the last so many passwords of the mailbox, the present one among them', example: 5 }),
}).noUnknown();

/** OWASP Password Storage Cheat Sheet: Argon2id, 19 MiB, two passes, one lane. */
const ARGON2ID = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** The hashes of the last passwords, in the module's own database; only of changes and sets that went through the module. */
export default definePolicyDriver({
  name: 'history',
  summary: 'Refuses the last passwords of the mailbox, kept as Argon2id in the module\'s own database.',
  options,
  async create({ count }, { name, clock, state }): Promise<PasswordPolicyProvider> {
    /** Those that count, newest first: what belongs to a change that is not certain yet is no password of this mailbox. */
    const rows = (address: string) => state.selectFrom('password_history').selectAll()
      .where('address', '=', memoryKey(address)).where('change_id', 'is', null).orderBy('at', 'desc').orderBy('id');
    const memory = async (address: string, password: Secret, at: number, certain: boolean): Promise<PasswordMemory> =>
      ({ id: randomUUID(), address: memoryKey(address), at, certain, hash: await hash(password.reveal(), ARGON2ID) });

    return {
      name,
      rule: { code: 'PASSWORD_IN_HISTORY', params: { count } },
      tellsOfThePast: true,
      async judge({ address, next }) {
        // One after the other: the thread pool belongs to everybody.
        for (const row of await rows(address).limit(count).execute()) if (await verify(row.hash, next.reveal())) return 'violated';
        return 'met';
      },
      async remember({ address, current, next }) {
        const now = clock.now();
        const [newest] = await rows(address).limit(1).execute();
        // The one that is replaced may have been set elsewhere, or before this rule was switched on.
        const unknown = current !== null && (newest === undefined || !(await verify(newest.hash, current.reveal())));
        return [...(unknown ? [await memory(address, current, now - 1, true)] : []), await memory(address, next, now, false)];
      },
      async forget(address) {
        const old = (await rows(address).execute()).slice(count);
        if (old.length > 0) await state.deleteFrom('password_history').where('id', 'in', old.map(({ id }) => id)).execute();
      },
      async check() {
        await state.selectFrom('password_history').select('id').limit(1).execute();
      },
      close: () => Promise.resolve(),
    };
  },
});
