import { createHash } from 'node:crypto';
import type { Entry } from 'ldapts';
import { foldedAddress, isAddress } from '../addressForm.ts';
import type { Account } from '../ports/accountApi.ts';
import type { LdapOptions } from './ldapOptions.ts';

/** What the entry of a mailbox is read by. */
export interface EntryLayout {
  readonly address: string | null;
  readonly local: string | null;
  readonly displayName: string;
  readonly recoveryAddress: string | null;
  readonly language: string | null;
  /** Whether the mark "choose a new password" is ours to set. */
  readonly marks: boolean;
  readonly enabled: string | null;
  /** Lower case. */
  readonly enabledValues: readonly string[];
}

export const layoutOf = ({ attributes, enabledValues, requireChange }: LdapOptions): EntryLayout => ({
  address: attributes?.local === undefined ? (attributes?.address ?? 'mail') : null,
  local: attributes?.local ?? null,
  displayName: attributes?.displayName ?? 'cn',
  recoveryAddress: attributes?.recoveryAddress ?? null,
  language: attributes?.language ?? null,
  marks: requireChange === true,
  enabled: attributes?.enabled ?? null,
  enabledValues: (enabledValues ?? ['TRUE', '1', 'yes', 'active']).map((value) => value.toLowerCase()),
});

/** TRUE: the owner is to choose a new password before anything else (draft-behera-ldap-password-policy-11, section 5.3.7). */
export const MUST_CHANGE = 'pwdReset';

/** Attributes asked for; the last three are OpenLDAP's names (two of them also 389 Directory Server's) for what its policy knows. */
export const attributesOf = ({ address, local, displayName, enabled, recoveryAddress, language }: EntryLayout): readonly string[] =>
  [address, local, displayName, enabled, recoveryAddress, language, 'pwdChangedTime', 'pwdAccountLockedTime', MUST_CHANGE].filter((name) => name !== null);

/** All values of an attribute; names differ in case from server to server. */
export function valuesOf(entry: Entry, name: string | null): readonly string[] {
  const key = name === null ? undefined : Object.keys(entry).find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  const found = key === undefined ? [] : entry[key];
  return (Array.isArray(found) ? found : [found]).filter((value) => value !== undefined).map((value) => (Buffer.isBuffer(value) ? value.toString('base64') : value));
}

/** The addresses of an entry; `domain` is where it was found, for entries that hold only the part before the @. */
export const addressesOf = (entry: Entry, { address, local }: EntryLayout, domain: string): readonly string[] =>
  (local === null ? valuesOf(entry, address) : valuesOf(entry, local).map((name) => `${name}@${domain}`));

/**
 * GeneralizedTime (RFC 4517, section 3.3.13) in milliseconds since the epoch, null where it is none. Without a fraction it is the END of that
 * second: the password may be as new as that, and whatever was logged in before must go.
 */
export function parseGeneralizedTime(text: string | undefined): number | null {
  const [, year, month, day, hour, minute, second, fraction] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:[.,](\d+))?Z$/.exec(text ?? '') ?? [];
  if (year === undefined) return null;
  const milliseconds = fraction === undefined ? 999 : Number(fraction.padEnd(3, '0').slice(0, 3));
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second), milliseconds);
}

/** draft-behera-ldap-password-policy, section 5.3.3: locked until an administrator unlocks it. A lock that ends by itself is not one. */
const LOCKED_FOR_GOOD = '000001010000Z';

export function isEnabled(entry: Entry, { enabled, enabledValues }: EntryLayout): boolean {
  const told = valuesOf(entry, enabled);
  return !valuesOf(entry, 'pwdAccountLockedTime').includes(LOCKED_FOR_GOOD) && (told.length === 0 || told.some((value) => enabledValues.includes(value.toLowerCase())));
}

export const mustChange = (entry: Entry): boolean => valuesOf(entry, MUST_CHANGE).some((value) => value.toUpperCase() === 'TRUE');

/** RFC 2798 lets `preferredLanguage` be a whole `Accept-Language` (RFC 9110): the one that is wanted most. */
function languageIn(value: string | undefined): string | null {
  const wanted = (value ?? '').split(',').map((part) => {
    const [tag = '', ...parameters] = part.split(';').map((one) => one.trim());
    const quality = Number(parameters.find((one) => one.startsWith('q='))?.slice(2) ?? 1);
    return { tag: tag.replace('_', '-'), quality: Number.isFinite(quality) ? quality : 0 };
  }).filter(({ tag, quality }) => quality > 0 && /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(tag));
  return wanted.sort((left, right) => right.quality - left.quality)[0]?.tag ?? null;
}

export function toAccount(entry: Entry, address: string, layout: EntryLayout): Account {
  const [displayName] = valuesOf(entry, layout.displayName);
  const recoveryAddress = valuesOf(entry, layout.recoveryAddress).find((value) => isAddress(value) && foldedAddress(value) !== foldedAddress(address));
  const language = languageIn(valuesOf(entry, layout.language)[0]);
  return {
    address, enabled: isEnabled(entry, layout), passwordChangedAt: parseGeneralizedTime(valuesOf(entry, 'pwdChangedTime')[0]),
    ...(displayName !== undefined && { displayName }), ...(recoveryAddress !== undefined && { recoveryAddress }), ...(language !== null && { language }),
    ...((layout.marks || mustChange(entry)) && { changeRequired: mustChange(entry) }),
  };
}

/** What can tell that a password is another one, the best first. */
export const VERSION_ATTRIBUTES = ['userPassword', 'pwdChangedTime', 'entryCSN'] as const;

/**
 * The stored hashes themselves where the service may read them; else the time of the last change, to the second; else the entry's
 * change number, which also moves when something else in the entry does.
 */
export function versionOfEntry(entry: Entry): string | null {
  const marks = VERSION_ATTRIBUTES.map((name) => valuesOf(entry, name)).find((values) => values.length > 0);
  return marks === undefined ? null : createHash('sha256').update([...marks].sort().join('\n')).digest('hex');
}
