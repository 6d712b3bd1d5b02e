import { hash, verify } from '@node-rs/argon2';
import type { HostAdministrator } from '../ports/hostIdentity.ts';
import type { Secret } from '../secret.ts';
import { digest } from './tokens.ts';

export interface Administrator {
  readonly name: string;
  /** Lower-case domains, or null for all. */
  readonly domains: readonly string[] | null;
  /** Differs after every change of the password. */
  readonly credential: string;
}

/** The credential of who came in by the log-in of the host: no hash of a password can be the same. */
export const HOST_CREDENTIAL = 'host';

/** An administrator of the host. A colon stands in no configured name, so that the two can never be taken for each other. */
export const hostAdministrator = ({ name, domains }: HostAdministrator): Administrator =>
  ({ name: `host:${name.toLowerCase()}`.slice(0, 320), domains: domains === null ? null : domains.map((domain) => domain.toLowerCase()), credential: HOST_CREDENTIAL });

export interface Administrators {
  /** Null for a wrong password and for an unknown name, after the same work. */
  verify(name: string, password: Secret): Promise<Administrator | null>;
  /** As the configuration has it now. */
  find(name: string): Administrator | null;
  readonly any: boolean;
}

export interface AdministratorEntry {
  readonly name: string;
  readonly passwordHash: string;
  readonly domains: readonly string[];
}

/** OWASP Password Storage Cheat Sheet: Argon2id, 19 MiB, two passes, one lane. */
const ARGON2ID = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** What stands in the configuration for an administrator's password; for the command line. */
export const hashAdministratorPassword = (password: string): Promise<string> => hash(password.normalize('NFC'), ARGON2ID);

/** The last `@` parts an address (RFC 5321 allows it quoted in the local part); a dot at the end means the same domain. */
export const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1).toLowerCase().replace(/\.+$/, '');

export const mayReach = ({ domains }: Pick<Administrator, 'domains'>, domain: string): boolean => domains === null || domains.includes(domain.toLowerCase());

export async function createAdministrators(entries: readonly AdministratorEntry[]): Promise<Administrators> {
  const nobody = await hashAdministratorPassword('nobody');
  const byName = new Map(entries.map(({ name, passwordHash, domains }): [string, { passwordHash: string; administrator: Administrator }] => [name.toLowerCase(), {
    passwordHash,
    administrator: { name: name.toLowerCase(), domains: domains.includes('*') ? null : domains.map((domain) => domain.toLowerCase()), credential: digest(passwordHash) },
  }]));
  return {
    async verify(name, password) {
      const found = byName.get(name.toLowerCase());
      const right = await verify(found?.passwordHash ?? nobody, password.reveal().normalize('NFC')).catch(() => false);
      return right && found !== undefined ? found.administrator : null;
    },
    find: (name) => byName.get(name.toLowerCase())?.administrator ?? null,
    any: byName.size > 0,
  };
}
