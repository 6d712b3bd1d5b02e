import { normalizePassword } from '../normalizePassword.ts';
import { type PolicyRule, verdict } from './rule.ts';

const SHORTEST_PART = 3;

const fold = (text: string): string => normalizePassword(text).toLowerCase();

/** The address, its local part, its domain and the domain's first label, where they are long enough to mean something. */
function addressParts(address: string): string[] {
  const at = address.lastIndexOf('@');
  const domain = at < 0 ? '' : address.slice(at + 1);
  const parts = [address, at < 0 ? address : address.slice(0, at), domain, domain.split('.')[0] ?? ''];
  return parts.filter((part) => [...part].length >= SHORTEST_PART).map(fold);
}

export const containsAddress: PolicyRule = {
  code: 'PASSWORD_CONTAINS_ADDRESS',
  params: {},
  listed: true,
  check: (password, { address }) =>
    verdict(address === undefined || !addressParts(address).some((part) => fold(password).includes(part))),
};

export const isCurrent: PolicyRule = {
  code: 'PASSWORD_IS_CURRENT',
  params: {},
  listed: true,
  check: (password, { currentPassword }) =>
    verdict(currentPassword === undefined || normalizePassword(password) !== normalizePassword(currentPassword)),
};

/** zxcvbn score of at least `min` (0 to 4). */
export const tooWeak = (min: number): PolicyRule => ({
  code: 'PASSWORD_TOO_WEAK',
  params: { min },
  listed: true,
  check: (password, _context, { strength }) => {
    const score = strength?.(password);
    return score === undefined ? 'pending' : verdict(score >= min);
  },
});

export const tooCommon: PolicyRule = {
  code: 'PASSWORD_TOO_COMMON',
  params: {},
  listed: true,
  check: (password, _context, { isCommon }) => (isCommon === undefined ? 'pending' : verdict(!isCommon(password))),
};
