import { createHash } from 'node:crypto';
import type { Entry } from 'ldapts';
import type { Account } from '../ports/accountApi.ts';
import type { LdapOptions } from './ldapOptions.ts';

/** What the entry of a mailbox is read by. */
export interface EntryLayout {
  readonly address: string | null;
  readonly local: string | null;
  readonly displayName: string;
  readonly enabled: string | null;
  /** Lower case. */
  readonly enabledValues: readonly string[];
}

export const layoutOf = ({ attributes, enabledValues }: LdapOptions): EntryLayout => ({
  address: attributes?.local === undefined ? (attributes?.address ?? 'mail') : null,
  local: attributes?.local ?? null,
  displayName: attributes?.displayName ?? 'cn',
  enabled: attributes?.enabled ?? null,
  enabledValues: (enabledValues ?? ['TRUE', '1', 'yes', 'active']).map((value) => value.toLowerCase()),
});

/** Attributes asked for; the last two are OpenLDAP's and 389 Directory Server's names for what their policies know. */
export const attributesOf = ({ address, local, displayName, enabled }: EntryLayout): readonly string[] =>
  [address, local, displayName, enabled, 'pwdChangedTime', 'pwdAccountLockedTime'].filter((name) => name !== null);

/** All values of an attribute; names differ in case from server to server. */
export function valuesOf(entry: Entry, name: string | null): readonly string[] {
  const key = name === null ? undefined : Object.keys(entry).find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  const found = key === undefined ? [] : entry[key];
  return (Array.isArray(found) ? found : [found]).filter((value) => value !== undefined).map((value) => (Buffer.isBuffer(value) ? value.toString('base64') : value));
}

/**
 * One form of what people take for one address. A directory goes further (RFC 4518: full-width letters, characters without a width,
 * blanks) and finds an entry for names that are not its own; those must not pass for the mailbox.
 */
export const fold = (text: string): string => text.normalize('NFC').toLowerCase();

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

export function toAccount(entry: Entry, address: string, layout: EntryLayout): Account {
  const [displayName] = valuesOf(entry, layout.displayName);
  return {
    address, enabled: isEnabled(entry, layout), passwordChangedAt: parseGeneralizedTime(valuesOf(entry, 'pwdChangedTime')[0]),
    ...(displayName !== undefined && { displayName }),
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
