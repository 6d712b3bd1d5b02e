import { ModuleError } from '../../module/errors.ts';
import { isLocked } from '../hashing/storedHash.ts';
import type { Account } from '../ports/accountApi.ts';
import { linesOf, type PasswdLine, passwdLines } from './passwdLines.ts';

export interface MailboxLayout {
  /** Of everybody, in a file that holds only what stands before the @; undefined: it holds whole addresses. */
  readonly domain?: string | undefined;
  /** Extra fields with what notices need. */
  readonly recoveryAddressField?: string | undefined;
  readonly languageField?: string | undefined;
}

/** An address of RFC 5321 has at most 320 octets; a colon ends the name in the file, and a line that starts with # is a comment. */
const isPlausible = (address: string): boolean =>
  /^[^@].*@[^@]+$/u.test(address) && !address.startsWith('#') && Buffer.byteLength(address) <= 320 && !/[\p{Cc}\p{Cs}:]/u.test(address);

/** Extra fields with which the password field does not decide. */
const OVERRIDING = ['nopassword', 'password', 'password_noscheme'];

/** Whether the password field says who logs in. */
export const isDecisive = ({ password, extra }: PasswdLine): boolean => !isLocked(password) && !extra.some((field) => OVERRIDING.includes(field));
export const mayLogIn = (line: PasswdLine): boolean => isDecisive(line) && !line.extra.includes('nologin');

/** What an extra field says of the owner; nothing where it is not there, empty, or not UTF-8. */
function told<Name extends 'recoveryAddress' | 'language'>({ values }: PasswdLine, name: Name, fieldName: string | undefined): { readonly [Key in Name]?: string } {
  const value = fieldName === undefined ? '' : values.get(fieldName) ?? '';
  return value === '' || value.includes('\ufffd') ? {} : { [name]: value } as { readonly [Key in Name]?: string };
}

/** Which line is whose. */
export function mailboxLines({ domain, recoveryAddressField, languageField }: MailboxLayout) {
  /** How the file may spell a mailbox: as it is asked for, or in lower case, which is how Dovecot looks it up. */
  function spellings(address: string): readonly string[] {
    if (!isPlausible(address)) return [];
    const at = address.lastIndexOf('@');
    if (domain !== undefined && address.slice(at + 1).toLowerCase() !== domain.toLowerCase()) return [];
    const name = domain === undefined ? address : address.slice(0, at);
    return [...new Set([name, name.toLowerCase()])];
  }

  const toAccount = (line: PasswdLine): Account => ({
    address: domain === undefined ? line.user : `${line.user}@${domain}`, enabled: mayLogIn(line), passwordChangedAt: null,
    ...told(line, 'recoveryAddress', recoveryAddressField), ...told(line, 'language', languageField),
    ...(line.gecos !== '' && !line.gecos.includes('\ufffd') && { displayName: line.gecos }),
  });

  return {
    toAccount,
    /** Null where there is none; throws ACCOUNT_AMBIGUOUS where there are two. */
    lineOf(this: void, file: Buffer, address: string): PasswdLine | null {
      const [line, second] = spellings(address).flatMap((name) => linesOf(file, name));
      if (second !== undefined) throw new ModuleError('ACCOUNT_AMBIGUOUS', { detail: 'the passwd-file names it more than once' });
      return line ?? null;
    },
    /** Every mailbox that can be one. */
    *accounts(this: void, file: Buffer): Generator<Account> {
      for (const line of passwdLines(file)) {
        const account = toAccount(line);
        if (isPlausible(account.address)) yield account;
      }
    },
    /** Lower case, sorted; for whole addresses those that the file's names end with. */
    domains(this: void, file: Buffer): readonly string[] {
      const names = domain !== undefined ? [domain] : [...passwdLines(file)].map(({ user }) => user.slice(user.lastIndexOf('@') + 1 || user.length));
      return [...new Set(names.map((name) => name.toLowerCase()))].filter((name) => name !== '').sort();
    },
  };
}
