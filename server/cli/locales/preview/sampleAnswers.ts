import type { Problem } from '../../../../module/errors.ts';
import type { ChangePasswordResponse, ContextResponse } from '../../../../module/operations.ts';
import type { AdminSessionResponse, DevicesResponse, EndedResponse, HistoryResponse, MailboxesResponse, MailboxResponse, UserSessionResponse } from '../../../../module/panelOperations.ts';
import { type PasswordPolicy, POLICY_PRESETS } from '../../../../module/policy/passwordPolicy.ts';

const AT = Date.UTC(2026, 10, 24, 15, 30);
const DAY = 86_400_000;
const ADDRESS = 'alice.longlastname@mail.example.com';
const UNFORTUNATE: PasswordPolicy = { ...POLICY_PRESETS.default, maxBytes: 72, minStrength: 3, serverRules: [{ code: 'PASSWORD_BREACHED', params: {} }, { code: 'PASSWORD_IN_HISTORY', params: { count: 5 } }] };

/** What the service would answer, for pages that are looked at. Two of everything that is listed, so that plurals show. */
export const CONTEXT: ContextResponse = { account: { address: ADDRESS }, policy: UNFORTUNATE, channels: ['web', 'imap', 'pop3', 'submission', 'managesieve', 'activesync'], writable: true };
export const CHANGED: ChangePasswordResponse = { changedAt: new Date(AT).toISOString(), revocation: 'done', ended: { web: 1, imap: 2, pop3: 0, submission: 5, managesieve: 1, activesync: 11 }, pending: [] };
export const PENDING: ChangePasswordResponse = { ...CHANGED, revocation: 'pending', ended: { web: 1 }, pending: ['imap', 'pop3', 'activesync'] };
export const ENDED: EndedResponse = { ended: { web: 1, imap: 3 }, pending: ['activesync', 'other'] };

export const USER_SESSION: UserSessionResponse = {
  ...CONTEXT, csrfToken: 'preview', reauthenticateAfterSeconds: 300, changeRequired: false,
  mailSettings: { imap: { host: 'imap.mail.example.com', port: 993, encryption: 'tls' }, pop3: { host: 'pop.mail.example.com', port: 110, encryption: 'starttls' }, smtp: { host: 'smtp.mail.example.com', port: 25, encryption: 'none' } },
};
export const DEVICES: DevicesResponse = {
  devices: [
    { store: 'web', id: '1', channel: 'web', client: 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', remoteAddress: '2001:db8:85a3::8a2e:370:7334', issuedAt: AT - DAY, lastSeenAt: Date.now(), current: true },
    { store: 'mail', id: '2', channel: 'imap', client: null, remoteAddress: '192.0.2.14', issuedAt: AT - 3 * DAY, lastSeenAt: Date.now() - 5 * 60_000, current: false },
    { store: 'mail', id: '3', channel: 'activesync', client: 'iPhone', remoteAddress: '203.0.113.7', issuedAt: null, lastSeenAt: null, current: false },
  ],
  unavailable: [],
};
export const ADMIN_SESSION: AdminSessionResponse = { name: 'admin', csrfToken: 'preview', policy: UNFORTUNATE, writable: true, abilities: { setPassword: true, listDomains: true, listMailboxes: true }, domains: null };
export const MAILBOXES: MailboxesResponse = {
  mailboxes: [
    { address: ADDRESS, displayName: 'Alice Longlastname', enabled: true, passwordChangedAt: AT - 40 * DAY }, { address: 'bob@mail.example.com', displayName: 'Bob', enabled: true, passwordChangedAt: null },
    { address: 'carol@mail.example.com', displayName: null, enabled: false, passwordChangedAt: AT },
  ],
  nextCursor: 'more',
};
export const MAILBOX: MailboxResponse = { address: ADDRESS, displayName: 'Alice Longlastname', enabled: true, passwordChangedAt: AT - 40 * DAY, passwordVersion: '1', changeRequired: false };
export const COUNTS = { counts: { [ADDRESS]: 12_345, 'bob@mail.example.com': 0, 'carol@mail.example.com': null } };
export const HISTORY: HistoryResponse = {
  events: (['change', 'set', 'revoke', 'signIn', 'access', 'require', 'unrequire'] as const).map((action, at) => ({
    at: AT - at * DAY, requestId: String(at), action, actor: at === 0 ? ADDRESS : 'admin', actorKind: at === 0 ? 'owner' : 'administrator', address: ADDRESS, remoteAddress: '2001:db8::1', userAgent: '',
    outcome: ['done', 'pending', 'done', 'done', 'FORBIDDEN', 'done', 'done'][at] ?? 'done', ended: at < 3 ? { web: 2, imap: 1, activesync: 4 } : {},
  })),
  nextCursor: null,
};

/** A refusal, as the service words it. */
export const refusal = (status: number, code: Problem['code'], more: Partial<Problem> = {}) => ({
  status, body: { type: 'about:blank', title: code, status, code, changed: 'no', retryable: false, requestId: '6f1c2a9e-50d2-4b8e-9f11-c2d6a1c4e7b0', ...more } satisfies Problem,
});

export const NOTICE_AT = AT;
export const NOTICE_FACTS = { address: ADDRESS, recovery: null, by: 'owner', name: null, ip: '192.0.2.14', onServer: false, client: 'Firefox (Windows)', ended: { web: 1, imap: 2, activesync: 11 }, pending: [] } as const;
