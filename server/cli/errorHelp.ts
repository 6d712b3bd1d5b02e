import type { ErrorCode } from '../../module/errors.ts';

export interface ErrorHelp {
  /** Why an operator sees this code. */
  readonly cause: string;
  /** What to do about it. */
  readonly cure: string;
}

/** Cause and cure of every error code, kept here alone: docs/errors.md is written from it, and the command line says it. */
export const ERROR_HELP: Readonly<Record<ErrorCode, ErrorHelp>> = {
  REQUEST_INVALID: { cause: 'A field of the request is missing, of the wrong type or not known.', cure: 'Look at `fields` of the answer. From our own pages it means that a page of an older version is still open: reload it.' },
  REQUEST_MALFORMED: { cause: 'The body is not JSON.', cure: 'Send JSON. A proxy in front must not rewrite bodies.' },
  REQUEST_TOO_LARGE: { cause: 'The body is larger than any request of this service.', cure: 'Nothing to do for people; a program sends what does not belong here.' },
  REQUEST_MEDIA_TYPE: { cause: 'The body is not of type application/json.', cure: 'Send `Content-Type: application/json`; a form of another site cannot, which is the purpose.' },
  NOT_FOUND: { cause: 'There is nothing at this address, or not any more.', cure: 'Check server.basePath against the path in the proxy; both must be the same.' },
  METHOD_NOT_ALLOWED: { cause: 'The address is known, the method is not.', cure: 'See openapi.json for the methods.' },
  AUTHENTICATION_REQUIRED: { cause: 'Nobody is logged in: no session, or the webmail ended it.', cure: 'Log in again. If everybody sees it: does the proxy hand on cookies, is the service a path of the same host as the webmail?' },
  CREDENTIALS_WRONG: { cause: 'The log-in to a panel failed; whether mailbox or password is wrong is not told.', cure: 'For a mailbox `mailbox-password set` gives a new password; for an administrator make a new hash with `mailbox-password hash-password`.' },
  FORBIDDEN: { cause: 'The caller may not do this: a domain outside the administrator\'s, or Group-Office forbids the module.', cure: 'Check administrators[].domains; in Group-Office the permissions of the module.' },
  CSRF_TOKEN_INVALID: { cause: 'The request lacks the token that goes with its session.', cure: 'Reload the page. If it lasts: a cache in front hands one person\'s page to another; it must not cache this path.' },
  ORIGIN_NOT_ALLOWED: { cause: 'The page that sent the request is of another site, or the service does not know its own address.', cure: 'Set server.publicUrl to the address that people see, scheme and port included.' },
  RATE_LIMITED: { cause: 'Too many wrong passwords for a mailbox or from a client address.', cure: 'Wait, or raise rateLimit. If everybody is refused at once: behind a proxy server.trustProxy must be true, else all people count as one address.' },
  CURRENT_PASSWORD_WRONG: { cause: 'The current password is wrong, or the mailbox is locked or unknown; which of them is not told.', cure: 'Try it at the mail server; where it is forgotten an administrator sets a new one.' },
  PASSWORD_REJECTED: { cause: 'The new password breaks a rule of the policy.', cure: 'Choose another; `--generate` makes one. The rules are in docs/policy.md.' },
  PASSWORD_REJECTED_BY_SERVER: { cause: 'The mail server\'s own policy refused the password.', cure: 'Bring `policy` in line with what the server asks, so that people see the rule before they try.' },
  PASSWORD_TOO_LONG_FOR_SCHEME: { cause: 'The hash scheme takes fewer bytes (bcrypt: 72).', cure: 'Set policy.maxBytes, or another scheme in the account driver.' },
  PASSWORD_IN_HISTORY: { cause: 'The mailbox has had this password before.', cure: 'Choose another; serverRules (history) says how many are remembered.' },
  PASSWORD_CHANGE_TOO_SOON: { cause: 'The last change was too short a time ago for the policy.', cure: 'Wait; an administrator can set a password at once.' },
  PASSWORD_CHANGE_REQUIRED: { cause: 'An administrator asked for a new password at the next log-in, and the owner wanted to do something else first.', cure: 'Choose a new password in the User Panel; an administrator can take the request back.' },
  POLICY_UNAVAILABLE: { cause: 'A rule of the policy that needs another server (breach list) cannot be judged now, and is configured to refuse then.', cure: 'Check that server, or let the rule pass while it is away.' },
  ACCOUNT_NOT_FOUND: { cause: 'The account API knows no such mailbox, or no entry of `accounts` names its domain.', cure: 'Check the spelling; `mailbox-password config show` lists the domains of each entry.' },
  ACCOUNT_AMBIGUOUS: { cause: 'More than one row stands for this address.', cure: 'Make the address unique in the back end; nothing is changed until then.' },
  ACCOUNT_LOCKED: { cause: 'The mailbox is switched off in the back end.', cure: 'Unlock it there first.' },
  ACCOUNT_CHANGED_MEANWHILE: { cause: 'Somebody else changed the password at the same time, and was first; or a process was killed in the middle of a change of this mailbox, whose turn ends when three times `timeouts.accountsMs` have passed.', cure: 'Look again, and set it once more if it is still wanted.' },
  ACCOUNT_NOT_CHANGEABLE: { cause: 'The password of this mailbox is kept where this driver cannot write.', cure: 'Change it where it is kept (another directory, the provider), or add an entry to `accounts` for it.' },
  OPERATION_NOT_SUPPORTED: { cause: 'The configured driver cannot do this.', cure: 'See the driver\'s page in docs/drivers; another driver may.' },
  ACCOUNTS_UNAVAILABLE: { cause: 'The account API (database, LDAP, HTTP, file) does not answer.', cure: 'Run `mailbox-password doctor`; it names the connection. Nothing was changed.' },
  ACCOUNTS_MISCONFIGURED: { cause: 'The account API answers and refuses: log-in, a missing right, table or column, a column too narrow, an unknown scheme.', cure: 'Run `mailbox-password doctor`; it names what is missing.' },
  ACCOUNTS_OUTCOME_UNKNOWN: { cause: 'The write was sent and the connection broke before the answer.', cure: 'Try the new password first, then the old one. The log-out is settled by itself when the back end answers again.' },
  SESSIONS_UNAVAILABLE: { cause: 'A session store (Dovecot, Redis, SQL, webmail) does not answer.', cure: 'Run `mailbox-password doctor`. Log-outs of changes made meanwhile are kept and retried: `mailbox-password outbox list`.' },
  SESSIONS_MISCONFIGURED: { cause: 'A session store answers and refuses: key, right, table, or it is no longer configured.', cure: 'Run `mailbox-password doctor`. What is owed stays owed until it works.' },
  HOST_UNAVAILABLE: { cause: 'The webmail does not answer, so nobody can be recognised.', cure: 'Check `host` in the configuration and the webmail itself; `mailbox-password doctor` asks it.' },
  STATE_UNAVAILABLE: { cause: 'The module\'s own database cannot be opened or written.', cure: 'Check free space, owner and mode of dataDir, or the server of state.url; `mailbox-password doctor` looks at all of them.' },
  READ_ONLY: { cause: 'Maintenance: readOnly is true.', cure: 'Set readOnly to false when the maintenance is over.' },
  SHUTTING_DOWN: { cause: 'The service is being stopped or restarted.', cure: 'Try again in a minute.' },
  OVERLOADED: { cause: 'More requests than this node can take in time.', cure: 'Try again; if it lasts, see the page on sizing.' },
  INTERNAL: { cause: 'An error of the program itself.', cure: 'Search the log for the request id that the answer names, and report it. Try the new password first.' },
};
