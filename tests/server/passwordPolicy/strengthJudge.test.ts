import { strength } from '../../../module/policy/passwordStrength.ts';
import { POLICY_PRESETS } from '../../../module/policy/passwordPolicy.ts';
import { buildPasswordSchema } from '../../../module/policy/passwordSchema.ts';
import { validateRequest } from '../../../module/requests/validateRequest.ts';
import { policyResources } from '../../../server/passwordPolicy/policyResources.ts';
import { createStrengthJudge } from '../../../server/passwordPolicy/strengthJudge.ts';

const TYPED = ['Password1!', 'correct horse battery staple', 'Zq7,vR2!mK9@tB4#', 'aB3!'.repeat(32), '\u00e9'.normalize('NFD').repeat(40), '\ud800x', '😀'.repeat(70)];

test('the thread judges as the page does (I5)', async () => {
  const judge = createStrengthJudge();
  expect(await Promise.all(TYPED.map((typed, at) => judge(typed, String(at))))).toEqual(TYPED.map((typed) => strength(typed)));
});

test('of too many at once the last are refused with a code, the others are judged', async () => {
  const judge = createStrengthJudge({ waiting: 2 });
  const outcomes = await Promise.allSettled(TYPED.slice(0, 4).map((typed, at) => judge(typed, String(at))));
  expect(outcomes.slice(0, 3).map((one) => one.status === 'fulfilled' && one.value)).toEqual(TYPED.slice(0, 3).map((typed) => strength(typed)));
  expect(outcomes[3]).toMatchObject({ status: 'rejected', reason: { code: 'OVERLOADED' } });
});

test('one person who asks without end stands in nobody else\'s way: people take turns, and only the own questions are refused', async () => {
  const judge = createStrengthJudge();
  const [answered, refused]: [string[], string[]] = [[], []];
  const ask = async (who: string): Promise<void> => judge('Zq7,vR2!mK9@tB4#', who).then(() => { answered.push(who); }, ({ code }: { code: string }) => { refused.push(`${who} ${code}`); });
  // The first is under way at once, and so is nobody's turn any more.
  await Promise.all([...Array.from({ length: 100 }, () => ask('greedy')), ask('second'), ask('third'), ask('second')]);
  expect(answered).toEqual(['greedy', 'greedy', 'second', 'third', 'greedy', 'second', 'greedy', 'greedy']);
  expect(refused).toEqual(Array.from({ length: 95 }, () => 'greedy OVERLOADED'));
});

test('a password that takes too long is refused with a code, and its thread stands in nobody\'s way', async () => {
  // Not even the slowest start of the thread counts, so nothing but the answer can be too late.
  const judge = createStrengthJudge({ timeoutMs: 0 });
  const [first, second] = await Promise.allSettled([judge('aB3!'.repeat(16), 'one'), judge('aB3!'.repeat(16), 'other')]);
  expect([first, second]).toEqual([first, second].map(() => expect.objectContaining({ status: 'rejected', reason: expect.objectContaining({ code: 'POLICY_UNAVAILABLE' }) as unknown }) as unknown));
});

test('the strength is asked for where the policy needs it, and what is no password is left to the schema', async () => {
  const policy = { ...POLICY_PRESETS.default, minStrength: 4 as const };
  const judged = async (typed: unknown) => validateRequest(buildPasswordSchema(policy, {}, await policyResources(policy, typed, 'one')), typed);
  expect(await judged('Password-2024')).toEqual({ fields: [{ field: '', code: 'PASSWORD_TOO_WEAK', params: { min: 4 } }] });
  expect(await judged('Zq7,vR2!mK9@tB4#')).toEqual({ value: 'Zq7,vR2!mK9@tB4#' });
  expect(await judged(['x'])).toEqual({ fields: [{ field: '', code: 'WRONG_TYPE' }] });
  expect(await judged('')).toEqual({ fields: [{ field: '', code: 'REQUIRED' }] });
  expect((await policyResources(POLICY_PRESETS.default, 'x', 'one')).strength).toBeUndefined();
});
