import type { Secret } from '../secret.ts';
import type { CallOptions } from './callOptions.ts';
import type { Diagnosable } from './diagnosis.ts';

/**
 * Verifies a mailbox's current password for an account API that can set passwords but not verify them (`accounts[].verify`).
 * Errors: `ACCOUNTS_UNAVAILABLE`, `ACCOUNTS_MISCONFIGURED`.
 */
export interface PasswordVerifier extends Diagnosable {
  /** False for a wrong password, an unknown mailbox and a locked one; never because a server is down. */
  verify(address: string, password: Secret, options: CallOptions): Promise<boolean>;
  check(options: CallOptions): Promise<void>;
  close(): Promise<void>;
}
