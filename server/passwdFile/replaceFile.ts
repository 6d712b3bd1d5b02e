import { randomBytes } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { constants } from 'node:fs';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface Snapshot {
  readonly content: Buffer;
  readonly stats: BigIntStats;
}

export interface Replacement {
  /** The file as it was read, and what it shall be. */
  readonly from: Snapshot;
  readonly to: Buffer;
  /** Asked after everything is on the disk, directly before the new file takes the old one's name. Throwing leaves the old file. */
  readonly commit: () => Promise<void>;
  /** The old file is still there although `commit` had agreed. */
  readonly onRenameFailed: () => void;
}

const TEMPORARY = '.tmp';

export async function readSnapshot(path: string): Promise<Snapshot> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) throw Object.assign(new Error('not a regular file'), { code: 'EISDIR' });
    return { content: await handle.readFile(), stats };
  } finally {
    await handle.close();
  }
}

/** Whether a path still holds the file that was read. */
export async function isUnchanged(path: string, { stats }: Snapshot): Promise<boolean> {
  const now = await stat(path, { bigint: true });
  return now.ino === stats.ino && now.dev === stats.dev && now.size === stats.size && now.mtimeNs === stats.mtimeNs && now.ctimeNs === stats.ctimeNs;
}

/**
 * Dovecot reads its passwd-file again when the size or the whole second of the modification time differs. Two hashes are equally
 * long, so a second change within one second would stay unseen: the time always moves on by a second.
 */
const laterTime = ({ mtimeMs }: BigIntStats): number => Math.max(Date.now() / 1000, Math.floor(Number(mtimeMs) / 1000) + 1);

/**
 * Replaces a whole file by rename, with the same owner, group and mode: a reader, or a crash at any point, sees the old file or the
 * new one. To be called under the lock: what a dead holder left beside is removed.
 */
export async function replaceFile(path: string, { from, to, commit, onRenameFailed }: Replacement): Promise<void> {
  const folder = dirname(path);
  const prefix = `.${basename(path)}.mailbox-password-`;
  for (const name of await readdir(folder)) {
    if (name.startsWith(prefix) && name.endsWith(TEMPORARY)) await rm(join(folder, name), { force: true });
  }
  const temporary = join(folder, `${prefix}${randomBytes(8).toString('hex')}${TEMPORARY}`);
  const handle = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    try {
      const own = await handle.stat({ bigint: true });
      if (own.uid !== from.stats.uid || own.gid !== from.stats.gid) await handle.chown(Number(from.stats.uid), Number(from.stats.gid));
      await handle.chmod(Number(from.stats.mode & 0o7777n));
      await handle.writeFile(to);
      const later = laterTime(from.stats);
      await handle.utimes(later, later);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await commit();
    await rename(temporary, path).catch((error: unknown) => {
      onRenameFailed();
      throw error;
    });
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  const directory = await open(folder, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
