import { ModuleError } from '../../module/errors.ts';
import { GroupOfficeError } from './groupOfficeClient.ts';

/** What a call that only asks can come to. */
export function readError(error: unknown): ModuleError {
  if (error instanceof ModuleError) return error;
  if (!(error instanceof GroupOfficeError)) return new ModuleError('ACCOUNTS_UNAVAILABLE', { cause: error });
  const lasting = error.kind === 'refused' && ['unauthorized', 'forbidden', 'serverFail', 'invalidArguments'].includes(error.type);
  return new ModuleError(lasting ? 'ACCOUNTS_MISCONFIGURED' : 'ACCOUNTS_UNAVAILABLE', { detail: error.message, cause: error });
}

/** What a call that changes something can come to: sent and not answered is neither yes nor no. */
export function writeError(error: unknown): ModuleError {
  if (error instanceof GroupOfficeError && error.kind === 'unknown') {
    return new ModuleError('ACCOUNTS_OUTCOME_UNKNOWN', { detail: error.message, cause: error });
  }
  if (error instanceof GroupOfficeError && error.type === 'invalidArgumentException') return new ModuleError('PASSWORD_TOO_LONG_FOR_SCHEME', { cause: error });
  if (error instanceof GroupOfficeError && error.type === 'stateMismatch') return new ModuleError('ACCOUNT_CHANGED_MEANWHILE', { cause: error });
  return readError(error);
}

/** Group-Office counts bytes. It would answer with an exception, after everything else was done. */
export function refuseTooLong(bytes: number, limit: number): void {
  if (bytes > limit) throw new ModuleError('PASSWORD_TOO_LONG_FOR_SCHEME', { params: { maxBytes: limit } });
}

export interface SetAnswer {
  readonly updated: Readonly<Record<string, unknown>> | null;
  readonly notUpdated: Readonly<Record<string, { readonly type: string; readonly validationErrors?: Readonly<Record<string, { readonly code: number }>> | null }>> | null;
}

/** Reads an `Entity/set` answer for one entity; throws what was refused. */
export function readSet(answer: SetAnswer, id: string): void {
  if (answer.updated !== null && id in answer.updated) return;
  const refusal = answer.notUpdated?.[id];
  const errors = refusal?.validationErrors ?? {};
  // Missing, empty and wrong are one code to Group-Office; ours were neither missing nor empty.
  if ('currentPassword' in errors) throw new ModuleError('CURRENT_PASSWORD_WRONG');
  if ('password' in errors) throw new ModuleError('PASSWORD_REJECTED_BY_SERVER');
  if (refusal?.type === 'notFound') throw new ModuleError('ACCOUNT_NOT_FOUND');
  if (refusal?.type === 'forbidden') throw new ModuleError('ACCOUNT_NOT_CHANGEABLE');
  throw new ModuleError('PASSWORD_REJECTED_BY_SERVER', { detail: `refused with ${refusal?.type ?? 'no reason'}` });
}
