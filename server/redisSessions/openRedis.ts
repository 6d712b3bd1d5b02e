import { Redis } from 'ioredis';
import { ModuleError } from '../../module/errors.ts';
import { readCertificateFile } from '../config/certificateFile.ts';
import { beforeDeadline } from '../deadline.ts';

export interface RedisConnectionOptions {
  readonly url: string;
  readonly tls?: { readonly ca?: string | undefined; readonly verify?: boolean | undefined } | undefined;
  /** Default 3000. */
  readonly connectTimeoutMs?: number | undefined;
}

/** One connection, made at the first command; a command without a connection is refused instead of kept for later. */
export function openRedis({ url, tls, connectTimeoutMs = 3_000 }: RedisConnectionOptions, { unlimited = false }: { /** Answers are waited for without end: the caller has a limit of its own. */ readonly unlimited?: boolean } = {}): Redis {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    ...(unlimited ? {} : { commandTimeout: 10_000 }),
    disconnectTimeout: 200,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(times * 200, 2_000),
    connectionName: 'mailbox-password',
    ...(tls === undefined ? {} : { tls: { rejectUnauthorized: tls.verify ?? true, ...(tls.ca === undefined ? {} : { ca: readCertificateFile(tls.ca, 'tls.ca') }) } }),
  });
  // What breaks is told by the command that was waiting for it.
  redis.on('error', () => undefined);
  return redis;
}

const LASTING = /^(NOAUTH|WRONGPASS|NOPERM|WRONGTYPE|ERR (unknown command|invalid password|AUTH|Client sent AUTH|DB index))/;
/** How Redis 6 and 7 word a right that a script lacks. */
const LASTING_IN_SCRIPT = /ACL failure in script|user executing the script can't/i;

/** What Redis itself says (`WRONGPASS`, `NOPERM`), or why it did not answer; never the command or its arguments. */
export function redisReason(error: unknown): string {
  return redisError(error).detail ?? 'no answer from Redis';
}

/** ioredis' errors carry the command with its arguments: only Redis' own error word is passed on. */
function redisError(error: unknown): ModuleError {
  if (error instanceof ModuleError) return error;
  const message = error instanceof Error ? error.message : '';
  if (LASTING_IN_SCRIPT.test(message)) return new ModuleError('SESSIONS_MISCONFIGURED', { detail: 'Redis says NOPERM' });
  if (LASTING.test(message)) return new ModuleError('SESSIONS_MISCONFIGURED', { detail: `Redis says ${/^[A-Z]+/.exec(message)?.[0] ?? 'no'}` });
  const code = (error as { code?: unknown }).code;
  return new ModuleError('SESSIONS_UNAVAILABLE', { detail: typeof code === 'string' ? code : (/^[A-Z]{4,}(?= )/.exec(message)?.[0] ?? 'no answer from Redis') });
}

/** Redis' answer, or `SESSIONS_UNAVAILABLE` as soon as the signal fires; every other error as {@link redisError} has it. */
export const redisInTime = <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> =>
  beforeDeadline(signal, () => new ModuleError('SESSIONS_UNAVAILABLE', { detail: 'the deadline had passed' }), work).catch((error: unknown) => { throw redisError(error); });
