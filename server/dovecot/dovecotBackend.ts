import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { addCounts, type Channel, type ChannelCounts } from '../../module/channels.ts';
import { ModuleError } from '../../module/errors.ts';
import type { Session } from '../ports/sessionStore.ts';
import { UntoldAuthCache } from './authCache.ts';
import type { DoveadmAnswer, DoveadmClient } from './doveadmClient.ts';
import { patience } from './patience.ts';

/** EX_NOHOST: `kick` found nobody. */
const NOBODY = 68;
/** Clocks nearer than this are taken as equal: the header that tells Dovecot's counts seconds. */
const CLOCK_NOISE_MS = 2_000;
const CHANNEL_OF: Readonly<Record<string, Channel>> = {
  imap: 'imap', 'imap-hibernate': 'imap', pop3: 'pop3', submission: 'submission', sieve: 'managesieve', managesieve: 'managesieve',
};
const MOST_PASSES = 4;
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
  /** After how long each further pass follows; null: as long as a log-in can take now, by what this change has seen. */
  readonly secondPassMs: number | null;
  /** How long it took just now to look at this mailbox's password, milliseconds; null where that is not known. */
  readonly logInMs: number | null;
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

const flushOf = (username: string) => ['authCacheFlush', { user: [username] }] as const;
const whoOf = (username: string) => ['who', { separateConnections: true, mask: [username] }] as const;
const kickOf = (mask: readonly string[]) => ['kick', { mask }] as const;

/** Whether the cache held anything; without auth_cache_size Dovecot answers 0 entries. */
function flushed({ rows, exitCode }: DoveadmAnswer): boolean {
  if (exitCode !== 0) throw new ModuleError('SESSIONS_UNAVAILABLE', { detail: `auth cache flush: exit code ${String(exitCode)}` });
  return rows.some(({ entries }) => Number(entries) > 0);
}

/** Whether there was somebody to kick. */
function kicked({ exitCode }: Pick<DoveadmAnswer, 'exitCode'> = { exitCode: -1 }): boolean {
  if (exitCode !== 0 && exitCode !== NOBODY) throw new ModuleError('SESSIONS_UNAVAILABLE', { detail: `kick: exit code ${String(exitCode)}` });
  return exitCode === 0;
}

/** The mask of `who` is a pattern: only this very name counts. */
function listed({ rows }: Pick<DoveadmAnswer, 'rows'> = { rows: [] }, username: string): Omit<Connection, 'startedAt'>[] {
  return rows.filter((row) => row['username'] === username).map(({ service = '', pid = '', ip = '' }) => ({ service, pid, ip }));
}

/** One Dovecot: what is asked of it and in which order. */
export class DovecotBackend {
  readonly #client: DoveadmClient;
  /** Of whose auth cache the operator says that there is none; null where it is simply flushed. */
  readonly untold: UntoldAuthCache | null;

  constructor(client: DoveadmClient, hasCache = true) {
    this.#client = client;
    this.untold = hasCache ? null : new UntoldAuthCache(client);
  }

  /** Whether its auth cache can be told to forget. */
  async canFlush(signal: AbortSignal): Promise<boolean> {
    return this.untold === null || await this.untold.canBeFlushed(signal);
  }

  /**
   * The first try: everybody is ended, in passes of one request each. The cache is flushed **before** the kick, else an ended program is
   * back with the old password at once. Then again, for a log-in that had its answer from the old password when the flush came: after as
   * long as such a log-in takes, and until a pass finds nobody who was not there before. Whether they are gone is asked last.
   */
  async endAll({ username, signal, secondPassMs, logInMs }: EndOptions): Promise<ChannelCounts> {
    const found = new Map<string, Omit<Connection, 'startedAt'>>();
    // Where the password stays, or other passwords of the mailbox do, programs are back at once, as they may: that is no reason to go on.
    const last = logInMs === null ? 2 : MOST_PASSES;
    let slowest = 0;
    let somebody = false;
    for (let pass = 1; ; pass += 1) {
      const { connections, anybody, tookMs } = await this.#pass(username, signal);
      const late = connections.filter(({ pid }) => !found.has(pid));
      for (const connection of late) found.set(connection.pid, connection);
      somebody ||= anybody;
      slowest = Math.max(slowest, tookMs);
      if (secondPassMs === 0 || pass === last || (pass > 1 && late.length === 0)) break;
      await wait(secondPassMs ?? patience(slowest, logInMs), undefined, { signal }).catch(() => { throw new ModuleError('SESSIONS_UNAVAILABLE', { detail: 'time-out' }); });
    }
    if (somebody) await this.#gone(username, new Set(found.keys()), signal);
    await this.#forgot(signal);
    return count([...found.values()]);
  }

  /** A later try: only what began before `issuedBefore`. */
  async endOld(options: LateOptions): Promise<ChannelCounts> {
    const ended = await this.#endOld(options);
    await this.#forgot(options.signal);
    return ended;
  }

  async #endOld({ username, signal, log, issuedBefore, sessionsDuringOutage }: LateOptions): Promise<ChannelCounts> {
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
    // From the service's start Dovecot counts for us, where that is the only way to know.
    if (!(await this.canFlush(signal))) await this.untold?.mustBeOff(signal);
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
    return this.#doubting(async () => {
      if (!(await this.canFlush(signal))) return { cached: false, clockOffset: (await this.#client.call(...whoOf(username), signal)).clockOffset };
      const answer = await this.#client.call(...flushOf(username), signal);
      return { cached: flushed(answer), clockOffset: answer.clockOffset };
    });
  }

  async #doubting<T>(work: () => Promise<T>): Promise<T> {
    return work().catch((error: unknown) => {
      this.untold?.doubt();
      throw error;
    });
  }

  /** Flush, who is there, kick; who was kicked a pass ago may still be on the way out and is told again. */
  async #pass(username: string, signal: AbortSignal): Promise<{ connections: Omit<Connection, 'startedAt'>[]; anybody: boolean; tookMs: number }> {
    return this.#doubting(async () => {
      const commands = [...(await this.canFlush(signal) ? [flushOf(username)] : []), whoOf(username), kickOf([username])];
      const answers = [...await this.#client.callInTurn(commands, signal)];
      const [kick, who, flush] = answers.reverse();
      if (flush !== undefined) flushed(flush);
      return { connections: listed(who, username), anybody: kicked(kick), tookMs: kick?.tookMs ?? 0 };
    });
  }

  async #endEverybody(username: string, signal: AbortSignal): Promise<ChannelCounts> {
    const connections = await this.#who(username, signal);
    // Kicked even where nobody is listed: somebody may have come in between.
    if (await this.#kick([username], signal)) await this.#gone(username, new Set(connections.map(({ pid }) => pid)), signal);
    return count(connections);
  }

  /** Last of all, and never "done" where it is not so (I3): nothing is left that would let an old password in. */
  async #forgot(signal: AbortSignal): Promise<void> {
    await this.#doubting(async () => { if (!(await this.canFlush(signal))) await this.untold?.mustBeOff(signal); });
  }

  async #kick(mask: readonly string[], signal: AbortSignal): Promise<boolean> {
    return kicked(await this.#client.call(...kickOf(mask), signal));
  }

  /** A kick is a signal to a process: done is what is gone, not what was told to go. */
  async #gone(username: string, pids: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    for (;;) {
      if (!(await this.#who(username, signal)).some(({ pid }) => pids.has(pid))) return;
      await wait(50, undefined, { signal }).catch(() => { throw new ModuleError('SESSIONS_UNAVAILABLE', { detail: 'kicked and still there' }); });
    }
  }

  async #who(username: string, signal: AbortSignal): Promise<Omit<Connection, 'startedAt'>[]> {
    return listed(await this.#client.call(...whoOf(username), signal), username);
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
