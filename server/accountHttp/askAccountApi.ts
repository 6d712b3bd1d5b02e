import { setTimeout as pause } from 'node:timers/promises';
import { type ErrorCode, ModuleError } from '../../module/errors.ts';
import { answerMeets, type Operation, type OperationName } from './describedApi.ts';
import { type CallAnswer, CallFailure, type HttpCaller, type OutgoingCall } from './httpCaller.ts';
import { fillForm, fillJson, fillPath, type TemplateValues } from './template.ts';

export interface AskerOptions {
  readonly caller: HttpCaller;
  readonly headers: Readonly<Record<string, string>>;
  readonly retries: number;
  readonly maxAnswerBytes: number;
  readonly maxListBytes: number;
}

/** Sends a described request and judges the answer: resolves with the body of a success, else throws a coded error. */
export type Ask = (name: OperationName, operation: Operation, values: TemplateValues, signal: AbortSignal) => Promise<unknown>;

const WRITES: readonly OperationName[] = ['change', 'set', 'requireChange'];
/** Refused before anything was done: too early, too many requests. */
const NOT_NOW = new Set([425, 429]);
const PASSING = new Set([502, 503, 504]);

export function createAsker({ caller, headers, retries, maxAnswerBytes, maxListBytes }: AskerOptions): Ask {
  return async (name, operation, values, signal) => {
    const write = WRITES.includes(name);
    const outgoing = describe(name, operation, values, headers, name.startsWith('list') ? maxListBytes : maxAnswerBytes);
    // The address would make it another path: for such an API it is nobody's.
    if (outgoing === null) throw new ModuleError('ACCOUNT_NOT_FOUND', { detail: 'the name cannot stand in a path' });
    const repeatable = !write && (outgoing.method === 'GET' || operation.safe === true);
    for (let left = repeatable ? retries : 0; ; left -= 1) {
      const answer = await caller.call(outgoing, signal).catch((error: unknown) => error as CallFailure);
      const passing = answer instanceof CallFailure ? answer.reason === 'noConnection' || answer.reason === 'brokeOff' : PASSING.has(answer.status);
      if (!passing || left <= 0 || signal.aborted) return judge(name, operation, answer, write);
      await pause(100, undefined, { signal }).catch(() => undefined);
    }
  };
}

function describe(name: OperationName, operation: Operation, values: TemplateValues, common: Readonly<Record<string, string>>, maxBytes: number): OutgoingCall | null {
  const path = fillPath(operation.path, values);
  if (path === null) return null;
  const { body, form } = operation;
  const reads = name === 'check' || name === 'find' || name.startsWith('list');
  const method = operation.method ?? (reads && body === undefined && form === undefined ? 'GET' : 'POST');
  const payload = form !== undefined ? fillForm(form, values) : body !== undefined ? JSON.stringify(fillJson(body, values)) : method === 'GET' ? undefined : '';
  const type = form !== undefined ? 'application/x-www-form-urlencoded' : body !== undefined ? 'application/json' : undefined;
  return {
    method, path, maxBytes, fresh: method !== 'GET',
    headers: {
      Accept: 'application/json', 'Accept-Encoding': 'identity', 'User-Agent': 'mailbox-password',
      ...(type !== undefined && { 'Content-Type': type }), ...common, ...operation.headers,
    },
    body: payload === undefined ? undefined : Buffer.from(payload),
  };
}

function judge(name: OperationName, operation: Operation, answer: CallAnswer | CallFailure, write: boolean): unknown {
  const fail = (code: ErrorCode, detail: string): ModuleError => new ModuleError(code, { detail: `${name}: ${detail}` });
  /** Nothing says whether it was done. */
  const open = (code: ErrorCode): ErrorCode => (write ? 'ACCOUNTS_OUTCOME_UNKNOWN' : code);
  if (answer instanceof CallFailure) {
    const { reason, sent, message } = answer;
    if (reason === 'trust') throw fail('ACCOUNTS_MISCONFIGURED', `the account API is not trusted: ${message}`);
    if (reason === 'tooLarge') throw fail(open('ACCOUNTS_MISCONFIGURED'), 'the answer is too large');
    throw fail(sent ? open('ACCOUNTS_UNAVAILABLE') : 'ACCOUNTS_UNAVAILABLE', `the account API did not answer: ${message}`);
  }
  const { status, body } = answer;
  const rule = operation.errors?.find((candidate) => answerMeets(candidate, status, body));
  if (rule !== undefined) throw fail(rule.code, `the account API answered ${String(status)}`);
  if (answerMeets({ status: [200], ...operation.success }, status, body)) return body;
  const detail = `the account API answered ${String(status)}, which its description does not name`;
  // 302 and 303 are also what forms answer after they have done it.
  if (status >= 300 && status < 400) throw fail(status === 302 || status === 303 ? open('ACCOUNTS_MISCONFIGURED') : 'ACCOUNTS_MISCONFIGURED', `${detail}: redirects are not followed`);
  if (NOT_NOW.has(status)) throw fail('ACCOUNTS_UNAVAILABLE', detail);
  if (status >= 500 || status === 408) throw fail(open('ACCOUNTS_UNAVAILABLE'), detail);
  if (status >= 400) throw fail('ACCOUNTS_MISCONFIGURED', detail);
  throw fail(open('ACCOUNTS_MISCONFIGURED'), detail);
}
