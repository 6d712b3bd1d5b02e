import { type PolicyRule, verdict } from './rule.ts';

/** Control characters cannot be typed in most mail programs, and NUL ends a string in many back ends. */
export const noControlCharacters: PolicyRule = {
  code: 'PASSWORD_HAS_CONTROL_CHARACTERS',
  params: {},
  listed: false,
  check: (password) => verdict(!/\p{Cc}/u.test(password)),
};

/** Half a character: it has no UTF-8 form, so it would be stored as something else. */
export const noLoneSurrogates: PolicyRule = {
  code: 'PASSWORD_HAS_LONE_SURROGATES',
  params: {},
  listed: false,
  check: (password) => verdict(!/\p{Cs}/u.test(password)),
};
