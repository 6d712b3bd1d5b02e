import type { Secret } from '../secret.ts';
import type { CallOptions } from './callOptions.ts';
import type { Diagnosable } from './diagnosis.ts';

export type { CallOptions } from './callOptions.ts';

/** What an account API can do. What it cannot do is refused with `OPERATION_NOT_SUPPORTED`, never skipped (I8). */
export interface AccountAbilities {
  readonly verifyPassword: boolean;
  /** Change by the owner, with the current password. */
  readonly changePassword: boolean;
  /** Set by the module or an administrator, without the current password. */
  readonly setPassword: boolean;
  readonly listDomains: boolean;
  readonly listMailboxes: boolean;
  /**
   * Can ask the owner for a new password at the next log-in; left out = no. Then `setPassword` takes `requireChange`,
   * `requireChange()` is there, and `find` tells.
   */
  readonly requireChange?: boolean;
  /** `changePassword` takes `verifiedVersion`; left out = no, and it is ignored. */
  readonly provesByVersion?: boolean;
  /** UTF-8 bytes that the back end can take, or null where only the policy limits. */
  readonly maxPasswordBytes: number | null;
}

export interface Account {
  /** The address as the back end spells it. */
  readonly address: string;
  readonly enabled: boolean;
  /** Milliseconds since the epoch, or null where the back end cannot tell. */
  readonly passwordChangedAt: number | null;
  readonly displayName?: string;
  /** Another address of the owner, for notices; left out where the back end has none. */
  readonly recoveryAddress?: string;
  /** The owner's language, BCP 47; left out where the back end cannot tell. */
  readonly language?: string;
  /** The owner is to choose a new password before anything else; left out = no, or the back end cannot tell. */
  readonly changeRequired?: boolean;
  /** Milliseconds since the epoch: the password was not changed later than that. For back ends that cannot tell more exactly. */
  readonly passwordChangedNotAfter?: number;
}

export interface ChangeReceipt {
  /** Milliseconds since the epoch at which the new password began to count; null = the caller's clock has to do. */
  readonly changedAt: number | null;
}

export interface MailboxQuery {
  readonly domain: string;
  /** A part of the address or of the name; empty = all. */
  readonly search: string;
  /** Of the page before; null = the first one. */
  readonly cursor: string | null;
  readonly limit: number;
}

export interface MailboxPage {
  readonly mailboxes: readonly Account[];
  /** Opaque; null on the last page. */
  readonly nextCursor: string | null;
}

export interface ChangeOptions extends CallOptions {
  /**
   * `passwordVersion` as it was **before** this same driver's `verifyPassword` took `current`. While the stored password still has that
   * version it is the one that was verified, and the costly hash need not be worked out again; where it has another, it is. Null or left
   * out: verified anew. Only with the ability `provesByVersion`.
   */
  readonly verifiedVersion?: string | null;
}

export interface SetOptions extends CallOptions {
  /**
   * Compare-and-set: only while `passwordVersion` is still this one, judged within the write; else `ACCOUNT_CHANGED_MEANWHILE`. Null or
   * left out: whatever is there. A driver that can tell no version ignores it (the caller then holds a lock of its own).
   */
  readonly expectedVersion?: string | null;
  /** Ask for a new password at the next log-in; false or left out takes such a mark away. Only with the ability. */
  readonly requireChange?: boolean;
}

/** A password as the back end stored it. */
export interface KeptPassword {
  readonly stored: Secret;
  /** The same as people type it, where the caller knows it: a host that keeps a copy of its own renews it. */
  readonly typed: Secret | null;
}

export interface DomainQuery {
  /** A part of the name, lower case; empty = all. */
  readonly search: string;
  readonly cursor: string | null;
  readonly limit: number;
}

export interface DomainPage {
  readonly domains: readonly string[];
  /** Opaque; null on the last page. */
  readonly nextCursor: string | null;
}

/** The cause of an `ACCOUNTS_MISCONFIGURED` that is told of one mailbox (its stored password is in a scheme that cannot be verified), not of the account API. */
export class NotVerifiable extends Error {
  override readonly name = 'NotVerifiable';
}

/**
 * The host's account API: where mailbox passwords live.
 *
 * Errors are {@link ModuleError}s:
 * - `ACCOUNTS_UNAVAILABLE`: it could not be asked, and **nothing was changed**. Never "false" because a server is down.
 * - `ACCOUNTS_OUTCOME_UNKNOWN`: the write was sent and no answer came.
 * - `CURRENT_PASSWORD_WRONG`, `ACCOUNT_NOT_FOUND`, `ACCOUNT_LOCKED`, `ACCOUNT_AMBIGUOUS`, `ACCOUNT_CHANGED_MEANWHILE`,
 *   `ACCOUNT_NOT_CHANGEABLE`, `PASSWORD_REJECTED_BY_SERVER`, `PASSWORD_TOO_LONG_FOR_SCHEME`, `PASSWORD_IN_HISTORY`,
 *   `PASSWORD_CHANGE_TOO_SOON`: refused, nothing was changed.
 * - `OPERATION_NOT_SUPPORTED`, `ACCOUNTS_MISCONFIGURED` (with {@link NotVerifiable} as its cause where it is of this mailbox alone).
 *
 * Passwords arrive normalised to NFC.
 */
export interface AccountApi extends Diagnosable {
  readonly abilities: AccountAbilities;
  find(address: string, options: CallOptions): Promise<Account | null>;
  /**
   * False for a wrong password, an unknown mailbox and a locked one, after the same work in each case (I7).
   */
  verifyPassword(address: string, password: Secret, options: CallOptions): Promise<boolean>;
  /** Compare-and-set: the back end itself checks `current`, so two changes at once cannot both win. Takes a `changeRequired` away. */
  changePassword(address: string, current: Secret, next: Secret, options: ChangeOptions): Promise<ChangeReceipt>;
  setPassword(address: string, next: Secret, options: SetOptions): Promise<ChangeReceipt>;
  /** Asks for a new password at the next log-in, or takes that back; the password stays. Only with the ability `requireChange`. */
  requireChange?(address: string, required: boolean, options: CallOptions): Promise<void>;
  /**
   * An opaque text that differs after every change of the password (for example a SHA-256 of the stored hash), so that a
   * change interrupted by a crash can be settled; null where the back end cannot tell. Never the hash itself.
   */
  passwordVersion(address: string, options: CallOptions): Promise<string | null>;
  /** The stored value itself (a hash), so that a test can put it back unchanged. Left out, or null: the back end shows none. */
  storedPassword?(address: string, options: CallOptions): Promise<Secret | null>;
  /** Puts a value of `storedPassword` back, judged by `expectedVersion` as in `setPassword`; goes together with it. */
  restorePassword?(address: string, kept: KeptPassword, options: SetOptions): Promise<void>;
  /** All of them at once. */
  listDomains(search: string, options: CallOptions): Promise<readonly string[]>;
  /** The same page by page, in an order that stays; for back ends of many domains. Where it is missing, the caller cuts the pages. */
  pageDomains?(query: DomainQuery, options: CallOptions): Promise<DomainPage>;
  listMailboxes(query: MailboxQuery, options: CallOptions): Promise<MailboxPage>;
  /** Rejects with a coded error where the back end is down or not as configured; for `/readyz` and `doctor`. */
  check(options: CallOptions): Promise<void>;
  close(): Promise<void>;
}
