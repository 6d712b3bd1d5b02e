import { AndFilter, type Entry, type Filter, OrFilter, PresenceFilter, ResultCodeError, SubstringFilter } from 'ldapts';
import { ModuleError } from '../../module/errors.ts';
import { byAddress, pageOf } from '../accountPage.ts';
import { addressParts, foldedAddress, isAddress, isDomain } from '../addressForm.ts';
import type { Account, MailboxPage, MailboxQuery } from '../ports/accountApi.ts';
import { HeldNames, type ListedName } from './heldNames.ts';
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
/** Entries of a page that are read at a time. */
const READ_AT_ONCE = 10;
const present = (attribute: string): Filter => new PresenceFilter({ attribute });
const allOf = (filters: readonly (Filter | null)[]): Filter => new AndFilter({ filters: filters.filter((filter) => filter !== null) });
const speaksOfDomain = (template: string | undefined): boolean => template !== undefined && placeholdersOf(template).includes('domain');

/** Where mailboxes and domains stand in a directory. Every function takes a connection that may search. */
export class MailboxDirectory {
  readonly canListMailboxes: boolean;
  readonly canListDomains: boolean;
  readonly #options: LdapOptions;
  readonly #layout: EntryLayout;
  /** The attribute that an address is made of. */
  readonly #named: string;
  readonly #held = new HeldNames();

  constructor(options: LdapOptions, layout: EntryLayout) {
    this.#options = options;
    this.#layout = layout;
    this.#named = layout.address ?? layout.local ?? '';
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

  /**
   * Directories keep no order, so all names that fit are read (page by page, RFC 2696), sorted, and cut here; the rest is read for the entries of
   * the page alone. A first page always reads the names; those that follow are cut from what it read while that is held, else they read it anew.
   * A page is short where entries went away meanwhile.
   */
  async listMailboxes(connection: LdapConnection, query: MailboxQuery): Promise<MailboxPage> {
    const { domain, search, cursor } = query;
    if (!isDomain(domain)) return { mailboxes: [], nextCursor: null };
    const list = JSON.stringify([domain, search]);
    const held = cursor === null ? null : this.#held.of(list);
    const names = held ?? byAddress(await this.#names(connection, query));
    const { page, nextCursor } = pageOf(names, query);
    if (held === null && nextCursor !== null) this.#held.hold(list, names);
    const accounts: (Account | null)[] = [];
    for (let from = 0; from < page.length; from += READ_AT_ONCE) {
      accounts.push(...await Promise.all(page.slice(from, from + READ_AT_ONCE).map(({ address, dn }) => this.#accountAt(connection, dn, address, domain))));
    }
    return { mailboxes: accounts.filter((account) => account !== null), nextCursor };
  }

  /** Nothing of a list is held any longer. */
  close(): void {
    this.#held.dropAll();
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

  async #names(connection: LdapConnection, { domain, search }: MailboxQuery): Promise<readonly ListedName[]> {
    const { base = '', listFilter, scope = 'sub' } = this.#options;
    const { address, displayName } = this.#layout;
    const filter = allOf([
      listFilter === undefined ? null : fillFilter(listFilter, { domain }),
      address === null ? present(this.#named) : new SubstringFilter({ attribute: address, final: `@${domain}` }),
      search === '' ? null : new OrFilter({ filters: [this.#named, displayName].map((attribute) => new SubstringFilter({ attribute, any: [search] })) }),
    ]);
    const attributes = search === '' ? [this.#named] : [this.#named, displayName];
    const entries = await this.#search(connection, fillDn(base, { domain }), { scope, filter, attributes }, speaksOfDomain(base));
    return entries.flatMap((entry) => {
      const listed = this.#addressIn(entry, domain, foldedAddress(search));
      return listed === undefined ? [] : [{ address: listed, dn: entry.dn }];
    });
  }

  #addressIn(entry: Entry, domain: string, wanted: string): string | undefined {
    const named = valuesOf(entry, this.#layout.displayName).some((name) => foldedAddress(name).includes(wanted));
    return addressesOf(entry, this.#layout, domain).find((candidate) =>
      isAddress(candidate) && foldedAddress(candidate).endsWith(`@${foldedAddress(domain)}`) && (named || foldedAddress(candidate).includes(wanted)));
  }

  /** Null where the entry is gone, or has another address by now. */
  async #accountAt(connection: LdapConnection, dn: string, address: string, domain: string): Promise<Account | null> {
    const [entry] = await this.#search(connection, dn, { scope: 'base', filter: present(this.#named), attributes: attributesOf(this.#layout), sizeLimit: 1 }, true);
    return entry !== undefined && addressesOf(entry, this.#layout, domain).includes(address) ? toAccount(entry, address, this.#layout) : null;
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
