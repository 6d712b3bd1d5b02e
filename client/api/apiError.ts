import { isAxiosError } from 'axios';
import type { ErrorParams, FieldProblem, Problem } from '../../module/errors.ts';

/** What the person cannot mend: whoever helps them needs to find it in the log. */
const OURS = /^(INTERNAL|ACCOUNTS_|SESSIONS_|HOST_|STATE_)/;

/** `OFFLINE`: certainly not sent. `UNCONFIRMED`: sent, and no answer came. Else a code of the server. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: string;
  readonly params: ErrorParams;
  readonly fields: readonly FieldProblem[];
  /** The request's id in the server's log, where that helps; else empty. */
  readonly reference: string;

  constructor(code: string, params: ErrorParams = {}, fields: readonly FieldProblem[] = [], requestId = '') {
    super(code);
    this.code = code;
    this.params = params;
    this.fields = fields;
    this.reference = OURS.test(code) ? requestId : '';
  }
}

/** Axios' own error holds the request, password included: it goes no further than here. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (!isAxiosError<Partial<Problem>>(error) || error.response === undefined) return new ApiError('UNCONFIRMED');
  const { code, params, fields, requestId } = error.response.data;
  if (code === undefined) return new ApiError(error.response.status >= 500 ? 'UNCONFIRMED' : 'REQUEST_MALFORMED');
  return new ApiError(code, params, fields, requestId);
}
