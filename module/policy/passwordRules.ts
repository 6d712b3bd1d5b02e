import type { CharacterClass, PasswordPolicy } from './passwordPolicy.ts';

const APPLE_CLASSES: Record<CharacterClass, string> = {
  upper: 'upper',
  lower: 'lower',
  digit: 'digit',
  special: '[-~!@#$%^&*_+=`|(){}:;"<>,.?]',
};

/** The `passwordrules` attribute (Apple's Password Rules), so that a password manager's own proposal fits the policy. */
export function passwordRules(policy: PasswordPolicy): string {
  const most = Math.min(policy.maxLength, policy.maxBytes ?? policy.maxLength);
  const required = policy.requiredClasses.map((name) => `required: ${APPLE_CLASSES[name]};`);
  return [`minlength: ${String(policy.minLength)};`, `maxlength: ${String(most)};`, ...required, 'allowed: ascii-printable;'].join(' ');
}
