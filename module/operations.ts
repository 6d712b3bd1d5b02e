import type { Channel, ChannelCounts } from './channels.ts';
import type { PasswordPolicy } from './policy/passwordPolicy.ts';
import type { RuleOutcome } from './policy/rules/rule.ts';

/**
 * The wire contract: path, method, request and response type of every operation of the API. Paths are relative to the
 * service's base path (`/mailbox-password` unless configured otherwise). Both halves import these; nothing else is sent.
 */
export const OPERATIONS = {
  getContext: { method: 'GET', path: '/api/v1/context' },
  changeOwnPassword: { method: 'POST', path: '/api/v1/password' },
  checkPassword: { method: 'POST', path: '/api/v1/password/check' },
} as const;

export type OperationName = keyof typeof OPERATIONS;

/** What a surface needs before it can draw: whose mailbox, which policy, what this installation can do. */
export interface ContextResponse {
  readonly account: { readonly address: string };
  readonly policy: PasswordPolicy;
  /** The channels that a log-out ends here, in the order of `CHANNELS`. */
  readonly channels: readonly Channel[];
  /** False where an operator has switched to maintenance: the form is shown, and says so. */
  readonly writable: boolean;
}

export interface ChangeOwnPasswordRequest {
  readonly currentPassword: string;
  readonly newPassword: string;
}

/** The password **is** changed when this is answered; what could not be ended yet is `pending` and is retried. */
export interface ChangePasswordResponse {
  /** ISO 8601, UTC. */
  readonly changedAt: string;
  readonly revocation: 'done' | 'pending';
  /** Sessions ended, by channel. A channel with 0 was asked and had none. */
  readonly ended: ChannelCounts;
  /** Channels of stores that did not answer; their log-out is recorded and retried. */
  readonly pending: readonly Channel[];
}

/** What the rules that only the server can judge say of a new password before it is sent for good. A rule that is not named is judged then. */
export interface CheckPasswordResponse {
  readonly rules: readonly { readonly code: string; readonly outcome: RuleOutcome }[];
}

export interface Operations {
  readonly getContext: { readonly request: undefined; readonly response: ContextResponse };
  readonly changeOwnPassword: { readonly request: ChangeOwnPasswordRequest; readonly response: ChangePasswordResponse };
  readonly checkPassword: { readonly request: ChangeOwnPasswordRequest; readonly response: CheckPasswordResponse };
}
