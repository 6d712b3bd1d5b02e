import { type ErrorCode, ModuleError } from '../../module/errors.ts';
import { type LdapAnswer, refused } from './ldapConnection.ts';
import type { PasswordPolicyError } from './passwordPolicyControl.ts';

/** Result codes of RFC 4511 that mean "not with this password" where a mailbox logs in: the servers differ for locked and disabled entries. */
const WRONG = new Set([
  49, // invalidCredentials
  48, // inappropriateAuthentication: it has no password
  53, // unwillingToPerform: 389 Directory Server, disabled
  19, // constraintViolation: 389 Directory Server, locked after too many tries
  32, 34, // noSuchObject, invalidDNSyntax
]);

/** Whether a log-in was let in. Throws where the answer says nothing about the password. */
export function letIn({ code }: LdapAnswer): boolean {
  if (code === 0) return true;
  if (WRONG.has(code)) return false;
  throw refused(code);
}

const BY_POLICY: Readonly<Record<PasswordPolicyError, ErrorCode>> = {
  passwordExpired: 'ACCOUNT_NOT_CHANGEABLE',
  accountLocked: 'ACCOUNT_LOCKED',
  changeAfterReset: 'ACCOUNT_NOT_CHANGEABLE',
  passwordModNotAllowed: 'ACCOUNT_NOT_CHANGEABLE',
  mustSupplyOldPassword: 'ACCOUNTS_MISCONFIGURED',
  insufficientPasswordQuality: 'PASSWORD_REJECTED_BY_SERVER',
  passwordTooShort: 'PASSWORD_REJECTED_BY_SERVER',
  passwordTooYoung: 'PASSWORD_CHANGE_TOO_SOON',
  passwordInHistory: 'PASSWORD_IN_HISTORY',
  passwordTooLong: 'PASSWORD_REJECTED_BY_SERVER',
};

/** What a proxy in front of the directory also says when it lost the connection behind it, after the change was handed on. */
const NOBODY_KNOWS = new Set([1, 3, 11, 52, 80]);

const NOT_ALLOWED = new Set([16, 49, 50, 53]);

/** Why a directory did not take a password. `asOwner`: with the current password, which had just been let in on the same connection. */
export function changeRefused({ code, policy }: LdapAnswer, asOwner: boolean): ModuleError {
  const detail = `the directory refused the change (result code ${String(code)}${policy.error === null ? '' : `, ${policy.error}`})`;
  if (policy.error !== null) return new ModuleError(BY_POLICY[policy.error], { detail });
  if (NOBODY_KNOWS.has(code)) return new ModuleError('ACCOUNTS_OUTCOME_UNKNOWN', { detail });
  if (code === 19) return new ModuleError('PASSWORD_REJECTED_BY_SERVER', { detail });
  if (asOwner && NOT_ALLOWED.has(code)) return new ModuleError('ACCOUNT_NOT_CHANGEABLE', { detail });
  if (code === 32) return new ModuleError('ACCOUNT_NOT_FOUND', { detail });
  return refused(code);
}
