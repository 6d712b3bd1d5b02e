import { changeOwnPasswordSchema } from '../../../module/requests/changeOwnPassword.ts';
import { validateRequest } from '../../../module/requests/validateRequest.ts';
import { isCommon } from '../../../module/policy/commonPasswords.ts';
import { type PasswordPolicy, POLICY_PRESETS } from '../../../module/policy/passwordPolicy.ts';
import { buildPasswordSchema } from '../../../module/policy/passwordSchema.ts';

const policy = POLICY_PRESETS.default;

function codes(password: unknown, over: Partial<PasswordPolicy> = {}, context = {}): string[] {
  const verdict = validateRequest(buildPasswordSchema({ ...policy, ...over }, context, { isCommon }), password);
  return 'fields' in verdict ? verdict.fields.map(({ code }) => code) : [];
}

describe('the default policy', () => {
  test.each([
    ['Tr0ub4dor&3x', []],
    ['Pässword 1!é', []],
    ['abc', ['PASSWORD_TOO_SHORT', 'PASSWORD_NEEDS_UPPER', 'PASSWORD_NEEDS_DIGIT', 'PASSWORD_NEEDS_SPECIAL']],
    ['ABCDEFGH1!', ['PASSWORD_NEEDS_LOWER']],
    ['Abcdefg1!\u0000', ['PASSWORD_HAS_CONTROL_CHARACTERS']],
    ['Abcdefg1!\ud800', ['PASSWORD_HAS_LONE_SURROGATES']],
    ['', ['REQUIRED']],
    [null, ['REQUIRED']],
    [undefined, ['REQUIRED']],
    [12345678, ['WRONG_TYPE']],
    [['Tr0ub4dor&3x'], ['WRONG_TYPE']],
  ])('%j gives %j', (password, expected) => {
    expect(codes(password)).toEqual(expected);
  });

  test('all violations come back together', () => {
    expect(codes('a')).toHaveLength(4);
  });

  test('lengths are code points after NFC: an emoji is one, a letter with a combining accent is one', () => {
    expect(codes('Aa1!\u{1F600}\u{1F600}\u{1F600}\u{1F600}')).toEqual([]);
    expect(codes('Aa1!\u{1F600}\u{1F600}\u{1F600}')).toEqual(['PASSWORD_TOO_SHORT']);
    expect(codes('Aa1!e\u0301e\u0301e\u0301')).toEqual(['PASSWORD_TOO_SHORT']);
    expect(codes(`Aa1!${'\u{1F600}'.repeat(124)}`)).toEqual([]);
    expect(codes(`Aa1!${'\u{1F600}'.repeat(125)}`)).toEqual(['PASSWORD_TOO_LONG']);
  });

  test('bytes are counted where a back end has a limit', () => {
    expect(codes(`Aa1!${'é'.repeat(34)}`, { maxBytes: 72 })).toEqual([]);
    expect(codes(`Aa1!x${'é'.repeat(34)}`, { maxBytes: 72 })).toEqual(['PASSWORD_TOO_MANY_BYTES']);
  });

  test('the address and its parts are refused in any case', () => {
    const context = { address: 'alice@example.test' };
    for (const password of ['ALICE-9x-ok', 'x9!Example.Test', 'my-eXample-1!']) {
      expect(codes(password, {}, context)).toEqual(['PASSWORD_CONTAINS_ADDRESS']);
    }
    expect(codes('Al-ice-9x-ok', {}, context)).toEqual([]);
  });

  test('the current password is refused, also in another Unicode form', () => {
    expect(codes('Café-au-1ait', {}, { currentPassword: 'Cafe\u0301-au-1ait' })).toEqual(['PASSWORD_IS_CURRENT']);
  });

  test('common passwords are refused in any case', () => {
    expect(codes('PassWord', { requiredClasses: [] })).toEqual(['PASSWORD_TOO_COMMON']);
  });
});

describe('the nist policy', () => {
  test('asks for 15 and no classes', () => {
    expect(codes('correct horse b', { ...POLICY_PRESETS.nist })).toEqual([]);
    expect(codes('correct horse ', { ...POLICY_PRESETS.nist })).toEqual(['PASSWORD_TOO_SHORT']);
  });
});

describe('the request', () => {
  const judge = (body: unknown) =>
    validateRequest(changeOwnPasswordSchema(policy, 'a@example.test', (body as { currentPassword?: unknown } | null)?.currentPassword, { isCommon }), body);

  test('is accepted and handed back unchanged', () => {
    const body = { currentPassword: ' old ', newPassword: ' Tr0ub4dor&3 ' };
    expect(judge(body)).toEqual({ value: body });
  });

  test.each([
    [{ newPassword: 'Tr0ub4dor&3x' }, [{ field: 'currentPassword', code: 'REQUIRED' }]],
    [{ currentPassword: '', newPassword: 'Tr0ub4dor&3x' }, [{ field: 'currentPassword', code: 'REQUIRED' }]],
    [{ currentPassword: 7, newPassword: 'Tr0ub4dor&3x' }, [{ field: 'currentPassword', code: 'WRONG_TYPE' }]],
    [{ currentPassword: 'a\u0000', newPassword: 'Tr0ub4dor&3x' }, [{ field: 'currentPassword', code: 'MALFORMED' }]],
    [{ currentPassword: 'a', newPassword: 'Tr0ub4dor&3x', address: 'b@example.test' }, [{ field: '', code: 'UNKNOWN_KEY' }]],
    [{ currentPassword: 'a', newPassword: 'Aa1!' }, [{ field: 'newPassword', code: 'PASSWORD_TOO_SHORT', params: { min: 8 } }]],
    [null, [{ field: '', code: 'REQUIRED' }]],
  ])('%j gives %j', (body, fields) => {
    expect(judge(body)).toEqual({ fields });
  });
});
