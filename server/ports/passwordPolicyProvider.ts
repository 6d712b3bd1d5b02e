import type { ServerRule } from '../../module/policy/passwordPolicy.ts';
import type { Secret } from '../secret.ts';
import type { CallOptions } from './callOptions.ts';

/** A new password on its way, after the policy's own rules were met and the current password was verified. */
export interface ProposedPassword {
  readonly address: string;
  /** Normalised to NFC. */
  readonly next: Secret;
}

/** A password that is about to count. */
export interface ReplacedPassword extends ProposedPassword {
  /** The one before, where somebody has just proved to know it; null before an administrator's set. */
  readonly current: Secret | null;
}

/** A password to be known again later, written down with the change. */
export interface PasswordMemory {
  readonly id: string;
  /** In the form in which the rule looks for it. */
  readonly address: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Argon2id. */
  readonly hash: string;
  /** False: it counts from the moment on which the change is confirmed. True: it was this mailbox's password whatever becomes of the change. */
  readonly certain: boolean;
}

/** `unknown`: it could not be told, and the configuration says that the password is accepted then. */
export type ServerVerdict = 'met' | 'violated' | 'unknown';

/**
 * A rule that only the server can judge. Errors: `POLICY_UNAVAILABLE` where it cannot tell and is configured to refuse then;
 * configured to accept, it writes a log line and says `unknown`. No secret stands in an error or a log line.
 */
export interface PasswordPolicyProvider {
  readonly name: string;
  /** What the page is told, and the violation where the rule is broken. Two providers may share one code. */
  readonly rule: ServerRule;
  /** True where a verdict tells something of the mailbox's own passwords: only who has proved to know the present one may ask without setting one. */
  readonly tellsOfThePast: boolean;
  judge(proposed: ProposedPassword, options: CallOptions): Promise<ServerVerdict>;
  /** Asked before every change and set: what is to be written down together with it. Most have nothing to remember. */
  remember(replaced: ReplacedPassword): Promise<readonly PasswordMemory[]>;
  /** Told after every change and set that succeeded: what is older than the rule looks may go. */
  forget(address: string): Promise<void>;
  /** Rejects with a coded error where it cannot judge now; for `/readyz` and `doctor`. */
  check(options: CallOptions): Promise<void>;
  close(): Promise<void>;
}
