import type { ChannelCounts } from '../../module/channels.ts';

/** One line of the append-only audit log. Never holds a password, a hash or a token. */
export interface AuditEvent {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly requestId: string;
  readonly action: 'change' | 'set' | 'require' | 'unrequire' | 'revoke' | 'signIn' | 'access';
  /** Who: the mailbox itself, an administrator's name, `cli`. */
  readonly actor: string;
  readonly actorKind: 'owner' | 'administrator' | 'operator';
  /** The mailbox concerned. */
  readonly address: string;
  readonly remoteAddress: string;
  readonly userAgent: string;
  /** `done`, `pending`, or the error code. */
  readonly outcome: string;
  readonly ended: ChannelCounts;
}

export interface AuditQuery {
  /** Only mailboxes of these lower-case domains; null = all. */
  readonly domains: readonly string[] | null;
  /** A part of the mailbox's address. */
  readonly address?: string | undefined;
  /** The whole name of who did it. */
  readonly actor?: string | undefined;
  /** `refused` is every outcome but `done` and `pending`. */
  readonly outcome?: 'done' | 'pending' | 'refused' | undefined;
  /** Milliseconds since the epoch: `from` inclusive, `to` exclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly cursor: string | null;
  readonly limit: number;
}

export interface AuditPage {
  readonly events: readonly AuditEvent[];
  /** Opaque; null on the last page. */
  readonly nextCursor: string | null;
}

export interface AuditLog {
  append(event: AuditEvent): Promise<void>;
  /** Newest first. */
  read(query: AuditQuery): Promise<AuditPage>;
}
