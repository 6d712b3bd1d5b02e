import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ModuleError } from '../../../module/errors.ts';
import { foldedAddress } from '../../addressForm.ts';
import { oneAtATime } from '../../oneAtATime.ts';
import { type LdapConnection, refused, withLdap } from '../../ldap/ldapConnection.ts';
import { isEnabled, layoutOf, toAccount, VERSION_ATTRIBUTES, versionOfEntry } from '../../ldap/ldapEntry.ts';
import { ldapOptions, parseLdapUrl } from '../../ldap/ldapOptions.ts';
import type { LdapServer } from '../../ldap/ldapSocket.ts';
import { type FoundMailbox, MailboxDirectory } from '../../ldap/mailboxDirectory.ts';
import { changeRefused, letIn } from '../../ldap/refusal.ts';
import { ServiceWrites } from '../../ldap/serviceWrites.ts';
import { inTheClear, reasonOf, tlsFinding } from '../../diagnosis/findings.ts';
import { fail, ok, warn } from '../../ports/diagnosis.ts';
import type { AccountApi, CallOptions, ChangeReceipt } from '../../ports/accountApi.ts';
import { firstMomentAfter } from '../../ports/clock.ts';
import { Secret } from '../../secret.ts';
import { defineAccountDriver } from '../defineDriver.ts';

/** invalidCredentials, noSuchAttribute, unwillingToPerform ("unwilling to verify old password", OpenLDAP). */
const OLD_PASSWORD = new Set([49, 16, 53]);

/** Half a surrogate pair is no UTF-8 and would be sent as another character; a NUL ends a password in some directories. */
const isSendable = (password: string): boolean => password !== '' && !/[\p{Cs}\0]/u.test(password);

function readCertificates(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: `caFile ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})` });
  }
}

/** Mailboxes in an LDAP directory that changes passwords by RFC 3062 (OpenLDAP, 389 Directory Server and others). */
export default defineAccountDriver({
  name: 'ldap',
  summary: 'Mailboxes in an LDAP directory, by its password modify operation (RFC 3062) over TLS.',
  options: ldapOptions,
  async create(given, { clock }): Promise<AccountApi> {
    const url = parseLdapUrl(given.url);
    if (url === null) throw new ModuleError('ACCOUNTS_MISCONFIGURED');
    const encryption = url.protocol === 'ldaps:' ? 'tls' : given.startTls === true ? 'starttls' : 'none';
    const server: LdapServer = {
      encryption, host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || (encryption === 'tls' ? 636 : 389)),
      ca: readCertificates(given.caFile), connectTimeoutMs: given.connectTimeoutMs ?? 3000,
    };
    const service = given.bindDn === undefined ? null : { dn: given.bindDn, password: new Secret(given.bindPassword ?? '') };
    const maySet = service !== null && given.allowSet !== false;
    const marks = maySet && given.requireChange === true;
    const layout = layoutOf(given);
    const directory = new MailboxDirectory(given, layout);
    const writes = new ServiceWrites(directory, marks);
    const turns = oneAtATime();
    const maxPasswordBytes = given.maxPasswordBytes ?? null;

    /** A connection that may search. */
    const asService = <T>({ signal }: CallOptions, work: (connection: LdapConnection) => Promise<T>): Promise<T> => withLdap(server, signal, async (connection) => {
      if (service !== null) {
        const { code } = await connection.bind(service.dn, service.password);
        if (code === 49) throw new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: 'the directory refuses bindDn and bindPassword' });
        if (code !== 0) throw refused(code);
      }
      return work(connection);
    });

    /**
     * A directory checks the old password and then writes, in two steps, and between them another change can do the same. Within this
     * process the changes of a mailbox are made one after the other.
     */
    const inTurn = (address: string, call: CallOptions, work: (connection: LdapConnection) => Promise<ChangeReceipt>): Promise<ChangeReceipt> => new Promise((resolve, reject) => {
      let begun = false;
      const onAbort = (): void => { if (!begun) reject(new ModuleError('ACCOUNTS_UNAVAILABLE', { detail: 'its turn did not come in time' })); };
      call.signal.addEventListener('abort', onAbort, { once: true });
      turns(foldedAddress(address), () => {
        begun = true;
        return asService(call, work);
      }).then(resolve, reject).finally(() => { call.signal.removeEventListener('abort', onAbort); });
    });

    /** A log-in that lets nobody in, and takes as long as one that was refused (I7). */
    async function decoy(connection: LdapConnection, password: string): Promise<void> {
      const random = randomBytes(16).toString('hex');
      letIn(await connection.bind(given.decoyDn ?? directory.nobody(random), new Secret(isSendable(password) ? password : random)));
    }

    /** Leaves the connection bound as the owner; null where the password is not the mailbox's, or nobody may log in with it. */
    async function logIn(connection: LdapConnection, address: string, password: Secret): Promise<FoundMailbox | null> {
      const found = await directory.find(connection, address);
      const typed = password.reveal();
      if (found === null || !isEnabled(found.entry, layout) || !isSendable(typed)) {
        await decoy(connection, typed);
        return null;
      }
      const answer = await connection.bind(found.entry.dn, password);
      if (letIn(answer)) return found;
      // A locked entry is refused before its password is looked at, which is faster.
      if (answer.policy.error === 'accountLocked') await decoy(connection, typed);
      return null;
    }

    function mustBeTakeable(password: string): void {
      if (maxPasswordBytes !== null && Buffer.byteLength(password) > maxPasswordBytes) throw new ModuleError('PASSWORD_TOO_LONG_FOR_SCHEME', { params: { max: maxPasswordBytes } });
      if (!isSendable(password)) throw new ModuleError('PASSWORD_REJECTED_BY_SERVER', { detail: 'it cannot be sent to a directory' });
    }

    return {
      tls: encryption === 'none' ? [] : [{ host: server.host, port: server.port, ...(encryption === 'starttls' && { before: 'ldap' as const }) }],
      abilities: {
        verifyPassword: true, changePassword: true, setPassword: maySet, requireChange: marks, listDomains: directory.canListDomains, listMailboxes: directory.canListMailboxes, maxPasswordBytes,
      },
      find: (address, call) => asService(call, async (connection) => {
        const found = await directory.find(connection, address);
        return found === null ? null : toAccount(found.entry, found.address, layout);
      }),
      verifyPassword: (address, password, call) => asService(call, async (connection) => (await logIn(connection, address, password)) !== null),
      changePassword: (address, current, next, call) => inTurn(address, call, async (connection) => {
        mustBeTakeable(next.reveal());
        const found = await logIn(connection, address, current);
        if (found === null) throw new ModuleError('CURRENT_PASSWORD_WRONG');
        const answer = await connection.modifyPassword({ dn: null, current, next });
        if (answer.code === 0) return { changedAt: firstMomentAfter(clock) };
        // One code for "the old password is not right" and for "not allowed": whether it still logs in tells.
        if (OLD_PASSWORD.has(answer.code) && answer.policy.error === null && !letIn(await connection.bind(found.entry.dn, current))) throw new ModuleError('ACCOUNT_CHANGED_MEANWHILE');
        throw changeRefused(answer, true);
      }),
      setPassword: (address, next, call) => (maySet ? inTurn(address, call, async (connection) => {
        mustBeTakeable(next.reveal());
        await writes.setPassword(connection, address, next, call);
        return { changedAt: firstMomentAfter(clock) };
      }) : Promise.reject(new ModuleError('OPERATION_NOT_SUPPORTED'))),
      async requireChange(address, required, call) {
        if (!marks) throw new ModuleError('OPERATION_NOT_SUPPORTED');
        await inTurn(address, call, async (connection) => {
          await writes.requireChange(connection, address, required);
          return { changedAt: null };
        });
      },
      passwordVersion: (address, call) => asService(call, async (connection) => {
        const found = await directory.find(connection, address, VERSION_ATTRIBUTES);
        return found === null ? null : versionOfEntry(found.entry);
      }),
      listDomains(search, call) {
        if (!directory.canListDomains) return Promise.reject(new ModuleError('OPERATION_NOT_SUPPORTED'));
        return asService(call, (connection) => directory.listDomains(connection, search));
      },
      listMailboxes(query, call) {
        if (!directory.canListMailboxes) return Promise.reject(new ModuleError('OPERATION_NOT_SUPPORTED'));
        return asService(call, (connection) => directory.listMailboxes(connection, query));
      },
      check: (call) => asService(call, (connection) => directory.check(connection)),
      async diagnose(call) {
        const { host, port, ca } = server;
        const secured = encryption === 'none' ? inTheClear(host) : await tlsFinding({ host, port, ca, ...(encryption === 'starttls' && { before: 'ldap' }) }, call.signal);
        return [secured, await asService(call, (connection) => directory.check(connection)).then(
          () => ok('log-in', `${host} takes ${given.bindDn ?? 'an anonymous search'}, and finds base`),
          (error: unknown) => fail('log-in', `${host}: ${reasonOf(error)}`, 'check url, bindDn, bindPassword and base, and that bindDn may search there'),
        ), maySet ? ok('set', 'administrators set passwords as bindDn; whether the directory lets it is seen by --write-test') : warn('set', 'administrators cannot set passwords', 'give bindDn and bindPassword of an entry that may, or leave it so')];
      },
      close() {
        directory.close();
        return Promise.resolve();
      },
    };
  },
});
