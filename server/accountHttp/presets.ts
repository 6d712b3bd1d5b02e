import { type ErrorCode, ERRORS } from '../../module/errors.ts';
import type { Condition, ErrorRule, Operations } from './describedApi.ts';

/** An account API that is described here already. */
export interface HttpPreset {
  readonly operations: Operations;
  /** The header in which `apiKey` goes. */
  readonly keyHeader: (apiKey: string) => Readonly<Record<string, string>>;
  readonly maxPasswordBytes: number | null;
  /** Regular expressions (flags i, u): passwords that this API would take for something else. */
  readonly refusedPasswords: readonly string[];
}

/** What our own account API answers with: `{"code": ...}` under the status of that code. */
const OWN_CODES = [
  'CURRENT_PASSWORD_WRONG', 'ACCOUNT_NOT_FOUND', 'ACCOUNT_LOCKED', 'ACCOUNT_AMBIGUOUS', 'ACCOUNT_CHANGED_MEANWHILE', 'ACCOUNT_NOT_CHANGEABLE',
  'PASSWORD_REJECTED_BY_SERVER', 'PASSWORD_TOO_LONG_FOR_SCHEME', 'PASSWORD_IN_HISTORY', 'PASSWORD_CHANGE_TOO_SOON', 'OPERATION_NOT_SUPPORTED',
] as const satisfies readonly ErrorCode[];

const ownErrors: readonly ErrorRule[] = OWN_CODES.map((code) => ({ status: [ERRORS[code].status], where: [{ pointer: '/code', equals: code }], code }));

const ownAccount = {
  address: '/address', enabled: { pointer: '/enabled' }, displayName: '/displayName', recoveryAddress: '/recoveryAddress', language: '/language',
  changedAt: { pointer: '/passwordChangedAt' }, version: '/passwordVersion',
};

/** docs/account-api.openapi.yaml */
const mailboxPassword: HttpPreset = {
  keyHeader: (apiKey) => ({ Authorization: `Bearer ${apiKey}` }),
  maxPasswordBytes: null,
  refusedPasswords: [],
  operations: {
    find: { path: '/accounts/{address}', errors: ownErrors, result: ownAccount },
    verify: {
      path: '/accounts/{address}/verify', body: { password: '{password}' }, safe: true,
      success: { status: [200], where: [{ pointer: '/verified', equals: true }] },
      errors: [{ status: [200], where: [{ pointer: '/verified', equals: false }], code: 'CURRENT_PASSWORD_WRONG' }, ...ownErrors],
    },
    change: {
      path: '/accounts/{address}/change', body: { currentPassword: '{currentPassword}', newPassword: '{password}' },
      success: { status: [200], where: [{ pointer: '/changed', equals: true }] }, errors: ownErrors, result: { changedAt: { pointer: '/changedAt' } },
    },
    set: {
      path: '/accounts/{address}/set', body: { newPassword: '{password}' },
      success: { status: [200], where: [{ pointer: '/changed', equals: true }] }, errors: ownErrors, result: { changedAt: { pointer: '/changedAt' } },
    },
    listDomains: { path: '/domains?search={search}', items: '/domains', name: '', errors: ownErrors },
    listMailboxes: {
      path: '/mailboxes?domain={domain}&search={search}&cursor={cursor}&limit={limit}', items: '/mailboxes', nextCursor: '/nextCursor',
      errors: ownErrors, result: ownAccount,
    },
  },
};

/** The same of version 1.1: the mark of a new password at the next log-in, and the version compared within the set. */
const mailboxPassword11: HttpPreset = {
  ...mailboxPassword,
  operations: {
    ...mailboxPassword.operations,
    find: { ...mailboxPassword.operations.find, path: '/accounts/{address}', result: { ...ownAccount, changeRequired: { pointer: '/changeRequired' } } },
    set: {
      ...mailboxPassword.operations.set, path: '/accounts/{address}/set',
      body: { newPassword: '{password}', changeRequired: '{mark}', passwordVersion: '{version}' },
    },
    requireChange: {
      path: '/accounts/{address}/require-change', body: { changeRequired: '{mark}' },
      success: { status: [200], where: [{ pointer: '/changeRequired', oneOf: [true, false] }] }, errors: ownErrors,
    },
  },
};

const danger: Condition = { pointer: '/*/type', equals: 'danger' };

const editErrors: readonly ErrorRule[] = [
  { status: [200], where: [danger, { pointer: '/*/msg', contains: 'password_complexity' }], code: 'PASSWORD_REJECTED_BY_SERVER' },
  { status: [200], where: [danger, { pointer: '/*/msg', contains: 'access_denied' }], code: 'ACCOUNT_NOT_FOUND' },
  { status: [200], where: [danger, { pointer: '/*/msg', contains: 'username_invalid' }], code: 'ACCOUNT_NOT_FOUND' },
  { status: [200], where: [{ pointer: '/msg', equals: 'Cannot find attributes in post data' }], code: 'ACCOUNTS_MISCONFIGURED' },
];
/** What is not sent stays as it is, the mark too: its own pages alone take it away with a new password. */
const edit = {
  method: 'POST', path: '/api/v1/edit/mailbox', mark: { on: '1', off: '0' }, errors: editErrors,
  success: { status: [200], where: [{ pointer: '/*/type', equals: 'success' }, { pointer: '/0/msg', contains: 'mailbox_modified' }] },
} as const;

/**
 * mailcow: dockerized, https://github.com/mailcow/mailcow-dockerized (data/web/api/openapi.yaml, data/web/json_api.php).
 * It answers HTTP 200 to nearly everything. `get` of an unknown mailbox is `{}`; `edit` is a list of
 * `{type: success | danger | error, msg}`, where `msg` is a word, or a list whose first element is the word.
 */
const mailcow: HttpPreset = {
  keyHeader: (apiKey) => ({ 'X-API-Key': apiKey }),
  // Its default scheme, BLF-CRYPT, cuts there without a word.
  maxPasswordBytes: 72,
  // `{SCHEME}...` is stored as a finished hash; "0" is empty in PHP: answered with success, not changed.
  refusedPasswords: ['^\\{[a-z0-9-]+\\}', '^0$'],
  operations: {
    find: {
      path: '/api/v1/get/mailbox/{address}',
      errors: [{ status: [200], where: [{ pointer: '', oneOf: [{}, []] }], code: 'ACCOUNT_NOT_FOUND' }],
      result: {
        address: '/username', enabled: { pointer: '/active', oneOf: [1, '1'] }, displayName: '/name',
        // For mailboxes of LDAP, Keycloak or OIDC it answers "success" and changes nothing.
        changeable: { pointer: '/authsource', oneOf: ['mailcow'], absent: true },
        changeRequired: { pointer: '/attributes/force_pw_update', oneOf: [1, '1', true] },
      },
    },
    set: { ...edit, body: { items: ['{address}'], attr: { password: '{password}', password2: '{password}', force_pw_update: '{mark}' } } },
    requireChange: { ...edit, body: { items: ['{address}'], attr: { force_pw_update: '{mark}' } } },
    listDomains: { path: '/api/v1/get/domain/all', items: '', name: '/domain_name' },
    listMailboxes: {
      path: '/api/v1/get/mailbox/all/{domain}', items: '',
      result: { address: '/username', enabled: { pointer: '/active', oneOf: [1, '1'] }, displayName: '/name' },
    },
  },
};

export const HTTP_PRESETS = { mailboxPassword, 'mailboxPassword-1.1': mailboxPassword11, mailcow } as const satisfies Record<string, HttpPreset>;

export type HttpPresetName = keyof typeof HTTP_PRESETS;
