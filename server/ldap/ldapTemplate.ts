import { Filter, FilterParser } from 'ldapts';

/** The parts of a mailbox's address that a template can speak of. */
export interface AddressParts {
  readonly address: string;
  readonly local: string;
  readonly domain: string;
}

const PLACEHOLDER = /\{([a-zA-Z]*)\}/g;

/** The names between braces, in the order in which they stand. */
export const placeholdersOf = (template: string): readonly string[] => [...template.matchAll(PLACEHOLDER)].map(([, name = '']) => name);

const fill = (template: string, parts: Partial<AddressParts>, escape: (value: string) => string): string =>
  template.replace(PLACEHOLDER, (_whole, name: keyof AddressParts) => escape(parts[name] ?? ''));

/** A value in a DN, as RFC 4514 section 2.4 has it: special characters, and blanks or # where they would be lost, as `\hh`. */
export const escapeDnValue = (value: string): string => value
  .replace(/["+,;<>=\\\0]/g, (char) => `\\${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
  .replace(/^[ #]| $/g, (char) => `\\${char.charCodeAt(0).toString(16)}`);

/** A value in a filter, as RFC 4515 section 3 has it. */
export const escapeFilterValue = (value: string): string => Filter.escape(value);

/** A DN from its template: `uid={local},ou=people,dc=example,dc=com`. */
export const fillDn = (template: string, parts: Partial<AddressParts>): string => fill(template, parts, escapeDnValue);

/** A filter from its template: `(&(objectClass=mailUser)(mail={address}))`. */
export const fillFilter = (template: string, parts: Partial<AddressParts>): Filter => FilterParser.parseString(fill(template, parts, escapeFilterValue));
