import type { Channel, ChannelCounts } from '../../module/channels.ts';
import type { Actor } from './hostIdentity.ts';
import type { CallOptions } from './callOptions.ts';
import type { Diagnosable } from './diagnosis.ts';

/** One place where a mailbox is logged in. */
export interface Session {
  /** Unique within its store; opaque; not usable as a credential. */
  readonly id: string;
  readonly channel: Channel;
  readonly client: string | null;
  readonly remoteAddress: string | null;
  /** Milliseconds since the epoch; null where the store cannot tell. */
  readonly issuedAt: number | null;
  readonly lastSeenAt: number | null;
}

export interface RevokeAllRequest {
  readonly address: string;
  /** Milliseconds since the epoch on the module's shared clock: sessions issued at or after it live on (I2). */
  readonly issuedBefore: number;
  /** 1 for the first try, made within the request; more for the worker's. */
  readonly attempt: number;
  /** The caller, on the first try only: a store may use the caller's own forwarded session. Never persisted. */
  readonly actor: Actor | null;
  /** How long it took just now to look at this mailbox's password, milliseconds: a log-in under way takes as long. Left out where that is not known. */
  readonly logInMs?: number | undefined;
}

export interface RevokeAllResult {
  /** Sessions ended, by channel. Nobody there is success, with 0. */
  readonly revoked: ChannelCounts;
}

/**
 * The host's session store; several at once (web, Dovecot, ...). All operations are idempotent.
 * Errors: `SESSIONS_UNAVAILABLE` (ask again later), `SESSIONS_MISCONFIGURED`, `OPERATION_NOT_SUPPORTED`.
 */
export interface SessionStore extends Diagnosable {
  /** The name given in the configuration; unique; it stands in outbox rows, log lines and metrics. */
  readonly name: string;
  /** The channels that this store ends. */
  readonly channels: readonly Channel[];
  list(address: string, options: CallOptions): Promise<readonly Session[]>;
  /** False where there is no such session of that mailbox. */
  revoke(address: string, id: string, options: CallOptions): Promise<boolean>;
  revokeAll(request: RevokeAllRequest, options: CallOptions): Promise<RevokeAllResult>;
  check(options: CallOptions): Promise<void>;
  close(): Promise<void>;
}
