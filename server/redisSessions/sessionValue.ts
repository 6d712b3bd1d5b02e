import { timeOf, valueAt } from './pointer.ts';
import { readPhpSerialize, readPhpSession } from './phpSession.ts';

export type SessionFormat = 'json' | 'php' | 'phpSerialize';

export interface Pointers {
  readonly format: SessionFormat;
  readonly address?: string | undefined;
  readonly issuedAt?: string | undefined;
  readonly lastSeenAt?: string | undefined;
  readonly client?: string | undefined;
  readonly remoteAddress?: string | undefined;
}

/** What a stored session says. */
export interface SessionValue {
  /** Null: nobody is logged in by it (or the pointer is wrong). */
  readonly address: string | null;
  readonly issuedAt: number | null;
  readonly lastSeenAt: number | null;
  readonly client: string | null;
  readonly remoteAddress: string | null;
}

const READERS: Readonly<Record<SessionFormat, (bytes: Buffer) => unknown>> = {
  json: (bytes) => JSON.parse(bytes.toString('utf8')) as unknown,
  php: readPhpSession,
  phpSerialize: readPhpSerialize,
};

/** Null where the bytes are not of that format. */
export function readSession(bytes: Buffer, pointers: Pointers): SessionValue | null {
  let root: unknown;
  try {
    root = READERS[pointers.format](bytes);
  } catch {
    return null;
  }
  if (typeof root !== 'object' || root === null) return null;
  const at = (pointer: string | undefined): unknown => (pointer === undefined ? undefined : valueAt(root, pointer));
  const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
  return {
    address: text(at(pointers.address)),
    issuedAt: timeOf(at(pointers.issuedAt)),
    lastSeenAt: timeOf(at(pointers.lastSeenAt)),
    client: text(at(pointers.client)),
    remoteAddress: text(at(pointers.remoteAddress)),
  };
}
