import { closeSync, fdatasync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { ModuleError } from '../../module/errors.ts';

/** Resolves when what was written to the open file is on the disk. */
export type ToDisk = (file: number) => Promise<void>;

const byTheSystem: ToDisk = promisify(fdatasync);

/**
 * Brings SQLite's write-ahead log to the disk, as `synchronous = FULL` would at each commit, but in the thread pool and once for all who wait: a
 * disk takes milliseconds for it, in which the process would answer nobody.
 */
export class WalSync {
  readonly #path: string;
  readonly #toDisk: ToDisk;
  /** Open as long as the database: of a write that failed meanwhile the system tells each one who has the file open, once. */
  #file: number | undefined;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(databasePath: string, toDisk = byTheSystem) {
    this.#toDisk = toDisk;
    this.#path = `${databasePath}-wal`;
  }

  /** Resolves when all that was committed before the call survives a power cut. Throws `STATE_UNAVAILABLE`: whether it does is not known. */
  durable(): Promise<void> {
    // One that is running may have begun before the commit; the next one takes everybody who came meanwhile.
    this.#next ??= (this.#running ?? Promise.resolve()).catch(() => undefined).then(() => {
      this.#running = this.#next;
      this.#next = null;
      return this.#sync();
    });
    return this.#next;
  }

  async #sync(): Promise<void> {
    try {
      this.#file ??= this.#open();
      await this.#toDisk(this.#file);
    } catch (cause) {
      throw new ModuleError('STATE_UNAVAILABLE', { detail: `the folder of the databases cannot be written (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`, cause });
    }
  }

  /** The log may be new: that the folder names it has to be on the disk too, once. */
  #open(): number {
    const folder = openSync(dirname(this.#path), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
    return openSync(this.#path, 'r');
  }

  /** When what is running has ended. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#running, this.#next]);
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}
