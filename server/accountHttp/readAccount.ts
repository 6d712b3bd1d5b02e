import { createHash } from 'node:crypto';
import type { Account } from '../ports/accountApi.ts';
import { flagAt, type ResultMap } from './describedApi.ts';
import { valueAt } from './jsonPointer.ts';

/** An account as an answer tells it. */
export interface ToldAccount extends Account {
  /** False where the API would not change its password (it belongs to another directory). */
  readonly changeable: boolean;
  readonly version: string | null;
  /** The version as the API itself spells it, to be sent back; null where it is no text and no number. */
  readonly ownVersion: string | number | null;
}

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

export function timeAt(document: unknown, where: ResultMap['changedAt']): number | null {
  if (where === undefined) return null;
  const value = valueAt(document, where.pointer);
  const format = where.format ?? 'milliseconds';
  const number = typeof value === 'string' ? (format === 'iso' ? Date.parse(value) : Number(value)) : value;
  if (typeof number !== 'number' || !Number.isFinite(number) || number <= 0) return null;
  return Math.floor(format === 'seconds' ? number * 1000 : number);
}

/** Null where the answer does not hold the address that it is described to hold. */
export function readAccount(document: unknown, map: ResultMap, asked: string | null): ToldAccount | null {
  const address = map.address === undefined ? asked : text(valueAt(document, map.address));
  if (address === null) return null;
  const displayName = map.displayName === undefined ? null : text(valueAt(document, map.displayName));
  const recoveryAddress = map.recoveryAddress === undefined ? null : text(valueAt(document, map.recoveryAddress));
  const language = map.language === undefined ? null : text(valueAt(document, map.language));
  const version = map.version === undefined ? undefined : valueAt(document, map.version);
  return {
    address,
    enabled: map.enabled === undefined || flagAt(document, map.enabled),
    passwordChangedAt: timeAt(document, map.changedAt),
    changeable: map.changeable === undefined || flagAt(document, map.changeable),
    // Whatever it is there, here it is opaque: a provider that tells the hash itself does not get it into our tables.
    version: version === undefined || version === null || version === '' ? null : createHash('sha256').update(JSON.stringify(version)).digest('hex'),
    ownVersion: typeof version === 'string' || typeof version === 'number' ? version : null,
    ...(map.changeRequired !== undefined && { changeRequired: flagAt(document, map.changeRequired) }),
    ...(displayName !== null && { displayName }),
    ...(recoveryAddress !== null && { recoveryAddress }),
    ...(language !== null && { language: language.replace('_', '-') }),
  };
}

/** What the port asks for, and no more. */
export const toAccount = ({ address, enabled, passwordChangedAt, displayName, recoveryAddress, language, changeRequired }: ToldAccount): Account => ({
  address, enabled, passwordChangedAt, ...(displayName !== undefined && { displayName }), ...(recoveryAddress !== undefined && { recoveryAddress }), ...(language !== undefined && { language }),
  ...(changeRequired !== undefined && { changeRequired }),
});
