import { ModuleError } from '../../module/errors.ts';
import type { SetOptions } from '../ports/accountApi.ts';
import type { Secret } from '../secret.ts';
import { ASSERTION_FAILED } from './assertionControl.ts';
import { type LdapConnection, refused } from './ldapConnection.ts';
import { MUST_CHANGE, mustChange, valuesOf, VERSION_ATTRIBUTES, versionOfEntry } from './ldapEntry.ts';
import type { FoundMailbox, MailboxDirectory } from './mailboxDirectory.ts';
import { changeRefused } from './refusal.ts';

/** What the service's own entry writes: a password for an administrator, and the mark that asks for a new one. */
export class ServiceWrites {
  readonly #directory: MailboxDirectory;
  readonly #marks: boolean;

  /** `marks`: whether the mark is ours to set. */
  constructor(directory: MailboxDirectory, marks: boolean) {
    this.#directory = directory;
    this.#marks = marks;
  }

  async setPassword(connection: LdapConnection, address: string, next: Secret, { expectedVersion = null, requireChange = false }: Omit<SetOptions, 'signal'>): Promise<void> {
    if (requireChange && !this.#marks) throw new ModuleError('OPERATION_NOT_SUPPORTED');
    const found = await this.#find(connection, address);
    const { dn } = found.entry;
    if (expectedVersion !== null) await this.#mustBe(connection, found, expectedVersion);
    const marked = mustChange(found.entry);
    // First, because it may be refused: then nothing was changed.
    if (requireChange && !marked) await this.#mark(connection, dn, true);
    const answer = await connection.modifyPassword({ dn, current: null, next });
    if (answer.code !== 0) {
      if (requireChange && !marked) await this.#mark(connection, dn, false);
      throw changeRefused(answer, false);
    }
    if (!this.#marks) return;
    // With pwdMustChange the directory marks whatever the service sets.
    if (mustChange((await this.#find(connection, address)).entry) !== requireChange) await this.#mark(connection, dn, requireChange);
  }

  async requireChange(connection: LdapConnection, address: string, required: boolean): Promise<void> {
    const { entry } = await this.#find(connection, address);
    if (mustChange(entry) !== required) await this.#mark(connection, entry.dn, required);
  }

  async #find(connection: LdapConnection, address: string): Promise<FoundMailbox> {
    const found = await this.#directory.find(connection, address, VERSION_ATTRIBUTES);
    if (found === null) throw new ModuleError('ACCOUNT_NOT_FOUND');
    return found;
  }

  async #mustBe(connection: LdapConnection, { entry }: FoundMailbox, expectedVersion: string): Promise<void> {
    const [entryCsn] = valuesOf(entry, 'entryCSN');
    // Where the directory knows no assertion, what was read a moment ago has to do.
    if (versionOfEntry(entry) !== expectedVersion || (entryCsn !== undefined && (await connection.claim(entry.dn, entryCsn)) === ASSERTION_FAILED)) throw new ModuleError('ACCOUNT_CHANGED_MEANWHILE');
  }

  async #mark(connection: LdapConnection, dn: string, required: boolean): Promise<void> {
    const code = await connection.replace(dn, MUST_CHANGE, required ? ['TRUE'] : []);
    if (code !== 0) throw new ModuleError(refused(code).code, { detail: `the directory does not let bindDn write ${MUST_CHANGE} (result code ${String(code)})` });
  }
}
