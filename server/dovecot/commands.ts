import { ModuleError } from '../../module/errors.ts';
import type { DoveadmAnswer } from './doveadmClient.ts';

/** EX_NOHOST: `kick` found nobody. */
const NOBODY_THERE = 68;

export const flushOf = (username: string) => ['authCacheFlush', { user: [username] }] as const;
export const whoOf = (username: string) => ['who', { separateConnections: true, mask: [username] }] as const;
export const kickOf = (mask: readonly string[]) => ['kick', { mask }] as const;

/** Whether the cache held anything; without auth_cache_size Dovecot answers 0 entries. */
export function flushed({ rows, exitCode }: DoveadmAnswer): boolean {
  if (exitCode !== 0) throw new ModuleError('SESSIONS_UNAVAILABLE', { detail: `auth cache flush: exit code ${String(exitCode)}` });
  return rows.some(({ entries }) => Number(entries) > 0);
}

/** Whether there was somebody to kick. */
export function kicked({ exitCode }: Pick<DoveadmAnswer, 'exitCode'> = { exitCode: -1 }): boolean {
  if (exitCode !== 0 && exitCode !== NOBODY_THERE) throw new ModuleError('SESSIONS_UNAVAILABLE', { detail: `kick: exit code ${String(exitCode)}` });
  return exitCode === 0;
}
