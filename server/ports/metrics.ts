import type { ErrorCode } from '../../module/errors.ts';

/** From where a mailbox's password was changed. */
export type Surface = 'account-section' | 'user-panel' | 'admin-panel' | 'command-line';

/** What is counted at the end of each change. */
export interface ChangeEvent {
  readonly action: 'change' | 'set' | 'revoke';
  readonly surface: Surface;
  /** `done`, `pending`, or the error code. */
  readonly outcome: string;
  /** Milliseconds by hop of docs/architecture.md (`verify`, `record`, `change`, `confirm`, `revoke`, `audit`); those that were reached. */
  readonly hops: Readonly<Record<string, number>>;
}

/**
 * What the service counts about itself. Every value is one of a known few, never an address or a name: a counter must not grow with
 * the number of mailboxes, and must tell nothing about them. Counting never fails and is never waited for.
 */
export interface Metrics {
  changed(event: ChangeEvent): void;
  /** One try to end what a mailbox has in one session store; `outcome` is `done` or the error code. */
  revocation(store: string, outcome: 'done' | ErrorCode): void;
  /** A try was refused because of those before it; `kind` names the limit (`mailbox`, `address`, ...). */
  rateLimited(kind: string): void;
  /** One try to send a notice: `sent`, `retry` (it will be tried again) or `failed` (given up). */
  notice(outcome: 'sent' | 'retry' | 'failed'): void;
  /** An answer that is a problem (RFC 9457). */
  problem(code: ErrorCode): void;
  /** `route` is the pattern that was matched, never the path itself. */
  request(route: string, status: number, seconds: number): void;
  /** A configuration was read again. */
  reloaded(outcome: 'done' | 'refused'): void;
}

/** Where nobody looks: the command line, benches. */
export const NO_METRICS: Metrics = {
  changed: () => undefined, revocation: () => undefined, rateLimited: () => undefined, notice: () => undefined,
  problem: () => undefined, request: () => undefined, reloaded: () => undefined,
};
