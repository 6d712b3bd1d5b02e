import type { ChangePasswordResponse } from '../../module/operations.ts';

/** All that a surface knows of its host. */
export interface HostBridge {
  /** The service's base path, same origin, without a slash at the end: `/mailbox-password`. */
  readonly baseUrl: string;
  /** Sent as `X-CSRF-Token` with everything that changes something. */
  csrfToken(): string | undefined;
  /** BCP 47. */
  readonly locale: string;
  readonly theme?: 'light' | 'dark' | 'auto';
  /** The password is new; which sessions have ended, and which not yet. What the host itself shows of them is out of date: hide it. The section says the rest and stays. */
  onChanged?(answer: ChangePasswordResponse): void;
  /** The session is over: go to the log-in page. */
  onSignedOut(reason: 'changed' | 'ended'): void;
  /** The caller's password is none that this service changes: a host that has a way of its own may hide the section. */
  onNotServed?(): void;
}
