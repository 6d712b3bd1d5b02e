import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { addCounts, type Channel, type ChannelCounts } from '../../module/channels.ts';
import { ModuleError } from '../../module/errors.ts';
import type { Session } from '../ports/sessionStore.ts';
import type { DoveadmClient } from './doveadmClient.ts';

/** EX_NOHOST: `kick` found nobody. */
const NOBODY = 68;
/** Clocks nearer than this are taken as equal: the header that tells Dovecot's counts seconds. */
const CLOCK_NOISE_MS = 2_000;
const CHANNEL_OF: Readonly<Record<string, Channel>> = {
  imap: 'imap', 'imap-hibernate': 'imap', pop3: 'pop3', submission: 'submission', sieve: 'managesieve', managesieve: 'managesieve',
};
const PROCESSES = ['imap', 'imap-hibernate', 'pop3', 'submission', 'managesieve'];

interface Connection {
  readonly service: string;
  readonly pid: string;
  readonly ip: string;
  /** Milliseconds on Dovecot's clock, rounded down to its second; null where the process serves several or is gone. */
  readonly startedAt: number | null;
}

export interface EndOptions {
  readonly username: string;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** How long a log-in that was under way at the flush may take to appear. */
  readonly secondPassMs: number;
}

export interface LateOptions extends EndOptions {
  /** On our clock: what began later lives on (I2). */
  readonly issuedBefore: number;
  /** What to do with connections that began between the change and the first flush while the cache may still have taken the old password. */
  readonly sessionsDuringOutage: 'keep' | 'end';
}

const channelOf = ({ service }: Pick<Connection, 'service'>): Channel => CHANNEL_OF[service] ?? 'other';
const count = (connections: readonly Pick<Connection, 'service'>[]): ChannelCounts =>
  connections.reduce<ChannelCounts>((sum, connection) => addCounts(sum, { [channelOf(connection)]: 1 }), {});

/** One Dovecot: what is asked of it and in which order. */
export class DovecotBackend {
  readonly #client: DoveadmClient;
  readonly #hasCache: boolean;

  constructor(client: DoveadmClient, hasCache = true) {
    this.#client = client;
    this.#hasCache = hasCache;
  }

  /** False where the operator says that there is no auth cache. */
  get hasCache(): boolean {
    return this.#hasCache;
  }

  /**
   * The first try: everybody is ended. The cache is flushed **before** the kick, else an ended program is back with the old password
   * at once; and both again a moment later, for a log-in that had its answer from the old password when the flush came. That moment is
   * counted from the flush, so what is done meanwhile costs nothing; and whether they are gone is asked once, at the end.
   */
  async endAll({ username, signal, secondPassMs }: EndOptions): Promise<ChannelCounts> {
    // Who is there is only counted: it need not wait for the flush.
    const listed = this.#who(username, signal);
    listed.catch(() => undefined);
    await this.#flush(username, signal);
    const flushedAt = performance.now();
    const found = new Map((await listed).map((connection) => [connection.pid, connection]));
    let kicked = await this.#kick([username], signal);
    if (secondPassMs > 0) {
      await wait(Math.max(0, flushedAt + secondPassMs - performance.now()), undefined, { signal }).catch(() => { throw new ModuleError('SESSIONS_UNAVAILABLE', { detail: 'time-out' }); });
      await this.#flush(username, signal);
      // Who was kicked may still be on the way out, and counts once.
      for (const connection of await this.#who(username, signal)) found.set(connection.pid, connection);
      kicked = (await this.#kick([username], signal)) || kicked;
    }
    if (kicked) await this.#gone(username, new Set(found.keys()), signal);
    return count([...found.values()]);
  }

  /** A later try: only what began before `issuedBefore`. */
  async endOld({ username, signal, log, issuedBefore, sessionsDuringOutage }: LateOptions): Promise<ChannelCounts> {
    const { cached, clockOffset } = await this.#flush(username, signal);
    const border = issuedBefore + (Math.abs(clockOffset) < CLOCK_NOISE_MS ? 0 : clockOffset);
    const connections = await this.#connections(username, signal);
    // A start is known to the second: one in the second of the change counts as old. Its program logs in again by itself.
    const isOld = ({ startedAt }: Connection): boolean => startedAt === null || startedAt < border;
    const unsure = connections.filter((connection) => !isOld(connection));
    if (cached && unsure.length > 0 && sessionsDuringOutage === 'end') return this.#endEverybody(username, signal);
    if (cached && unsure.length > 0) log.warn({ username, kept: unsure.length }, 'Dovecot could not be reached at the change: connections opened since then are kept; sessionsDuringOutage: end would end them');
    const old = connections.filter(isOld);
    if (old.length === 0) return {};
    if (unsure.length === 0) return this.#endEverybody(username, signal);
    // doveadm can end a user's connections by client address, not one by one.
    const addresses = new Set(old.map(({ ip }) => ip));
    const along = unsure.filter(({ ip }) => addresses.has(ip)).length;
    if (along > 0) log.warn({ username, along }, 'connections with the new password shared a client address with old ones and were ended too');
    for (const ip of addresses) await this.#kick([username, ip], signal);
    await this.#gone(username, new Set(old.map(({ pid }) => pid)), signal);
    return count(old);
  }

  async list(username: string, signal: AbortSignal): Promise<Session[]> {
    return (await this.#connections(username, signal)).map((connection) => ({
      id: createHash('sha256').update([connection.service, connection.pid, connection.ip, String(connection.startedAt)].join(' ')).digest('base64url'),
      channel: channelOf(connection), client: null, remoteAddress: connection.ip, issuedAt: connection.startedAt, lastSeenAt: null,
    }));
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#client.call('who', { separateConnections: true, mask: ['nobody@invalid'] }, signal);
  }

  /** Whether the auth cache held anything for this name, by forgetting it; and Dovecot's clock less ours, milliseconds. */
  async forget(username: string, signal: AbortSignal): Promise<{ cached: boolean; clockOffset: number }> {
    return this.#flush(username, signal);
  }

  /** Asks each command for a name that nobody has; a right that is missing rejects. */
  async tryCommand(command: 'who' | 'kick' | 'processStatus', username: string, signal: AbortSignal): Promise<void> {
    if (command === 'who') await this.#who(username, signal);
    else if (command === 'kick') await this.#kick([username], signal);
    else await this.#client.call('processStatus', { service: PROCESSES }, signal);
  }

  async #flush(username: string, signal: AbortSignal): Promise<{ cached: boolean; clockOffset: number }> {
    if (!this.#hasCache) return { cached: false, clockOffset: (await this.#client.call('who', { separateConnections: true, mask: [username] }, signal)).clockOffset };
    const { rows, exitCode, clockOffset } = await this.#client.call('authCacheFlush', { user: [username] }, signal);
    // Without auth_cache_size Dovecot answers 0 entries.
    if (exitCode !== 0) throw new ModuleError('SESSIONS_UNAVAILABLE', { detail: `auth cache flush: exit code ${String(exitCode)}` });
    return { cached: rows.some(({ entries }) => Number(entries) > 0), clockOffset };
  }

  async #endEverybody(username: string, signal: AbortSignal): Promise<ChannelCounts> {
    const connections = await this.#who(username, signal);
    // Kicked even where nobody is listed: somebody may have come in between.
    const kicked = await this.#kick([username], signal);
    if (kicked) await this.#gone(username, new Set(connections.map(({ pid }) => pid)), signal);
    return count(connections);
  }

  async #kick(mask: readonly string[], signal: AbortSignal): Promise<boolean> {
    const { exitCode } = await this.#client.call('kick', { mask }, signal);
    if (exitCode !== 0 && exitCode !== NOBODY) throw new ModuleError('SESSIONS_UNAVAILABLE', { detail: `kick: exit code ${String(exitCode)}` });
    return exitCode === 0;
  }

  /** A kick is a signal to a process: done is what is gone, not what was told to go. */
  async #gone(username: string, pids: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    for (;;) {
      if (!(await this.#who(username, signal)).some(({ pid }) => pids.has(pid))) return;
      await wait(50, undefined, { signal }).catch(() => { throw new ModuleError('SESSIONS_UNAVAILABLE', { detail: 'kicked and still there' }); });
    }
  }

  async #who(username: string, signal: AbortSignal): Promise<Omit<Connection, 'startedAt'>[]> {
    const { rows } = await this.#client.call('who', { separateConnections: true, mask: [username] }, signal);
    // The mask is a pattern: only this very name counts.
    return rows.filter((row) => row['username'] === username)
      .map(({ service = '', pid = '', ip = '' }) => ({ service, pid, ip }));
  }

  /** A mail process serves one connection, and last told the master of itself when that began (`doveadm process status`). */
  async #connections(username: string, signal: AbortSignal): Promise<Connection[]> {
    const who = await this.#who(username, signal);
    if (who.length === 0) return [];
    const { rows } = await this.#client.call('processStatus', { service: PROCESSES }, signal);
    // Where connections hibernate, one that woke up has a young process and may be old all the same.
    const hibernates = rows.some(({ name }) => name === 'imap-hibernate');
    const startOf = new Map(rows.map((row): [string, number | null] => {
      const seconds = Number(row['last_status_update']);
      const alone = row['available_count'] === '0' && row['total_count'] === '1' && !(hibernates && row['name']?.startsWith('imap') === true);
      return [row['pid'] ?? '', alone && seconds > 0 ? seconds * 1000 : null];
    }));
    return who.map((connection) => ({ ...connection, startedAt: startOf.get(connection.pid) ?? null }));
  }
}
