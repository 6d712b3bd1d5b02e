import type { ServerRule } from '../../module/policy/passwordPolicy.ts';
import type { Secret } from '../secret.ts';
import type { CallOptions } from './accountApi.ts';

/** A new password on its way, after the policy's own rules were met and the current password was verified. */
export interface ProposedPassword {
  readonly address: string;
  /** Normalised to NFC. */
  readonly next: Secret;
}

/** A password that counts now. */
export interface ReplacedPassword extends ProposedPassword {
  /** The one before, where somebody has just proved to know it; null after an administrator's set. */
  readonly current: Secret | null;
}

/**
 * A rule that only the server can judge. Errors: `POLICY_UNAVAILABLE` where it cannot tell and is configured to refuse then;
 * configured to accept, it writes a log line and says `false`. No secret stands in an error or a log line.
 */
export interface PasswordPolicyProvider {
  readonly name: string;
  /** What the page is told, and the violation where the rule is broken. Two providers may share one code. */
  readonly rule: ServerRule;
  isViolated(proposed: ProposedPassword, options: CallOptions): Promise<boolean>;
  /** Told of every change and set that succeeded; most have nothing to remember. */
  remember(replaced: ReplacedPassword): Promise<void>;
  /** Rejects with a coded error where it cannot judge now; for `/readyz` and `doctor`. */
  check(options: CallOptions): Promise<void>;
  close(): Promise<void>;
}
