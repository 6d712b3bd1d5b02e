import type { ChannelCounts } from '../../module/channels.ts';

/** One line of the append-only audit log. Never holds a password, a hash or a token. */
export interface AuditEvent {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly requestId: string;
  readonly action: 'change' | 'set' | 'revoke' | 'signIn' | 'access';
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

export interface AuditLog {
  append(event: AuditEvent): Promise<void>;
}
