import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import { mustBeSorted, type RandomAccess } from './sortedHashes.ts';

interface Opened extends RandomAccess {
  readonly identity: string;
  /** Look-ups under way; a retired file is closed when the last one has ended. */
  users: number;
  retired: boolean;
  close(): Promise<void>;
}

async function identityOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeMs } = await stat(path);
  return [dev, ino, size, mtimeMs].join(':');
}

async function openFile(path: string): Promise<Opened> {
  const handle: FileHandle = await open(path, 'r');
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw new Error('it is not a file');
    const opened: Opened = {
      identity: [status.dev, status.ino, status.size, status.mtimeMs].join(':'),
      size: status.size, users: 0, retired: false,
      async read(position, length) {
        const buffer = Buffer.alloc(Math.max(0, Math.min(length, status.size - position)));
        let filled = 0;
        while (filled < buffer.length) {
          const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
          if (bytesRead === 0) throw new Error('the file became shorter while it was read');
          filled += bytesRead;
        }
        return buffer;
      },
      close: () => handle.close(),
    };
    await mustBeSorted(opened);
    return opened;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

export interface WatchedFile {
  use<T>(work: (file: RandomAccess) => Promise<T>): Promise<T>;
  /** Rejects where what lies at the path now cannot be used, even while an older file still serves. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** A sorted file that stays open; one that took its place (by rename, as downloads should) is taken up with the next look-up. */
export async function watchFile(path: string, log: Logger): Promise<WatchedFile> {
  let current = await openFile(path);
  /** What was looked at and found unusable: not again until it changes. */
  let refused: { readonly identity: string; readonly error: Error } | null = null;
  let renewing: Promise<void> | null = null;

  async function retire(file: Opened): Promise<void> {
    file.retired = true;
    if (file.users === 0) await file.close();
  }

  async function renew(): Promise<void> {
    const identity = await identityOf(path);
    if (identity === current.identity) { refused = null; return; }
    if (identity === refused?.identity) return;
    try {
      const next = await openFile(path);
      const before = current;
      current = next;
      refused = null;
      log.info({ file: path, bytes: next.size }, 'the breach list was replaced; the new file is used');
      await retire(before);
    } catch (error) {
      refused = { identity, error: error as Error };
      log.error({ file: path, detail: refused.error.message }, 'the breach list was replaced by a file that cannot be used; the one before still serves');
    }
  }

  const renewed = (): Promise<void> => {
    renewing ??= renew().finally(() => { renewing = null; });
    return renewing;
  };

  return {
    async use(work) {
      // Gone or not readable any more: the open one still serves; check() tells.
      await renewed().catch(() => undefined);
      const file = current;
      file.users += 1;
      try {
        return await work(file);
      } finally {
        file.users -= 1;
        if (file.retired && file.users === 0) await file.close();
      }
    },
    async check() {
      await renewed();
      if (refused !== null) throw refused.error;
    },
    close: () => retire(current),
  };
}
