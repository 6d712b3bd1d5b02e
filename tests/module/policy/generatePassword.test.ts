import { webcrypto } from 'node:crypto';
import fc from 'fast-check';
import { generatePassword, randomBelow } from '../../../module/policy/generatePassword.ts';
import { CHARACTER_CLASSES, type PasswordPolicy, POLICY_PRESETS } from '../../../module/policy/passwordPolicy.ts';
import { buildPasswordSchema } from '../../../module/policy/passwordSchema.ts';

const policies: fc.Arbitrary<PasswordPolicy> = fc
  .record({
    minLength: fc.integer({ min: 4, max: 40 }),
    more: fc.integer({ min: 0, max: 100 }),
    bytes: fc.option(fc.integer({ min: 0, max: 60 })),
    requiredClasses: fc.subarray([...CHARACTER_CLASSES]),
  })
  .map(({ minLength, more, bytes, requiredClasses }) => ({
    ...POLICY_PRESETS.default,
    minLength,
    maxLength: minLength + more,
    maxBytes: bytes === null ? null : minLength + bytes,
    requiredClasses,
  }));

test('100,000 draws over random policies are all accepted by the schema', () => {
  let draws = 0;
  fc.assert(
    fc.property(policies, (policy) => {
      const schema = buildPasswordSchema(policy, { address: 'al@ex.test' });
      for (let n = 0; n < 100; n += 1) {
        const password = generatePassword(policy, webcrypto, { address: 'al@ex.test' });
        draws += 1;
        if (!schema.isValidSync(password)) throw new Error('refused');
        if (password.length < Math.min(16, policy.maxLength, policy.maxBytes ?? 1e9)) throw new Error('too short');
      }
    }),
    { numRuns: 1000 },
  );
  expect(draws).toBe(100_000);
}, 300_000);

test('no look-alikes unless asked', () => {
  const all = (lookAlikes: boolean) =>
    Array.from({ length: 500 }, () => generatePassword(POLICY_PRESETS.default, webcrypto, { lookAlikes })).join('');
  expect(all(false)).not.toMatch(/[Il1|Oo0]/);
  expect(all(true)).toMatch(/[Il1Oo0]/);
});

test('draws at the uneven end are thrown away: no modulo bias', () => {
  const draws = [0xffff_ffff, 0xffff_fffe, 7];
  const random = { getRandomValues: (box: Uint32Array<ArrayBuffer>) => box.fill(draws.shift() ?? 0) };
  // 2^32 mod 11 is 4: the last four values would favour 0 to 3.
  expect(randomBelow(11, random)).toBe(7);
  expect(draws).toEqual([]);
});

test('every position is uniform over the alphabet (chi-square, p < 1e-6 fails)', () => {
  const policy: PasswordPolicy = { ...POLICY_PRESETS.default, requiredClasses: [] };
  const counts = Array.from({ length: 16 }, () => new Map<string, number>());
  const runs = 20_000;
  for (let run = 0; run < runs; run += 1) {
    const password = generatePassword(policy, webcrypto);
    counts.forEach((count, at) => count.set(password.charAt(at), (count.get(password.charAt(at)) ?? 0) + 1));
  }
  for (const count of counts) {
    expect(count.size).toBe(67);
    const expected = runs / 67;
    const chi = [...count.values()].reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0);
    // 66 degrees of freedom: mean 66, standard deviation 11.5.
    expect(chi).toBeLessThan(145);
  }
});

test('a policy that nothing can satisfy is an error, not a loop', () => {
  expect(() => generatePassword({ ...POLICY_PRESETS.default, minLength: 20, maxLength: 10 }, webcrypto)).toThrow(RangeError);
});
