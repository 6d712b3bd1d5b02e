import type { WriteScheme } from '../hashing/hasher.ts';

/** Where an operator's database keeps mailboxes. Names may carry a schema: `vmail.mailbox`. */
export interface AccountTable {
  readonly table: string;
  readonly columns: {
    /** The whole address; or `local` and `domain` instead. */
    readonly address?: string | undefined;
    readonly local?: string | undefined;
    readonly domain?: string | undefined;
    readonly password: string;
    /** 1, Y, T or true: may log in. */
    readonly enabled?: string | undefined;
    readonly displayName?: string | undefined;
    /** Another address of the owner, for notices. */
    readonly recoveryAddress?: string | undefined;
    /** The owner's language, BCP 47 or `nl_NL`. */
    readonly language?: string | undefined;
    /** Written at every change. */
    readonly changedAt?: string | undefined;
    /** 1, Y, T or true: the owner is to choose a new password at the next log-in. Written as 1 and 0, or true and false. */
    readonly changeRequired?: string | undefined;
  };
  readonly changedAtFormat?: 'seconds' | 'milliseconds' | 'datetime' | undefined;
  /** Where the domains are listed; without it they are taken from the mailboxes. */
  readonly domains?: { readonly table: string; readonly column: string } | undefined;
}

export interface AccountPreset extends AccountTable {
  readonly scheme: WriteScheme;
  readonly prefix: boolean;
}

/** Common schemas; every part can be overridden. */
export const ACCOUNT_PRESETS = {
  /** PostfixAdmin's `mailbox` (https://github.com/postfixadmin/postfixadmin). */
  postfixadmin: {
    table: 'mailbox',
    columns: { address: 'username', domain: 'domain', password: 'password', enabled: 'active', displayName: 'name' },
    domains: { table: 'domain', column: 'domain' },
    scheme: 'SHA512-CRYPT', prefix: true,
  },
  /** The table in Dovecot's own example-config/dovecot-sql.conf.ext. */
  dovecot: {
    table: 'users',
    columns: { local: 'username', domain: 'domain', password: 'password', enabled: 'active' },
    scheme: 'ARGON2ID', prefix: true,
  },
  /** Group-Office's mailboxes, where the service may reach its database; its own JMAP is the driver groupOfficeMaildomains. */
  groupOfficeMaildomains: {
    table: 'community_maildomains_mailbox',
    columns: { address: 'username', password: 'password', enabled: 'active', displayName: 'name' },
    domains: { table: 'community_maildomains_domain', column: 'domain' },
    scheme: 'SHA512-CRYPT', prefix: true,
  },
} as const satisfies Record<string, AccountPreset>;

export type PresetName = keyof typeof ACCOUNT_PRESETS;

export interface MailboxRow {
  readonly address: string;
  readonly password: string | null;
  readonly enabled: boolean;
  readonly displayName: string | null;
  readonly recoveryAddress: string | null;
  readonly language: string | null;
  readonly changedAt: number | null;
  /** Null where the table cannot tell. */
  readonly changeRequired: boolean | null;
}

/** Which rows are "may log in": what MariaDB, PostgreSQL and SQLite give for 1, Y, T, yes and true. */
export const isEnabled = (value: unknown): boolean =>
  value === true || value === 1 || (typeof value === 'bigint' && value === 1n) || (typeof value === 'string' && /^(1|y|yes|t|true)$/i.test(value.trim()));

const pad = (value: number): string => String(value).padStart(2, '0');

/** UTC, `YYYY-MM-DD HH:MM:SS`. */
function dateTime(ms: number): string {
  const date = new Date(ms);
  return `${String(date.getUTCFullYear())}-${pad(date.getUTCMonth() + 1)}-${pad(date.getUTCDate())} ${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}:${pad(date.getUTCSeconds())}`;
}

export function writeTime(ms: number, format: AccountTable['changedAtFormat']): number | string {
  if (format === 'seconds') return Math.floor(ms / 1000);
  return format === 'datetime' ? dateTime(ms) : ms;
}

/** The end of what a coarse value can mean: a change within that second was not later. */
export function readTime(value: unknown, format: AccountTable['changedAtFormat']): number | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.getTime() + 999;
  if (format === 'datetime') {
    const ms = typeof value === 'string' ? Date.parse(`${value.slice(0, 19).replace(' ', 'T')}Z`) : Number.NaN;
    return Number.isNaN(ms) ? null : ms + 999;
  }
  const number = Number(value);
  if (!Number.isFinite(number)) return null;
  return format === 'seconds' ? number * 1000 + 999 : number;
}
