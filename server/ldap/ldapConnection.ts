import type { Socket } from 'node:net';
import { Attribute, Change, Client, type Entry, EqualityFilter, type Filter, ResultCodeError, type SearchOptions } from 'ldapts';
import { ModuleError } from '../../module/errors.ts';
import { Secret } from '../secret.ts';
import { AssertionControl } from './assertionControl.ts';
import { type LdapServer, LdapConnectFailure, openLdapSocket } from './ldapSocket.ts';
import { PASSWORD_MODIFY, type PasswordModifyRequest, passwordModifyValue } from './passwordModify.ts';
import { PasswordPolicyControl } from './passwordPolicyControl.ts';

/** What a server answered: its result code (RFC 4511, section 4.1.9) and what it said about the password's policy. */
export interface LdapAnswer {
  readonly code: number;
  readonly policy: PasswordPolicyControl;
}

export interface LdapSearch {
  readonly scope: 'base' | 'one' | 'sub';
  readonly filter: Filter;
  readonly attributes: readonly string[];
  /** Entries wanted at most; left out: all, asked for page by page (RFC 2696). */
  readonly sizeLimit?: number;
}

const PAGE_SIZE = 500;

/** One connection for one operation. It is never opened again by itself: it would come back unencrypted and as nobody. */
export class LdapConnection {
  /** A write was sent and its answer has not come. */
  outcomeOpen = false;
  readonly #client: Client;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    let taken = false;
    this.#client = new Client({
      url: 'ldap://connected', createConnection: () => {
        if (taken) throw new LdapConnectFailure('away', 'the connection was lost');
        taken = true;
        return socket;
      },
    });
  }

  /** Simple bind. An empty password would be an "unauthenticated bind", which succeeds for anybody (RFC 4513, section 5.1.2). */
  async bind(dn: string, password: Secret): Promise<LdapAnswer> {
    if (dn === '' || password.reveal() === '') throw new Error('a bind takes a name and a password');
    const policy = new PasswordPolicyControl();
    return { policy, code: await this.#resultOf(() => this.#client.bind(dn, password.reveal(), policy)) };
  }

  /** Rejects with ldapts' `ResultCodeError` where the server refuses. References to other servers are left out: they are not followed. */
  async search(base: string, { scope, filter, attributes, sizeLimit }: LdapSearch): Promise<readonly Entry[]> {
    this.#mustBeOpen();
    const options: SearchOptions = {
      scope, filter, attributes: [...attributes], derefAliases: 'never', explicitBufferAttributes: ['userPassword'],
      ...(sizeLimit === undefined ? { paged: { pageSize: PAGE_SIZE } } : { sizeLimit }),
    };
    return (await this.#client.search(base, options)).searchEntries;
  }

  async modifyPassword(request: PasswordModifyRequest): Promise<LdapAnswer> {
    const policy = new PasswordPolicyControl();
    const value = passwordModifyValue(request);
    this.#mustBeOpen();
    this.outcomeOpen = true;
    const code = await this.#resultOf(() => this.#client.exop(PASSWORD_MODIFY, value, policy));
    this.outcomeOpen = false;
    return { code, policy };
  }

  /** Replaces all values of one attribute; none: takes it away. Resolves with the result code. */
  async replace(dn: string, attribute: string, values: readonly string[]): Promise<number> {
    const change = new Change({ operation: 'replace', modification: new Attribute({ type: attribute, values: [...values] }) });
    this.outcomeOpen = true;
    const code = await this.#resultOf(() => this.#client.modify(dn, [change]));
    this.outcomeOpen = false;
    return code;
  }

  /**
   * Changes nothing of an entry but its change number, and only while that is still the one that was read (RFC 4528): of several who read
   * the same, one gets 0 and the others 122. A password itself cannot be changed so: OpenLDAP takes no assertion with RFC 3062 (12), nor a
   * transaction (RFC 5805), tried with 2.5.
   */
  async claim(dn: string, entryCsn: string): Promise<number> {
    return this.#resultOf(() => this.#client.modify(dn, [], new AssertionControl(new EqualityFilter({ attribute: 'entryCSN', value: entryCsn }))));
  }

  close(): void {
    this.#client.unbind().catch(() => undefined);
    this.#socket.destroySoon();
  }

  #mustBeOpen(): void {
    if (this.#socket.destroyed) throw new LdapConnectFailure('away', 'the connection was lost');
  }

  async #resultOf(send: () => Promise<unknown>): Promise<number> {
    this.#mustBeOpen();
    try {
      await send();
      return 0;
    } catch (error) {
      if (error instanceof ResultCodeError) return error.code;
      throw error;
    }
  }
}

/**
 * Opens a connection, runs `work`, closes it. Rejects at once where the signal fires, with `ACCOUNTS_OUTCOME_UNKNOWN` where a
 * write was sent by then. Everything that is no {@link ModuleError} becomes one.
 */
export async function withLdap<T>(server: LdapServer, signal: AbortSignal, work: (connection: LdapConnection) => Promise<T>): Promise<T> {
  if (signal.aborted) throw new ModuleError('ACCOUNTS_UNAVAILABLE');
  let connection: LdapConnection | undefined;
  let socket: Socket | undefined;
  const onAbort = (): void => { socket?.destroy(); };
  try {
    socket = await openLdapSocket(server, signal);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) throw new LdapConnectFailure('away', 'no time left');
    connection = new LdapConnection(socket);
    return await work(connection);
  } catch (error) {
    if (error instanceof ModuleError) throw error;
    if (connection?.outcomeOpen === true) throw new ModuleError('ACCOUNTS_OUTCOME_UNKNOWN', { detail: 'the directory did not answer the change' });
    if (error instanceof ResultCodeError) throw refused(error.code);
    if (error instanceof LdapConnectFailure && error.reason === 'trust') throw new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: `the directory is not trusted: ${error.message}` });
    throw new ModuleError('ACCOUNTS_UNAVAILABLE', { detail: `the directory did not answer: ${error instanceof LdapConnectFailure ? error.message : signal.aborted ? 'no time left' : 'the connection was lost'}` });
  } finally {
    signal.removeEventListener('abort', onAbort);
    connection?.close();
  }
}

/** Busy, unavailable, or an error of its own: later perhaps. Everything else will be refused again. */
const PASSING = new Set([1, 3, 11, 51, 52, 80]);
const REFERRAL = 10;

/** A refusal of what should have been allowed, by the result code. The server's own words may hold names and stay out. */
export function refused(code: number): ModuleError {
  if (code === REFERRAL) return new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: 'the directory refers to another server, which is not followed' });
  return new ModuleError(PASSING.has(code) ? 'ACCOUNTS_UNAVAILABLE' : 'ACCOUNTS_MISCONFIGURED', { detail: `the directory refused it (result code ${String(code)})` });
}
