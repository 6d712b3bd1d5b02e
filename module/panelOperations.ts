import type { Channel, ChannelCounts } from './channels.ts';
import type { ChangePasswordResponse } from './operations.ts';
import type { PasswordPolicy } from './policy/passwordPolicy.ts';

/** The wire contract of the User Panel; paths below the service's base path. */
export const USER_PANEL_OPERATIONS = {
  logIn: { method: 'POST', path: '/panel/api/v1/login' },
  getSession: { method: 'GET', path: '/panel/api/v1/session' },
  logOut: { method: 'POST', path: '/panel/api/v1/logout' },
  changePassword: { method: 'POST', path: '/panel/api/v1/password' },
  checkPassword: { method: 'POST', path: '/panel/api/v1/password/check' },
  listDevices: { method: 'GET', path: '/panel/api/v1/devices' },
  endDevice: { method: 'POST', path: '/panel/api/v1/devices/end' },
  endDevices: { method: 'POST', path: '/panel/api/v1/devices/end-many' },
} as const;

/** The wire contract of the Admin Panel. Every call is held to the administrator's domains; outside of them: `FORBIDDEN`. */
export const ADMIN_PANEL_OPERATIONS = {
  logIn: { method: 'POST', path: '/admin/api/v1/login' },
  getHostAdministrator: { method: 'GET', path: '/admin/api/v1/login/host' },
  logInByHost: { method: 'POST', path: '/admin/api/v1/login/by-host' },
  getSession: { method: 'GET', path: '/admin/api/v1/session' },
  logOut: { method: 'POST', path: '/admin/api/v1/logout' },
  listDomains: { method: 'GET', path: '/admin/api/v1/domains' },
  listMailboxes: { method: 'GET', path: '/admin/api/v1/mailboxes' },
  countSessions: { method: 'POST', path: '/admin/api/v1/mailboxes/sessions' },
  getMailbox: { method: 'GET', path: '/admin/api/v1/mailbox' },
  setPassword: { method: 'POST', path: '/admin/api/v1/mailbox/password' },
  checkPassword: { method: 'POST', path: '/admin/api/v1/mailbox/password/check' },
  requireChange: { method: 'POST', path: '/admin/api/v1/mailbox/require-change' },
  endSessions: { method: 'POST', path: '/admin/api/v1/mailbox/end-sessions' },
  listHistory: { method: 'GET', path: '/admin/api/v1/history' },
  exportHistory: { method: 'GET', path: '/admin/api/v1/history.csv' },
} as const;

export interface MailServer {
  readonly host: string;
  readonly port: number;
  readonly encryption: 'tls' | 'starttls' | 'none';
}

/** What a mail program has to be told; null = not offered. */
export interface MailSettings {
  readonly imap: MailServer | null;
  readonly pop3: MailServer | null;
  readonly smtp: MailServer | null;
}

export interface UserSessionResponse {
  readonly account: { readonly address: string };
  readonly csrfToken: string;
  readonly policy: PasswordPolicy;
  readonly channels: readonly Channel[];
  readonly writable: boolean;
  /** How long after the log-in the page may send on the password that was typed there. */
  readonly reauthenticateAfterSeconds: number;
  readonly mailSettings: MailSettings;
  /** A new password has to be chosen first: everything else is refused with `PASSWORD_CHANGE_REQUIRED`. */
  readonly changeRequired: boolean;
}

export interface Device {
  readonly store: string;
  readonly id: string;
  readonly channel: Channel;
  readonly client: string | null;
  readonly remoteAddress: string | null;
  /** Milliseconds since the epoch; null where the store cannot tell. */
  readonly issuedAt: number | null;
  readonly lastSeenAt: number | null;
  readonly current: boolean;
}

export interface DevicesResponse {
  readonly devices: readonly Device[];
  /** Channels of stores that did not answer. */
  readonly unavailable: readonly Channel[];
}

/** Everything that could be ended is; `pending` names the channels of stores that did not answer. */
export interface EndedResponse {
  readonly ended: ChannelCounts;
  readonly pending: readonly Channel[];
}

/** Whether the browser is logged in to the host as one of its administrators; null = no. */
export interface HostAdministratorResponse {
  readonly name: string | null;
}

export interface AdminSessionResponse {
  readonly name: string;
  readonly csrfToken: string;
  readonly policy: PasswordPolicy;
  readonly writable: boolean;
  /** What the account API of this installation can do. */
  readonly abilities: { readonly setPassword: boolean; readonly listDomains: boolean; readonly listMailboxes: boolean };
  /** The administrator's domains; null = all. */
  readonly domains: readonly string[] | null;
}

export interface DomainsResponse {
  readonly domains: readonly string[];
  readonly nextCursor: string | null;
}

export interface MailboxRow {
  readonly address: string;
  readonly displayName: string | null;
  readonly enabled: boolean;
  readonly passwordChangedAt: number | null;
}

export interface MailboxesResponse {
  readonly mailboxes: readonly MailboxRow[];
  readonly nextCursor: string | null;
}

export interface MailboxResponse extends MailboxRow {
  /** Sent back with a new password: where it differs by then, somebody else was faster. Null where the back end cannot tell. */
  readonly passwordVersion: string | null;
  /** Whether a new password is asked for at the next log-in; null where the back end cannot do that. */
  readonly changeRequired: boolean | null;
}

export interface SessionCountsResponse {
  /** Null where a store did not answer. */
  readonly counts: Readonly<Record<string, number | null>>;
}

export interface HistoryRow {
  readonly at: number;
  readonly requestId: string;
  readonly action: string;
  readonly actor: string;
  readonly actorKind: string;
  readonly address: string;
  readonly remoteAddress: string;
  readonly userAgent: string;
  readonly outcome: string;
  readonly ended: ChannelCounts;
}

export interface HistoryResponse {
  readonly events: readonly HistoryRow[];
  readonly nextCursor: string | null;
}

export const OUTCOMES = ['done', 'pending', 'refused'] as const;

export interface HistoryQuery {
  readonly mailbox?: string;
  readonly administrator?: string;
  readonly outcome?: (typeof OUTCOMES)[number];
  /** Milliseconds since the epoch, inclusive. */
  readonly from?: string;
  /** Milliseconds since the epoch, exclusive. */
  readonly to?: string;
  readonly cursor?: string;
}

export type { ChangePasswordResponse };
