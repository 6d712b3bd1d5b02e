import type { Channel, ChannelCounts } from '../../module/channels.ts';
import type { AuditEvent } from './auditLog.ts';
import type { Surface } from './metrics.ts';

/** What people are told about: `change` by the owner, `set` by somebody else, `logout` from everywhere by somebody else. */
export const NOTICE_EVENTS = ['change', 'set', 'logout'] as const;
export type NoticeEvent = (typeof NOTICE_EVENTS)[number];

/** What a notice says. It is kept as JSON until it is sent: no password, hash or token. */
export interface NoticeFacts {
  readonly event: NoticeEvent;
  /** The mailbox concerned. */
  readonly address: string;
  /** Set where this mail goes to the recovery address and not to the mailbox. */
  readonly recovery: string | null;
  /** BCP 47; one of the languages that there are. */
  readonly language: string;
  readonly by: 'owner' | 'administrator' | 'operator';
  /** The administrator's name, where the configuration says that it is told. */
  readonly name: string | null;
  /** Null: on the server itself, or not known. */
  readonly ip: string | null;
  readonly onServer: boolean;
  /** A browser that we know by name; never the User-Agent itself, which its sender chooses. */
  readonly client: string | null;
  /** Null where the service stopped before it knew. */
  readonly ended: ChannelCounts | null;
  readonly pending: readonly Channel[];
}

/** One e-mail, to be written down together with the change that it tells of. */
export interface NoticeDraft {
  readonly id: string;
  readonly recipient: string;
  readonly facts: NoticeFacts;
}

export interface NoticeOccasion {
  readonly event: NoticeEvent;
  readonly address: string;
  readonly actor: string;
  readonly actorKind: AuditEvent['actorKind'];
  readonly remoteAddress: string;
  readonly userAgent: string;
  readonly surface: Surface;
  /** `Accept-Language` (RFC 9110) of the request, where there was one. */
  readonly language: string | undefined;
}

/** Who is told what. It never rejects: that nobody can be told stops no change. */
export interface Notices {
  /** To be recorded with the change; empty where notices are off. */
  draft(occasion: NoticeOccasion): Promise<readonly NoticeDraft[]>;
  /** The change happened and this came of it: the mails may go. */
  release(changeId: string, ended: ChannelCounts, pending: readonly Channel[]): Promise<void>;
}

export const NO_NOTICES: Notices = { draft: async () => [], release: async () => undefined };
