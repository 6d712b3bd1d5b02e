import { AndFilter, type Entry, type Filter, OrFilter, PresenceFilter, ResultCodeError, SubstringFilter } from 'ldapts';
import { ModuleError } from '../../module/errors.ts';
import { accountPage } from '../accountPage.ts';
import { addressParts, foldedAddress, isAddress, isDomain } from '../addressForm.ts';
import type { Account, MailboxPage, MailboxQuery } from '../ports/accountApi.ts';
import { type LdapConnection, type LdapSearch, refused } from './ldapConnection.ts';
import { addressesOf, attributesOf, type EntryLayout, toAccount, valuesOf } from './ldapEntry.ts';
import type { LdapOptions } from './ldapOptions.ts';
import { fillDn, fillFilter, placeholdersOf } from './ldapTemplate.ts';
import { PASSWORD_MODIFY } from './passwordModify.ts';

/** A mailbox's entry, and its address as the directory spells it. */
export interface FoundMailbox {
  readonly entry: Entry;
  readonly address: string;
}

const NO_SUCH_OBJECT = 32;
const INVALID_DN = 34;
const present = (attribute: string): Filter => new PresenceFilter({ attribute });
const allOf = (filters: readonly (Filter | null)[]): Filter => new AndFilter({ filters: filters.filter((filter) => filter !== null) });
const speaksOfDomain = (template: string | undefined): boolean => template !== undefined && placeholdersOf(template).includes('domain');

/** Where mailboxes and domains stand in a directory. Every function takes a connection that may search. */
export class MailboxDirectory {
  readonly canListMailboxes: boolean;
  readonly canListDomains: boolean;
  readonly #options: LdapOptions;
  readonly #layout: EntryLayout;

  constructor(options: LdapOptions, layout: EntryLayout) {
    this.#options = options;
    this.#layout = layout;
    const everywhere = options.base !== undefined && !speaksOfDomain(options.base);
    this.canListMailboxes = options.base !== undefined && (layout.address !== null || speaksOfDomain(options.base) || speaksOfDomain(options.listFilter));
    this.canListDomains = options.listDomains !== undefined || (everywhere && layout.address !== null);
  }

  /** Null where there is none; `ACCOUNT_AMBIGUOUS` where there are two. */
  async find(connection: LdapConnection, address: string, more: readonly string[] = []): Promise<FoundMailbox | null> {
    if (!isAddress(address)) return null;
    const parts = addressParts(address);
    const { dn, base = '', filter } = this.#options;
    const attributes = [...attributesOf(this.#layout), ...more];
    const entries = filter === undefined
      ? await this.#search(connection, fillDn(dn ?? '', parts), { scope: 'base', filter: present('objectClass'), attributes, sizeLimit: 2 }, true)
      : await this.#search(connection, fillDn(base, parts), { scope: this.#options.scope ?? 'sub', filter: fillFilter(filter, parts), attributes, sizeLimit: 2 }, speaksOfDomain(base));
    const [entry, second] = entries;
    if (entry === undefined) return null;
    if (second !== undefined) throw new ModuleError('ACCOUNT_AMBIGUOUS', { detail: 'the directory has two entries for it' });
    // A directory goes further than we do (RFC 4518: full-width letters, characters without a width, blanks) and finds an entry for names that
    // are not its own; those must not pass for the mailbox.
    const spelled = addressesOf(entry, this.#layout, parts.domain).find((candidate) => foldedAddress(candidate) === foldedAddress(address));
    return spelled === undefined ? null : { entry, address: spelled };
  }

  /** A DN that is nobody's, below where mailboxes stand. */
  nobody(random: string): string {
    const { base, dn } = this.#options;
    return dn === undefined ? `cn=${random},${fillDn(base ?? '', { domain: 'invalid' })}` : fillDn(dn, { address: random, local: random, domain: 'invalid' });
  }

  async listDomains(connection: LdapConnection, search: string): Promise<readonly string[]> {
    const { listDomains: domains, base = '' } = this.#options;
    const wanted = foldedAddress(search);
    const attribute = domains?.attribute ?? this.#layout.address ?? '';
    const filter = domains?.filter === undefined ? present(attribute) : allOf([fillFilter(domains.filter, {}), present(attribute)]);
    const entries = await this.#search(connection, domains?.base ?? base, { scope: this.#options.scope ?? 'sub', filter, attributes: [attribute] }, false);
    const names = entries.flatMap((entry) => valuesOf(entry, attribute)).map((value) => (domains === undefined ? value.slice(value.lastIndexOf('@') + 1) : value).toLowerCase());
    return [...new Set(names)].filter((name) => isDomain(name) && foldedAddress(name).includes(wanted)).sort();
  }

  /** Directories keep no order, so all that fits is read (page by page, RFC 2696), sorted, and cut here. */
  async listMailboxes(connection: LdapConnection, { domain, search, cursor, limit }: MailboxQuery): Promise<MailboxPage> {
    if (!isDomain(domain)) return { mailboxes: [], nextCursor: null };
    const { base = '', listFilter, scope = 'sub' } = this.#options;
    const { address, local, displayName } = this.#layout;
    const named = address ?? local ?? '';
    const filter = allOf([
      listFilter === undefined ? null : fillFilter(listFilter, { domain }),
      address === null ? present(named) : new SubstringFilter({ attribute: address, final: `@${domain}` }),
      search === '' ? null : new OrFilter({ filters: [named, displayName].map((attribute) => new SubstringFilter({ attribute, any: [search] })) }),
    ]);
    const entries = await this.#search(connection, fillDn(base, { domain }), { scope, filter, attributes: attributesOf(this.#layout) }, speaksOfDomain(base));
    const fitting = entries.map((entry) => this.#listed(entry, domain, foldedAddress(search))).filter((account) => account !== null);
    return accountPage(fitting, { cursor, limit });
  }

  /** That what the configuration speaks of is there, and that the server changes passwords by RFC 3062, where it tells. */
  async check(connection: LdapConnection): Promise<void> {
    const { base, listDomains: domains } = this.#options;
    for (const place of [speaksOfDomain(base) ? undefined : base, domains?.base].filter((name) => name !== undefined)) {
      const found = await this.#search(connection, place, { scope: 'base', filter: present('objectClass'), attributes: ['1.1'], sizeLimit: 1 }, true);
      if (found.length === 0) throw new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: `the directory has no ${place}, or the service may not read it` });
    }
    const [root] = await this.#search(connection, '', { scope: 'base', filter: present('objectClass'), attributes: ['supportedExtension'], sizeLimit: 1 }, true);
    const extensions = root === undefined ? [] : valuesOf(root, 'supportedExtension');
    if (extensions.length > 0 && !extensions.includes(PASSWORD_MODIFY)) throw new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: 'the directory does not change passwords by RFC 3062' });
  }

  #listed(entry: Entry, domain: string, wanted: string): Account | null {
    const named = valuesOf(entry, this.#layout.displayName).some((name) => foldedAddress(name).includes(wanted));
    const address = addressesOf(entry, this.#layout, domain).find((candidate) =>
      isAddress(candidate) && foldedAddress(candidate).endsWith(`@${foldedAddress(domain)}`) && (named || foldedAddress(candidate).includes(wanted)));
    return address === undefined ? null : toAccount(entry, address, this.#layout);
  }

  /** `mayBeAbsent`: a base that is not there holds nobody; else it is a configuration that does not fit. */
  async #search(connection: LdapConnection, base: string, search: LdapSearch, mayBeAbsent: boolean): Promise<readonly Entry[]> {
    try {
      return await connection.search(base, search);
    } catch (error) {
      if (!(error instanceof ResultCodeError)) throw error;
      if (mayBeAbsent && (error.code === NO_SUCH_OBJECT || error.code === INVALID_DN)) return [];
      if (error.code === 4) throw new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: 'the directory gives the service only part of the list (size limit)' });
      throw refused(error.code);
    }
  }
}
