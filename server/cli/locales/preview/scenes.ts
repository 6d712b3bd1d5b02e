import { ADMIN_PANEL_OPERATIONS as ADMIN, USER_PANEL_OPERATIONS as USER } from '../../../../module/panelOperations.ts';
import { OPERATIONS } from '../../../../module/operations.ts';
import type { RuleOutcome } from '../../../../module/policy/rules/rule.ts';
import { ADMIN_SESSION, CHANGED, CONTEXT, COUNTS, DEVICES, ENDED, HISTORY, MAILBOX, MAILBOXES, PENDING, refusal, USER_SESSION } from './sampleAnswers.ts';

export interface Answer { readonly status: number; readonly body: object }

/** What happens to a page before it is looked at: wait for, type into, click; elements are found in shadow trees too. */
export type Step = readonly ['wait' | 'click' | 'capsLock', string] | readonly ['type', string, string];

export interface Scene {
  readonly name: string;
  readonly page: 'section' | 'login' | 'webmail' | 'user-panel' | 'admin-panel' | 'notice';
  /** Path below the base path, or of the embedded host -> what is answered; what is not named is answered by DEFAULTS. */
  readonly answers: Readonly<Record<string, Answer>>;
  readonly steps: readonly Step[];
  /** After the page's address. */
  readonly suffix: string;
  /** The operator's maintenance. */
  readonly readOnly: boolean;
}

const ok = (body: object): Answer => ({ status: 200, body });

/** The everyday answers. */
export const DEFAULTS: Readonly<Record<string, Answer>> = {
  [OPERATIONS.getContext.path]: ok(CONTEXT), [OPERATIONS.changeOwnPassword.path]: ok(CHANGED),
  [USER.getSession.path]: ok(USER_SESSION), [USER.logIn.path]: ok(USER_SESSION), [USER.changePassword.path]: ok(CHANGED), [USER.listDevices.path]: ok(DEVICES),
  [USER.endDevice.path]: ok(ENDED), [USER.endDevices.path]: ok(ENDED), [USER.logOut.path]: ok({}),
  [ADMIN.getSession.path]: ok(ADMIN_SESSION), [ADMIN.logIn.path]: ok(ADMIN_SESSION), [ADMIN.getHostAdministrator.path]: ok({ name: null }),
  [ADMIN.listDomains.path]: ok({ domains: ['mail.example.com', 'example.net'], nextCursor: null }), [ADMIN.listMailboxes.path]: ok(MAILBOXES), [ADMIN.countSessions.path]: ok(COUNTS),
  [ADMIN.getMailbox.path]: ok(MAILBOX), [ADMIN.setPassword.path]: ok(CHANGED), [ADMIN.requireChange.path]: ok({}), [ADMIN.endSessions.path]: ok(ENDED), [ADMIN.listHistory.path]: ok(HISTORY), [ADMIN.logOut.path]: ok({}),
  '/host/session': ok({ address: CONTEXT.account.address, displayName: 'Alice', csrfToken: 'preview', sessions: DEVICES.devices }),
  '/host/messages': ok({ messages: [] }), '/host/demo': ok({ accounts: [] }),
};

const OUT = refusal(401, 'AUTHENTICATION_REQUIRED');
const NEW = 'input[name=newPassword]';
const SUBMIT = 'button[type=submit]';
const FILLED: readonly Step[] = [['type', 'input[name=currentPassword]', 'Wonder-land-7'], ['type', NEW, 'Fresh!Harvest42'], ['type', 'input[name=confirm]', 'Fresh!Harvest42']];
const SENT: readonly Step[] = [...FILLED, ['click', SUBMIT]];
const LOG_IN: readonly Step[] = [['type', 'input[name=username]', 'alice@mail.example.com'], ['type', 'input[name=password]', 'x'], ['click', SUBMIT]];
const WITH_GENERATED: readonly Step[] = [['type', 'input[name=currentPassword]', 'Wonder-land-7'], ['click', `${NEW} ~ .icon:last-of-type`]];
const DOMAIN: readonly Step[] = [['click', '[role=combobox]'], ['click', '[role=option]'], ['wait', 'table .pencil']];
const DIALOG: readonly Step[] = [...DOMAIN, ['click', 'table .pencil'], ['wait', `dialog ${NEW}`]];
const GENERATED: readonly Step[] = [...DIALOG, ['click', 'dialog .buttons .plain']];

type Rest = Partial<Pick<Scene, 'answers' | 'suffix' | 'readOnly'>>;
const scene = (page: Scene['page']) => (name: string, steps: readonly Step[], rest: Rest = {}): Scene => ({ name: `${page}.${name}`, page, steps, answers: {}, suffix: '', readOnly: false, ...rest });
const section = scene('section');
const login = scene('login');
const webmail = scene('webmail');
const user = scene('user-panel');
const admin = scene('admin-panel');
const notice = scene('notice');
const changeAnswers = (answer: Answer): Rest => ({ answers: { [OPERATIONS.changeOwnPassword.path]: answer } });
/** What the server says of the generated password. */
const judged = (breached: RuleOutcome, inHistory: RuleOutcome): Rest => ({ answers: { [OPERATIONS.checkPassword.path]: ok({ rules: [{ code: 'PASSWORD_BREACHED', outcome: breached }, { code: 'PASSWORD_IN_HISTORY', outcome: inHistory }] }) } });

/** Every surface in every state that has texts of its own. */
export const SCENES: readonly Scene[] = [
  section('form', [['wait', NEW]]),
  section('capsLock', [['capsLock', NEW], ['wait', '.hint']]),
  section('generated', [['click', `${NEW} ~ .icon:last-of-type`], ['wait', '.strength']]),
  section('empty', [['click', SUBMIT], ['wait', '.errors p']]),
  section('rules', [['type', 'input[name=currentPassword]', 'alice'], ['type', NEW, 'alice'], ['type', 'input[name=confirm]', 'bob'], ['click', SUBMIT], ['wait', '.errors p']]),
  section('judgedGood', [...WITH_GENERATED, ['wait', '[id$=PASSWORD_IN_HISTORY][data-state=met]']], judged('unknown', 'met')),
  section('judgedBad', [...WITH_GENERATED, ['wait', '[id$=PASSWORD_IN_HISTORY][data-state=violated]']], judged('unavailable', 'violated')),
  section('wrong', [...SENT, ['wait', '.errors p']], changeAnswers(refusal(422, 'CURRENT_PASSWORD_WRONG', { fields: [{ field: 'currentPassword', code: 'CURRENT_PASSWORD_WRONG' }] }))),
  section('tooMany', [...SENT, ['wait', '.warning']], changeAnswers(refusal(429, 'RATE_LIMITED', { params: { retryAfterSeconds: 542 } }))),
  section('unknown', [...SENT, ['wait', '.warning']], changeAnswers(refusal(504, 'ACCOUNTS_OUTCOME_UNKNOWN', { changed: 'unknown' }))),
  section('misconfigured', [...SENT, ['wait', '.warning']], changeAnswers(refusal(500, 'ACCOUNTS_MISCONFIGURED'))),
  section('done', [...SENT, ['wait', '.outcome']]),
  section('pending', [...SENT, ['wait', '.outcome']], changeAnswers(ok(PENDING))),
  section('maintenance', [['wait', NEW]], { answers: { [OPERATIONS.getContext.path]: ok({ ...CONTEXT, writable: false }) } }),
  section('loadFailed', [['wait', '.warning']], { answers: { [OPERATIONS.getContext.path]: refusal(503, 'HOST_UNAVAILABLE') } }),
  login('form', [['wait', SUBMIT], ['wait', 'select']]),
  login('changed', [['wait', '[role=status]'], ['wait', 'select']], { suffix: '?reason=changed' }),
  login('wrong', [['type', 'input[name=address]', 'alice@mail.example.com'], ['type', 'input[name=password]', 'x'], ['click', SUBMIT], ['wait', '.warn:not(:empty)']], { answers: { '/host/login': refusal(401, 'CREDENTIALS_WRONG') } }),
  webmail('menu', [['click', '.avatar'], ['wait', '.menu button']]),
  webmail('account', [['click', '.avatar'], ['click', '.menu button'], ['wait', NEW]]),
  user('login', [['wait', 'select']], { answers: { [USER.getSession.path]: OUT } }),
  user('loginEmpty', [['click', SUBMIT], ['wait', '.errors p']], { answers: { [USER.getSession.path]: OUT } }),
  user('loginWrong', [...LOG_IN, ['wait', '.warning']], { answers: { [USER.getSession.path]: OUT, [USER.logIn.path]: refusal(401, 'CREDENTIALS_WRONG') } }),
  user('loginMaintenance', [['wait', '.notice']], { answers: { [USER.getSession.path]: OUT }, readOnly: true }),
  user('unreachable', [['wait', '.warning']], { answers: { [USER.getSession.path]: refusal(503, 'STATE_UNAVAILABLE') } }),
  user('password', [['wait', NEW]]),
  user('changeRequired', [['wait', NEW]], { answers: { [USER.getSession.path]: ok({ ...USER_SESSION, changeRequired: true }) } }),
  user('changed', [...SENT, ['wait', '.notice.good']]),
  user('changedPending', [...SENT, ['wait', '.notice.good']], { answers: { [USER.changePassword.path]: ok(PENDING) } }),
  user('devices', [['wait', '.devices li']], { suffix: '#devices' }),
  user('devicesEnded', [['wait', '.devices li'], ['click', '.devices li:nth-child(2) button'], ['wait', '[role=status] li']], { suffix: '#devices' }),
  user('devicesUnavailable', [['wait', '.warning']], { suffix: '#devices', answers: { [USER.listDevices.path]: ok({ ...DEVICES, unavailable: ['imap', 'pop3'] }) } }),
  user('devicesFailed', [['wait', '.warning']], { suffix: '#devices', answers: { [USER.listDevices.path]: refusal(500, 'SESSIONS_MISCONFIGURED') } }),
  user('mail', [['wait', '.settings']], { suffix: '#mail' }),
  user('mailNone', [['wait', '.card .info']], { suffix: '#mail', answers: { [USER.getSession.path]: ok({ ...USER_SESSION, mailSettings: { imap: null, pop3: null, smtp: null } }) } }),
  admin('login', [['wait', 'select']], { answers: { [ADMIN.getSession.path]: OUT } }),
  admin('continue', [['wait', '.alone button']], { answers: { [ADMIN.getSession.path]: OUT, [ADMIN.getHostAdministrator.path]: ok({ name: 'admin@mail.example.com' }) } }),
  admin('users', [['wait', '[role=combobox]']]),
  admin('noDomain', [['type', '[role=combobox]', 'nothing'], ['click', '[role=combobox]'], ['wait', '.chooser .status:not(:empty)']], { answers: { [ADMIN.listDomains.path]: ok({ domains: [], nextCursor: null }) } }),
  admin('mailboxes', DOMAIN),
  admin('noMailbox', [['click', '[role=combobox]'], ['click', '[role=option]'], ['wait', '.search'], ['wait', '.wide-card p[role=status]']], { answers: { [ADMIN.listMailboxes.path]: ok({ mailboxes: [], nextCursor: null }) } }),
  admin('cannotList', [['wait', '.type-address'], ['click', '.type-address button'], ['wait', '.errors p']], { answers: { [ADMIN.getSession.path]: ok({ ...ADMIN_SESSION, abilities: { setPassword: true, listDomains: false, listMailboxes: false } }) } }),
  admin('dialog', DIALOG),
  admin('dialogGenerated', [...GENERATED, ['wait', '.strength']]),
  admin('dialogUnsaved', [...GENERATED, ['click', 'dialog .title button'], ['wait', '.ask']]),
  admin('dialogMeanwhile', [...GENERATED, ['click', `dialog ${SUBMIT}`], ['wait', 'dialog .notice']], { answers: { [ADMIN.setPassword.path]: refusal(409, 'ACCOUNT_CHANGED_MEANWHILE') } }),
  admin('dialogDone', [...GENERATED, ['click', `dialog ${SUBMIT}`], ['wait', '.outcome']]),
  admin('dialogAsked', [...DIALOG, ['click', 'dialog .check input'], ['click', `dialog ${SUBMIT}`], ['wait', 'dialog .notice']]),
  admin('dialogEnded', [...DIALOG, ['click', 'dialog .alone button'], ['wait', '.alone li']]),
  admin('dialogNotSupported', DIALOG, { answers: { [ADMIN.getSession.path]: ok({ ...ADMIN_SESSION, writable: false, abilities: { setPassword: false, listDomains: true, listMailboxes: true } }) } }),
  admin('history', [['wait', '.history td']], { suffix: '#history' }),
  admin('historyEmpty', [['wait', '.wide-card p[role=status]']], { suffix: '#history', answers: { [ADMIN.listHistory.path]: ok({ events: [], nextCursor: null }) } }),
  notice('change', []), notice('set', []), notice('logout', []), notice('recovery', []),
];
