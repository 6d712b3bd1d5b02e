import { isDeepStrictEqual } from 'node:util';
import type { ErrorCode } from '../../module/errors.ts';
import { valuesAt } from './jsonPointer.ts';
import { type JsonTemplate, namesIn, type Placeholder } from './template.ts';

/** What holds at one place of an answer; exactly one of the three. */
export interface Condition {
  readonly pointer: string;
  /** Any JSON value. */
  readonly equals?: unknown;
  /** A part of a text, or an element of a list. */
  readonly contains?: string | undefined;
  readonly oneOf?: readonly unknown[] | undefined;
}

export interface AnswerTest {
  readonly status?: readonly number[] | undefined;
  /** All of them. */
  readonly where?: readonly Condition[] | undefined;
}

export interface ErrorRule extends AnswerTest {
  readonly code: ErrorCode;
}

/** A yes or no at one place. */
export interface Flag {
  readonly pointer: string;
  /** The values that mean yes (default: true). */
  readonly oneOf?: readonly unknown[] | undefined;
  /** What it means that the place is not there (default: no). */
  readonly absent?: boolean | undefined;
}

export type TimeFormat = 'milliseconds' | 'seconds' | 'iso';

/** Where an answer, or an item of a list, says what. */
export interface ResultMap {
  readonly address?: string | undefined;
  readonly enabled?: Flag | undefined;
  readonly changeable?: Flag | undefined;
  readonly displayName?: string | undefined;
  readonly recoveryAddress?: string | undefined;
  readonly language?: string | undefined;
  readonly changedAt?: { readonly pointer: string; readonly format?: TimeFormat | undefined } | undefined;
  /** The owner is to choose a new password at the next log-in. */
  readonly changeRequired?: Flag | undefined;
  /** Differs after every change of the password. */
  readonly version?: string | undefined;
}

export interface Operation {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | undefined;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: JsonTemplate | undefined;
  readonly form?: Readonly<Record<string, string>> | undefined;
  readonly success?: AnswerTest | undefined;
  readonly errors?: readonly ErrorRule[] | undefined;
  readonly result?: ResultMap | undefined;
  /** What `{mark}` is where a new password is asked for at the next log-in, and where it is not (default: true and false). */
  readonly mark?: { readonly on?: unknown; readonly off?: unknown } | undefined;
  /** Asking twice does no harm; GET always is. Only of `verify`. */
  readonly safe?: boolean | undefined;
  /** Of lists: where the list is, where the domain's name is in an item, where the cursor of the next page is. */
  readonly items?: string | undefined;
  readonly name?: string | undefined;
  readonly nextCursor?: string | undefined;
}

export const OPERATIONS = ['check', 'find', 'verify', 'change', 'set', 'requireChange', 'listDomains', 'listMailboxes'] as const;

export type OperationName = (typeof OPERATIONS)[number];

export type Operations = Readonly<Partial<Record<OperationName, Operation | undefined>>>;

/** Whether a request sends this. */
export const speaksOf = ({ path, body, form }: Operation, name: Placeholder): boolean => namesIn([path, body, form]).includes(name);

function meets(value: unknown, { equals, contains, oneOf }: Condition): boolean {
  if (value === undefined) return false;
  if (oneOf !== undefined) return oneOf.some((one) => isDeepStrictEqual(one, value));
  if (contains !== undefined) return typeof value === 'string' ? value.includes(contains) : Array.isArray(value) && value.includes(contains);
  return isDeepStrictEqual(equals, value);
}

/** Whether an answer is what a test describes. A condition on a list (`*`) holds where it holds for every one of at least one. */
export function answerMeets(test: AnswerTest, status: number, body: unknown): boolean {
  if (test.status !== undefined && !test.status.includes(status)) return false;
  return (test.where ?? []).every((condition) => {
    const values = valuesAt(body, condition.pointer);
    return values.length > 0 && values.every((value) => meets(value, condition));
  });
}

export function flagAt(document: unknown, flag: Flag): boolean {
  const [value] = valuesAt(document, flag.pointer);
  if (value === undefined) return flag.absent ?? false;
  return (flag.oneOf ?? [true]).some((yes) => isDeepStrictEqual(yes, value));
}
