import { randomBytes } from 'node:crypto';
import { ModuleError } from '../../module/errors.ts';
import type { DoveadmClient } from './doveadmClient.ts';

/** RFC 2606: nobody's, for ever; another one in each process, so that no cache knows it from the last time. */
export const NOBODY = `nobody-${randomBytes(6).toString('hex')}@mailbox-password.invalid`;

/** What Dovecot counts for us: lookups of a password that its auth cache had a part in, and all of them. */
const METRICS = {
  cached: { name: 'mailbox_password_cached', filter: 'event=auth_passdb_request_finished AND cache=*' },
  all: { name: 'mailbox_password_lookups', filter: 'event=auth_passdb_request_finished' },
} as const;

interface Counts { readonly cached: number; readonly all: number }

/** Whether the command was sent and Dovecot broke off, as 2.4.1 does at a flush over HTTP. */
const brokeOff = (error: unknown): boolean => error instanceof ModuleError && error.detail?.includes('ECONNRESET') === true;

/**
 * The auth cache of one Dovecot of which the operator says that it has none (`authCache: none`). His word alone must not make a log-out
 * "done" (I3). Where the cache can be flushed it is flushed all the same, which costs nothing. Where it cannot, Dovecot's own statistics
 * are looked at: a lookup that the cache had a part in says that there is one.
 */
export class UntoldAuthCache {
  readonly #client: DoveadmClient;
  #flushes: boolean | null = null;
  #before: Counts = { cached: 0, all: 0 };
  #on: boolean | null = null;

  constructor(client: DoveadmClient) {
    this.#client = client;
  }

  /** Tried once: where it does not work, doveadm writes a failed assertion to its log each time. */
  async canBeFlushed(signal: AbortSignal): Promise<boolean> {
    this.#flushes ??= await this.#client.call('authCacheFlush', { user: [NOBODY] }, signal).then(() => true, async (error: unknown) => {
      // Not there at all is another matter.
      if (brokeOff(error) && await this.#client.call('who', { separateConnections: true, mask: [NOBODY] }, signal).then(() => true, () => false)) return false;
      throw error;
    });
    return this.#flushes;
  }

  /** Something went wrong: it may be another version by now. */
  doubt(): void {
    this.#flushes = null;
  }

  /** Whether it is on; null while nobody has logged in since Dovecot began to count for us, or where it does not count. */
  async isOn(signal: AbortSignal): Promise<boolean | null> {
    const now = await this.#counts(signal).catch(() => null);
    if (now === null) return this.#on;
    // Dovecot was restarted: it counts from nothing.
    const before = now.all < this.#before.all ? { cached: 0, all: 0 } : this.#before;
    if (now.cached > before.cached) this.#on = true;
    else if (now.all > before.all) this.#on = false;
    this.#before = now;
    return this.#on;
  }

  /** Throws SESSIONS_MISCONFIGURED where it is on. */
  async mustBeOff(signal: AbortSignal): Promise<void> {
    if (await this.isOn(signal) === true) throw new ModuleError('SESSIONS_MISCONFIGURED', { detail: 'the auth cache of this Dovecot is on (authCache says none) and cannot be flushed: an old password may still be let in' });
  }

  async #counts(signal: AbortSignal): Promise<Counts> {
    const { rows } = await this.#client.call('statsDump', { fields: 'count' }, signal);
    const of = ({ name }: { name: string }): number | null => {
      const row = rows.find((one) => one['metric_name'] === name);
      return row === undefined ? null : Number(row['count']);
    };
    for (const { name, filter } of Object.values(METRICS)) {
      if (of({ name }) === null) await this.#client.call('statsAdd', { name, filter, fields: 'duration' }, signal);
    }
    return { cached: of(METRICS.cached) ?? 0, all: of(METRICS.all) ?? 0 };
  }
}
