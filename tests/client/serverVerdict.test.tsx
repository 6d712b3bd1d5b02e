import { serverVerdict, withOutcomes } from '../../client/parts/serverVerdict.ts';
import { POLICY_PRESETS } from '../../module/policy/passwordPolicy.ts';
import { rulesFor } from '../../module/policy/rulesFor.ts';
import { buildPasswordSchema } from '../../module/policy/passwordSchema.ts';
import { validateRequest } from '../../module/requests/validateRequest.ts';

const policy = { ...POLICY_PRESETS.default, serverRules: [{ code: 'PASSWORD_BREACHED', params: {} }, { code: 'PASSWORD_IN_HISTORY', params: { count: 5 } }] as const };
const states = (password: string, judged: Parameters<typeof serverVerdict>[0]) =>
  Object.fromEntries(rulesFor(policy).filter(({ onSave }) => onSave === true).map((rule) => [rule.code, rule.check(password, {}, { serverVerdict: serverVerdict(judged) })]));
const judged = { password: 'Fresh!Harvest42', outcomes: { PASSWORD_IN_HISTORY: 'violated' } } as const;

test('open until the server has judged; then what it refused is violated, for exactly that password', () => {
  expect(states('Fresh!Harvest42', null)).toEqual({ PASSWORD_BREACHED: 'pending', PASSWORD_IN_HISTORY: 'pending' });
  expect(states('Fresh!Harvest42', judged)).toEqual({ PASSWORD_BREACHED: 'pending', PASSWORD_IN_HISTORY: 'violated' });
  expect(states('Fresh!Harvest43', judged)).toEqual({ PASSWORD_BREACHED: 'pending', PASSWORD_IN_HISTORY: 'pending' });
});

test('sent again unchanged, the page says it with the same code and number', () => {
  const schema = buildPasswordSchema(policy, {}, { isCommon: () => false, serverVerdict: serverVerdict(judged) });
  expect(validateRequest(schema, 'Fresh!Harvest42')).toEqual({ fields: [{ field: '', code: 'PASSWORD_IN_HISTORY', params: { count: 5 } }] });
  expect(validateRequest(schema, 'Fresh!Harvest43')).toEqual({ value: 'Fresh!Harvest43' });
});

test('met is met; what it could not tell stays open; a later answer adds to it for the same password alone', () => {
  const checked = { password: 'Fresh!Harvest42', outcomes: { PASSWORD_BREACHED: 'met', PASSWORD_IN_HISTORY: 'unknown' } } as const;
  expect(states('Fresh!Harvest42', checked)).toEqual({ PASSWORD_BREACHED: 'met', PASSWORD_IN_HISTORY: 'pending' });
  expect(states('Fresh!Harvest43', checked)).toEqual({ PASSWORD_BREACHED: 'pending', PASSWORD_IN_HISTORY: 'pending' });
  expect(states('Fresh!Harvest42', withOutcomes(checked, judged))).toEqual({ PASSWORD_BREACHED: 'met', PASSWORD_IN_HISTORY: 'violated' });
  expect(states('Other!Harvest42', withOutcomes(checked, { ...judged, password: 'Other!Harvest42' }))).toEqual({ PASSWORD_BREACHED: 'pending', PASSWORD_IN_HISTORY: 'violated' });
});
