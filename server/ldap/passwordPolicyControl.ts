import { BerReader, Control } from 'ldapts';

/** draft-behera-ldap-password-policy-11, section 6.2; 9 is OpenLDAP's own. */
const ERRORS = ['passwordExpired', 'accountLocked', 'changeAfterReset', 'passwordModNotAllowed', 'mustSupplyOldPassword',
  'insufficientPasswordQuality', 'passwordTooShort', 'passwordTooYoung', 'passwordInHistory', 'passwordTooLong'] as const;

export type PasswordPolicyError = (typeof ERRORS)[number];

const CONTEXT_WARNING = 0xa0;
const CONTEXT_ERROR = 0x81;
const GRACE_LOGINS_LEFT = 0x81;

/**
 * Asks a directory to say why it refuses a password or a log-in (the "ppolicy" control of OpenLDAP, 389 Directory Server and
 * others). The request carries no value. One object a request: the answer is read into it. Never critical, so a server that does not know it answers all the same.
 */
export class PasswordPolicyControl extends Control {
  static readonly type = '1.3.6.1.4.1.42.2.27.8.5.1';
  /** Null where the server named none, or did not answer the control. */
  error: PasswordPolicyError | null = null;
  /** Log-ins left with a password that has expired; null where it has not. */
  graceLogins: number | null = null;

  constructor() {
    super(PasswordPolicyControl.type);
  }

  protected override parseControl(reader: BerReader): void {
    if (reader.readSequence() === null) return;
    const end = reader.offset + reader.length;
    while (reader.offset < end) {
      const tag = reader.peek();
      const value = tag === null ? null : reader.readString(tag, true);
      if (value === null) return;
      if (tag === CONTEXT_ERROR) this.error = ERRORS[value[0] ?? -1] ?? null;
      else if (tag === CONTEXT_WARNING && value[0] === GRACE_LOGINS_LEFT) this.graceLogins = new BerReader(value).readTag(GRACE_LOGINS_LEFT);
    }
  }
}
