import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { ModuleError } from '../../module/errors.ts';

/** A lock file beside a file, in the place and form of Dovecot's dotlocks: `NAME.lock`, holding `pid:host` and more. */
export interface FileLock {
  /** False where somebody took it for stale and removed it: then nothing may be written any more. */
  isHeld(): Promise<boolean>;
  release(): Promise<void>;
}

export interface LockOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A holder needs milliseconds. A lock of another host, or one that cannot be read, is stale after this age. */
const FOREIGN_STALE_MS = 60_000;
/** A holder whose process runs: stale after this age all the same (it hangs, and checks {@link FileLock.isHeld} when it wakes up). */
const STALE_MS = 600_000;
const HELD_FOR_MS = 20;

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

/** When a process began, in the kernel's ticks: tells a process from a later one with the same number. Empty where there is no /proc. */
function startOf(pid: number | 'self'): string {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function isRunning(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
  }
  const now = startOf(pid);
  return start === '' || now === '' || now === start;
}

function isStale(content: string, ageMs: number): boolean {
  const [, pid, host, start] = /^(\d+):([^:]+):(\d*):[0-9a-f]+$/.exec(content) ?? [];
  if (pid === undefined || host !== hostname()) return ageMs > FOREIGN_STALE_MS;
  return ageMs > STALE_MS || !isRunning(Number(pid), start ?? '');
}

const contentOf = (path: string): Promise<string | null> => readFile(path, 'latin1').catch((error: unknown) => {
  if (codeOf(error) === 'ENOENT') return null;
  throw error;
});

/** Moved aside before it is removed, so that two who find the same stale lock do not remove each other's new one. */
async function removeStale(path: string, stale: string): Promise<void> {
  const aside = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  // Somebody's fresh one after all: he finds it gone when he asks isHeld, and writes nothing.
  if ((await contentOf(aside)) !== stale) await rename(aside, path);
  else await rm(aside, { force: true });
}

/** Waits for the lock. Rejects with ACCOUNTS_UNAVAILABLE after the time-out or when the signal fires; file errors pass through. */
export async function lockFile(file: string, { timeoutMs, signal }: LockOptions): Promise<FileLock> {
  const path = `${file}.lock`;
  const mine = `${String(process.pid)}:${hostname()}:${startOf('self')}:${randomBytes(8).toString('hex')}`;
  const until = performance.now() + timeoutMs;
  for (;;) {
    if (signal.aborted) throw new ModuleError('ACCOUNTS_UNAVAILABLE', { detail: 'the deadline had passed' });
    try {
      const handle = await open(path, 'wx', 0o600);
      try {
        await handle.writeFile(mine);
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      } finally {
        await handle.close();
      }
      return {
        isHeld: async () => (await contentOf(path)) === mine,
        release: async () => { if ((await contentOf(path)) === mine) await rm(path, { force: true }); },
      };
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const content = await contentOf(path);
    const age = content === null ? null : await stat(path).then(({ mtimeMs }) => Date.now() - mtimeMs, () => null);
    if (content !== null && age !== null && isStale(content, age)) {
      await removeStale(path, content);
      continue;
    }
    if (performance.now() > until) throw new ModuleError('ACCOUNTS_UNAVAILABLE', { detail: `${path} is held by somebody else` });
    await pause(HELD_FOR_MS, undefined, { signal }).catch(() => undefined);
  }
}
