import { readFileSync } from 'node:fs';
import koffi from 'koffi';

/** The name that initgroups(3) wants; null for an id that the machine has no name for. */
function nameOf(uid: number): string | null {
  const line = readFileSync('/etc/passwd', 'utf8').split('\n').find((one) => one.split(':')[2] === String(uid));
  return line?.split(':')[0] ?? null;
}

/**
 * By libc itself, which changes all threads of the process (nptl(7)). For a Node that was built with io_uring and therefore refuses
 * its own calls (CVE-2024-22017), as Debian 13's is: its reason are file operations that the kernel would go on to do as root, and none were
 * handed to it (`UV_USE_IO_URING=0` in the package's command; libuv leaves files to its threads by default since 1.45.1).
 */
function byLibc(uid: number, gid: number): void {
  const libc = koffi.load('libc.so.6');
  const does = (name: string, declared: string, ...values: unknown[]): void => {
    if ((libc.func(declared) as (...all: unknown[]) => number)(...values) !== 0) throw new Error(`${name}: the system refuses it`);
  };
  const name = nameOf(uid);
  if (name === null) does('setgroups', 'int setgroups(size_t size, const uint32_t *list)', 1, Uint32Array.of(gid));
  else does('initgroups', 'int initgroups(const char *user, uint32_t group)', name, gid);
  does('setgid', 'int setgid(uint32_t gid)', gid);
  does('setuid', 'int setuid(uint32_t uid)', uid);
}

function byNode(uid: number, gid: number): void {
  const { initgroups } = process as { initgroups?: (user: number | string, group: number) => void };
  const name = nameOf(uid);
  // With the groups that the unit's User= brings too: a file of a mail server's group is readable for the command as for the service.
  if (name === null || initgroups === undefined) process.setgroups?.([gid]);
  else initgroups.call(process, name, gid);
  process.setgid?.(gid);
  process.setuid?.(uid);
}

/** Root becomes that user, for good: no group of root is left. Throws, and nothing must go on, where it does not. */
export function becomeUser(uid: number, gid: number): void {
  try {
    byNode(uid, gid);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('io_uring')) throw error;
    byLibc(uid, gid);
  }
  if (process.getuid?.() !== uid || process.geteuid?.() !== uid || process.getgid?.() !== gid) throw new Error(`this process did not become user ${String(uid)}`);
}
