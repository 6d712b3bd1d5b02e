/**
 * The one registry of error codes. A code is what programs compare; its text lives in `locales/` under `error.<CODE>`.
 *
 * `status` is the HTTP status (RFC 9110) that the server half answers with. `retryable` says whether the same request can
 * succeed later without anybody changing anything. `changed` says what a caller may tell the person about the password:
 * `no` = certainly as before, `unknown` = try the new one first.
 */
export interface ErrorDefinition {
  readonly status: number;
  readonly retryable: boolean;
  readonly changed: 'no' | 'unknown';
}

const no = (status: number, retryable = false): ErrorDefinition => ({ status, retryable, changed: 'no' });

export const ERRORS = {
  // The request itself
  REQUEST_INVALID: no(422),
  REQUEST_MALFORMED: no(400),
  REQUEST_TOO_LARGE: no(413),
  REQUEST_MEDIA_TYPE: no(415),
  NOT_FOUND: no(404),
  METHOD_NOT_ALLOWED: no(405),

  // Who is calling
  AUTHENTICATION_REQUIRED: no(401),
  CREDENTIALS_WRONG: no(401),
  FORBIDDEN: no(403),
  CSRF_TOKEN_INVALID: no(403),
  ORIGIN_NOT_ALLOWED: no(403),
  RATE_LIMITED: no(429, true),

  // The password
  CURRENT_PASSWORD_WRONG: no(422),
  PASSWORD_REJECTED: no(422),
  PASSWORD_REJECTED_BY_SERVER: no(422),
  PASSWORD_TOO_LONG_FOR_SCHEME: no(422),
  PASSWORD_IN_HISTORY: no(422),
  PASSWORD_CHANGE_TOO_SOON: no(422),
  POLICY_UNAVAILABLE: no(503, true),
  PASSWORD_CHANGE_REQUIRED: no(403),

  // The account
  ACCOUNT_NOT_FOUND: no(404),
  ACCOUNT_AMBIGUOUS: no(409),
  ACCOUNT_LOCKED: no(423),
  ACCOUNT_CHANGED_MEANWHILE: no(409, true),
  ACCOUNT_NOT_CHANGEABLE: no(409),
  OPERATION_NOT_SUPPORTED: no(501),

  // What stands behind us
  ACCOUNTS_UNAVAILABLE: no(503, true),
  ACCOUNTS_MISCONFIGURED: no(500),
  ACCOUNTS_OUTCOME_UNKNOWN: { status: 504, retryable: false, changed: 'unknown' },
  SESSIONS_UNAVAILABLE: no(503, true),
  SESSIONS_MISCONFIGURED: no(500),
  HOST_UNAVAILABLE: no(503, true),
  STATE_UNAVAILABLE: no(503, true),
  READ_ONLY: no(503, true),
  SHUTTING_DOWN: no(503, true),
  OVERLOADED: no(503, true),
  INTERNAL: { status: 500, retryable: false, changed: 'unknown' },
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof ERRORS;

export type ErrorParams = Readonly<Record<string, string | number>>;

/** One violation at one field of the request. `field` is the request's own key, for example `newPassword`. */
export interface FieldProblem {
  readonly field: string;
  /** A violation code of the policy (`PASSWORD_TOO_SHORT`, ...) or of the request schema (`REQUIRED`, `WRONG_TYPE`, ...). */
  readonly code: string;
  readonly params?: ErrorParams;
}

export interface ModuleErrorOptions {
  readonly params?: ErrorParams;
  readonly fields?: readonly FieldProblem[];
  /** For the log only; never sent to a client. Must hold no secret. */
  readonly detail?: string;
  readonly cause?: unknown;
}

/** An error that may cross any boundary of the module: it carries a code of {@link ERRORS} and never a secret. */
export class ModuleError extends Error {
  override readonly name = 'ModuleError';
  readonly code: ErrorCode;
  readonly params: ErrorParams;
  readonly fields: readonly FieldProblem[];
  readonly detail: string | undefined;

  constructor(code: ErrorCode, options: ModuleErrorOptions = {}) {
    super(options.detail === undefined ? code : `${code}: ${options.detail}`, { cause: options.cause });
    this.code = code;
    this.params = options.params ?? {};
    this.fields = options.fields ?? [];
    this.detail = options.detail;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** The body of every answer that is not 2xx: `application/problem+json` (RFC 9457). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly changed: 'no' | 'unknown';
  readonly retryable: boolean;
  readonly params?: ErrorParams;
  readonly fields?: readonly FieldProblem[];
  readonly requestId?: string;
}
