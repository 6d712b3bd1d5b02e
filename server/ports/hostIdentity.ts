import type { CallOptions } from './callOptions.ts';
import type { Diagnosable } from './diagnosis.ts';

/** Who is calling, as the host says it. The owner's request never names an account: this is where it comes from. */
export interface Actor {
  readonly kind: 'owner';
  /** The mailbox: a full e-mail address. */
  readonly address: string;
  /** The id of the calling session in the host's session store, or null where the host does not tell. */
  readonly sessionId: string | null;
  /** What a driver of the same host needs to act as the caller (cookie, CSRF token); never logged, never persisted. */
  readonly forwarded?: Readonly<Record<string, string>>;
  /** Which directory of the host the caller logged in by, where the host tells (`local`, `imap`, `ldap`). */
  readonly directory?: string;
  /** The host's own id of the user, where it has one. */
  readonly userId?: string;
}

/** The parts of an HTTP request that tell who is calling. */
export interface IdentityRequest {
  readonly method: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly cookies: Readonly<Record<string, string | undefined>>;
  readonly remoteAddress: string;
}

/** One of the host's own administrators, as it says now. */
export interface HostAdministrator {
  /** The name in the host. */
  readonly name: string;
  /** Lower-case domains whose mailboxes this administrator may reach; null = all. */
  readonly domains: readonly string[] | null;
}

/**
 * Errors: `CSRF_TOKEN_INVALID` (a request that changes something without the host's token), `HOST_UNAVAILABLE`.
 */
export interface HostIdentity extends Diagnosable {
  /** Null where nobody is logged in. For methods other than GET and HEAD the CSRF token is checked too. */
  authenticate(request: IdentityRequest, options: CallOptions): Promise<Actor | null>;
  /**
   * The caller as an administrator of the Admin Panel, asked at every call; null where nobody is logged in, or somebody who is none. Left
   * out where the host has no administrators, or the operator does not let them in. No CSRF token is looked at.
   */
  administrator?(request: IdentityRequest, options: CallOptions): Promise<HostAdministrator | null>;
  /** `Set-Cookie` values that make the calling browser forget the session, sent after everything was ended. */
  clearedCookies(): readonly string[];
  check(options: CallOptions): Promise<void>;
  close(): Promise<void>;
}
