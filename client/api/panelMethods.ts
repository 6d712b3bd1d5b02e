import type { ChangeOwnPasswordRequest, ChangePasswordResponse, CheckPasswordResponse } from '../../module/operations.ts';
import {
  ADMIN_PANEL_OPERATIONS as ADMIN, type AdminSessionResponse, type DevicesResponse, type DomainsResponse, type EndedResponse, type HistoryQuery, type HostAdministratorResponse, type HistoryResponse,
  type MailboxesResponse, type MailboxResponse, type SessionCountsResponse, USER_PANEL_OPERATIONS as USER, type UserSessionResponse,
} from '../../module/panelOperations.ts';
import { wishes } from '../i18n/wishes.ts';
import type { createSend } from './methods.ts';

type Send = ReturnType<typeof createSend>;

/** What is left out or empty is not sent. */
function withQuery(path: string, query: Readonly<Record<string, string | null | undefined>>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== null && value !== '') given.set(name, value);
  const text = given.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** A language that can be chosen, by its own name. */
export interface LanguageOption { readonly tag: string; readonly name: string }

/** The page itself, as it would be served now. */
const readPage = (send: Send, path: string) => send<string>('GET', path, undefined, undefined);
const getLanguages = (send: Send) => send<readonly LanguageOption[]>('GET', '/languages.json', undefined, undefined);

export type UserPanelApi = ReturnType<typeof userPanelApi>;

export const userPanelApi = (send: Send) => ({
  readPage: () => readPage(send, '/panel/'),
  getLanguages: () => getLanguages(send),
  getMessages: (chosen: string | null) => send<Record<string, string>>('GET', `/locales/user-panel/${wishes(chosen)}.short.json`, undefined, undefined),
  logIn: (request: { address: string; password: string }) => send<UserSessionResponse>('POST', USER.logIn.path, request, undefined),
  getSession: (signal?: AbortSignal) => send<UserSessionResponse>('GET', USER.getSession.path, undefined, signal),
  logOut: () => send<object>('POST', USER.logOut.path, {}, undefined),
  changeOwnPassword: (request: ChangeOwnPasswordRequest) => send<ChangePasswordResponse>('POST', USER.changePassword.path, request, undefined),
  checkPassword: (request: ChangeOwnPasswordRequest) => send<CheckPasswordResponse>('POST', USER.checkPassword.path, request, undefined),
  listDevices: (signal?: AbortSignal) => send<DevicesResponse>('GET', USER.listDevices.path, undefined, signal),
  endDevice: (request: { store: string; id: string }) => send<EndedResponse>('POST', USER.endDevice.path, request, undefined),
  endDevices: (which: 'others' | 'all') => send<EndedResponse>('POST', USER.endDevices.path, { which }, undefined),
});

export type AdminPanelApi = ReturnType<typeof adminPanelApi>;

export const adminPanelApi = (send: Send) => ({
  readPage: () => readPage(send, '/admin/'),
  getLanguages: () => getLanguages(send),
  getMessages: (chosen: string | null) => send<Record<string, string>>('GET', `/locales/admin-panel/${wishes(chosen)}.short.json`, undefined, undefined),
  logIn: (request: { name: string; password: string }) => send<AdminSessionResponse>('POST', ADMIN.logIn.path, request, undefined),
  getHostAdministrator: (signal?: AbortSignal) => send<HostAdministratorResponse>('GET', ADMIN.getHostAdministrator.path, undefined, signal),
  logInByHost: () => send<AdminSessionResponse>('POST', ADMIN.logInByHost.path, {}, undefined),
  getSession: (signal?: AbortSignal) => send<AdminSessionResponse>('GET', ADMIN.getSession.path, undefined, signal),
  logOut: () => send<object>('POST', ADMIN.logOut.path, {}, undefined),
  listDomains: (search: string, cursor: string | null, signal?: AbortSignal) => send<DomainsResponse>('GET', withQuery(ADMIN.listDomains.path, { search, cursor }), undefined, signal),
  listMailboxes: (domain: string, search: string, cursor: string | null, signal?: AbortSignal) =>
    send<MailboxesResponse>('GET', withQuery(ADMIN.listMailboxes.path, { domain, search, cursor }), undefined, signal),
  countSessions: (addresses: readonly string[], signal?: AbortSignal) => send<SessionCountsResponse>('POST', ADMIN.countSessions.path, { addresses }, signal),
  getMailbox: (address: string, signal?: AbortSignal) => send<MailboxResponse>('GET', withQuery(ADMIN.getMailbox.path, { address }), undefined, signal),
  setPassword: (request: { address: string; newPassword: string; passwordVersion: string | null; requireChange?: boolean }) => send<ChangePasswordResponse>('POST', ADMIN.setPassword.path, request, undefined),
  checkPassword: (request: { address: string; newPassword: string }) => send<CheckPasswordResponse>('POST', ADMIN.checkPassword.path, request, undefined),
  requireChange: (address: string, required: boolean) => send<object>('POST', ADMIN.requireChange.path, { address, required }, undefined),
  endSessions: (address: string) => send<EndedResponse>('POST', ADMIN.endSessions.path, { address }, undefined),
  listHistory: (query: HistoryQuery, cursor: string | null, signal?: AbortSignal) => send<HistoryResponse>('GET', withQuery(ADMIN.listHistory.path, { ...query, cursor }), undefined, signal),
  /** An address to go to: the browser saves what comes while it comes. */
  historyFile: (query: HistoryQuery) => withQuery(ADMIN.exportHistory.path, { ...query }),
});

