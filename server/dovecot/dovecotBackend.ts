import { isIP } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ChannelCounts } from '../../module/channels.ts';
import { ModuleError } from '../../module/errors.ts';
import type { Session } from '../ports/sessionStore.ts';
import { UntoldAuthCache } from './authCache.ts';
import { flushed, flushOf, kicked, kickOf, whoOf } from './commands.ts';
import { askProcesses, type Connection, connectionsOf, countOf, type DatedConnection, datedConnectionsOf, listed, toSession } from './connections.ts';
import type { DoveadmClient } from './doveadmClient.ts';
import { patience } from './patience.ts';

/** Clocks nearer than this are taken as equal: the header that tells Dovecot's counts seconds. */
const CLOCK_NOISE_MS = 2_000;
const MOST_PASSES = 4;

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
    const found = new Map<string, Connection>();
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
    return countOf([...found.values()]);
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
    const connections = await datedConnectionsOf(this.#client, username, signal);
    // A start is known to the second: one in the second of the change counts as old. Its program logs in again by itself.
    const isOld = ({ startedAt }: DatedConnection): boolean => startedAt === null || startedAt < border;
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
    return countOf(old);
  }

  async list(username: string, signal: AbortSignal): Promise<Session[]> {
    return (await datedConnectionsOf(this.#client, username, signal)).map(toSession);
  }

  /** Ends the connection of this id, and with it what else the user has from its client address; false where there is none. */
  async endOne({ username, id, signal, log }: Pick<EndOptions, 'username' | 'signal' | 'log'> & { readonly id: string }): Promise<boolean> {
    const connections = await datedConnectionsOf(this.#client, username, signal);
    const one = connections.find((connection) => toSession(connection).id === id);
    if (one === undefined) return false;
    if (isIP(one.ip) === 0) throw new ModuleError('OPERATION_NOT_SUPPORTED', { detail: 'doveadm ends connections by client address, and this one has none' });
    // doveadm can end a user's connections by client address, not one by one.
    const along = connections.filter(({ ip }) => ip === one.ip);
    if (along.length > 1) log.info({ username, along: along.length - 1 }, 'connections from the same client address were ended too');
    await this.#kick([username, one.ip], signal);
    await this.#gone(username, new Set(along.map(({ pid }) => pid)), signal);
    return true;
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
    if (command === 'who') await connectionsOf(this.#client, username, signal);
    else if (command === 'kick') await this.#kick([username], signal);
    else await askProcesses(this.#client, signal);
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
  async #pass(username: string, signal: AbortSignal): Promise<{ connections: Connection[]; anybody: boolean; tookMs: number }> {
    return this.#doubting(async () => {
      const commands = [...(await this.canFlush(signal) ? [flushOf(username)] : []), whoOf(username), kickOf([username])];
      const answers = [...await this.#client.callInTurn(commands, signal)];
      const [kick, who, flush] = answers.reverse();
      if (flush !== undefined) flushed(flush);
      return { connections: listed(who, username), anybody: kicked(kick), tookMs: kick?.tookMs ?? 0 };
    });
  }

  async #endEverybody(username: string, signal: AbortSignal): Promise<ChannelCounts> {
    const connections = await connectionsOf(this.#client, username, signal);
    // Kicked even where nobody is listed: somebody may have come in between.
    if (await this.#kick([username], signal)) await this.#gone(username, new Set(connections.map(({ pid }) => pid)), signal);
    return countOf(connections);
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
      if (!(await connectionsOf(this.#client, username, signal)).some(({ pid }) => pids.has(pid))) return;
      await wait(50, undefined, { signal }).catch(() => { throw new ModuleError('SESSIONS_UNAVAILABLE', { detail: 'kicked and still there' }); });
    }
  }
}
