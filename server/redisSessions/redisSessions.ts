import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { ModuleError } from '../../module/errors.ts';
import { type Pointers, readSession, type SessionValue } from './sessionValue.ts';

export interface Where {
  /** Key of a set with the user's sessions: `user-sessions:{address}`. */
  readonly index?: string | undefined;
  /** What stands before a member of the set to make it the session's key. */
  readonly prefix: string;
  /** Keys of all sessions, a Redis pattern: `sess:*`. */
  readonly pattern?: string | undefined;
}

export interface Found {
  readonly key: string;
  readonly value: SessionValue;
  /** SHA-1 of the stored bytes: what was judged. */
  readonly digest: string;
  /** The set that lists it and the member in it. */
  readonly listed: { readonly set: string; readonly member: string } | null;
}

/** Small pages, so that Redis answers others in between. */
const SCAN_COUNT = 250;
const READ_AT_ONCE = 50;
/** A session that is rewritten at every try is in somebody's hands: the worker tries again later. */
const MAX_TRIES = 10;

/** Ends a session only where its value is still the one that was judged; the set forgets it in the same step. */
const END = `
local value = redis.call('GET', KEYS[1])
if not value then
  if KEYS[2] then redis.call('SREM', KEYS[2], ARGV[2]) end
  return 0
end
if redis.sha1hex(value) ~= ARGV[1] then return -1 end
redis.call('UNLINK', KEYS[1])
if KEYS[2] then redis.call('SREM', KEYS[2], ARGV[2]) end
return 1`;

/** The same rights as above, on keys that are not there. */
const MAY_END = `
redis.call('GET', KEYS[1])
redis.call('UNLINK', KEYS[1])
if KEYS[2] then redis.call('SREM', KEYS[2], 'mailbox-password-check') end
return 1`;

const UNREADABLE: SessionValue = { address: null, issuedAt: null, lastSeenAt: null, client: null, remoteAddress: null };

/** A name inside a Redis pattern, where it must mean itself. */
const escapeGlob = (name: string): string => name.replaceAll(/[\\*?[\]^]/g, String.raw`\$&`);

const bothSpellings = (address: string): string[] => [...new Set([address, address.toLowerCase()])];

/** Web sessions of one mailbox in Redis. */
export class RedisSessions {
  readonly #redis: Redis;
  readonly #where: Where;
  readonly #pointers: Pointers;
  readonly #unreadable: (count: number) => void;

  /** `unreadable` is told how many values of a walk were not of the format, and so were left alone. */
  constructor(redis: Redis, where: Where, pointers: Pointers, unreadable: (count: number) => void) {
    this.#redis = redis;
    this.#where = where;
    this.#pointers = pointers;
    this.#unreadable = unreadable;
  }

  /** The sessions of a mailbox, a page at a time; a session may come twice (SCAN's promise is no better). */
  async *of(address: string, signal: AbortSignal): AsyncGenerator<Found> {
    let unreadable = 0;
    for await (const page of this.#pages(address, signal)) {
      for (let from = 0; from < page.length; from += READ_AT_ONCE) {
        const part = page.slice(from, from + READ_AT_ONCE);
        if (signal.aborted) return;
        const values = await this.#redis.mgetBuffer(...part.map(({ key }) => key));
        for (const [index, { key, listed }] of part.entries()) {
          const bytes = values[index];
          if (!bytes) {
            if (listed !== null) await this.#refuseOtherTypes(key);
            continue;
          }
          const judged = this.#judge(address, bytes, listed !== null);
          if (judged === 'unreadable') unreadable += 1;
          else if (judged !== null) yield { key, listed, value: judged, digest: sha1(bytes) };
        }
      }
    }
    if (unreadable > 0) this.#unreadable(unreadable);
  }

  /** Ends it where it still is what was judged, else judges again; false where it is gone or no longer to be ended. */
  async end(found: Found, address: string, isOld: (value: SessionValue) => boolean, signal: AbortSignal): Promise<boolean> {
    let { digest } = found;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      if (signal.aborted) return false;
      const { key, listed } = found;
      const keys = listed === null ? [key] : [key, listed.set];
      const answer = Number(await this.#redis.eval(END, keys.length, ...keys, digest, listed?.member ?? ''));
      if (answer >= 0) return answer === 1;
      const bytes = await this.#redis.getBuffer(key);
      if (bytes === null) continue;
      const judged = this.#judge(address, bytes, listed !== null);
      if (judged === null || judged === 'unreadable' || !isOld(judged)) return false;
      digest = sha1(bytes);
    }
    throw new ModuleError('SESSIONS_UNAVAILABLE', { detail: 'a session is rewritten all the time' });
  }

  /** The sessions among these that are there again; the set no longer lists them. */
  async *again(ended: Iterable<Found>, address: string, signal: AbortSignal): AsyncGenerator<Found> {
    for (const found of ended) {
      if (signal.aborted) return;
      const bytes = await this.#redis.getBuffer(found.key);
      const judged = bytes === null ? null : this.#judge(address, bytes, found.listed !== null);
      if (bytes !== null && judged !== null && judged !== 'unreadable') yield { ...found, value: judged, digest: sha1(bytes) };
    }
  }

  /** Looks at some sessions: where there are any and none can be read, the configuration is wrong. */
  async check(): Promise<void> {
    const { pattern, index, prefix } = this.#where;
    const named = (template: string): string => template.replaceAll('{address}', 'nobody@mailbox-password.invalid');
    if (pattern === undefined) {
      const set = named(index ?? '');
      await this.#redis.sscan(set, '0');
      await this.#redis.eval(MAY_END, 2, `${prefix}mailbox-password-check`, set);
      return;
    }
    await this.#redis.eval(MAY_END, 1, named(pattern).replaceAll('*', 'mailbox-password-check'));
    const keys: string[] = [];
    let cursor = '0';
    for (let pages = 0; pages < 20 && keys.length < READ_AT_ONCE; pages += 1) {
      const [next, page] = await this.#redis.scan(cursor, 'MATCH', pattern.replaceAll('{address}', '*'), 'COUNT', SCAN_COUNT);
      keys.push(...page);
      cursor = next;
      if (cursor === '0') break;
    }
    if (keys.length === 0) return;
    const values = (await this.#redis.mgetBuffer(...keys.slice(0, READ_AT_ONCE))).filter((bytes) => bytes !== null);
    if (values.length === 0 || values.every((bytes) => readSession(bytes, this.#pointers) === null))
      throw new ModuleError('SESSIONS_MISCONFIGURED', { detail: `none of the keys that match holds a session in the format "${this.#pointers.format}"` });
  }

  /** The set says whose a listed session is; a pointer, where there is one, must agree. */
  #judge(address: string, bytes: Buffer, listed: boolean): SessionValue | 'unreadable' | null {
    const value = readSession(bytes, this.#pointers);
    if (value === null) return listed ? UNREADABLE : 'unreadable';
    if (listed && (this.#pointers.address === undefined || value.address === null)) return value;
    return value.address?.toLowerCase() === address.toLowerCase() ? value : null;
  }

  async *#pages(address: string, signal: AbortSignal): AsyncGenerator<Pick<Found, 'key' | 'listed'>[]> {
    const { index, pattern, prefix } = this.#where;
    for (const spelling of bothSpellings(address)) {
      if (index === undefined && spelling !== address && !pattern?.includes('{address}')) return;
      const set = index?.replaceAll('{address}', () => spelling);
      let cursor = '0';
      do {
        if (signal.aborted) return;
        if (set !== undefined) {
          const [next, members] = await this.#redis.sscan(set, cursor, 'COUNT', SCAN_COUNT);
          cursor = next;
          yield members.map((member) => ({ key: prefix + member, listed: { set, member } }));
        } else {
          const [next, keys] = await this.#redis.scan(cursor, 'MATCH', (pattern ?? '').replaceAll('{address}', () => escapeGlob(spelling)), 'COUNT', SCAN_COUNT);
          cursor = next;
          yield keys.map((key) => ({ key, listed: null }));
        }
      } while (cursor !== '0');
    }
  }

  /** A session kept as a hash would read as "gone": that must not pass for a log-out. */
  async #refuseOtherTypes(key: string): Promise<void> {
    const type = await this.#redis.type(key);
    if (type !== 'none' && type !== 'string') throw new ModuleError('SESSIONS_MISCONFIGURED', { detail: `a session in the set is a ${type}, not a string` });
  }
}

const sha1 = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('hex');
