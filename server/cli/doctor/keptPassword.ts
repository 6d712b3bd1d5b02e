import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Secret } from '../../secret.ts';

/** What a write test must be able to put back, whatever becomes of its process. */
export interface KeptRecord {
  readonly address: string;
  /** The value that the back end had stored (a hash). */
  readonly stored: Secret;
  /** As it is typed: only a mailbox that takes it is still as the test left it. */
  readonly temporary: Secret;
}

const FOLDER = 'write-test';

/** One file a mailbox, mode 0600 in a folder of mode 0700 of `dataDir`, there only while a write test is under way or could not be undone. */
export class KeptPassword {
  readonly file: string;
  readonly #folder: string;
  readonly #address: string;

  constructor(dataDir: string, address: string) {
    this.#address = address;
    this.#folder = join(resolve(dataDir), FOLDER);
    this.file = join(this.#folder, `${createHash('sha256').update(address.toLowerCase()).digest('hex').slice(0, 32)}.json`);
  }

  exists(): boolean {
    return existsSync(this.file);
  }

  /** Throws where there is none, or one of an older build, which did not say what the test had set. */
  read(): KeptRecord {
    const { address, stored, temporary } = JSON.parse(readFileSync(this.file, 'utf8')) as { address: string; stored: string; temporary?: string };
    if (temporary === undefined) throw new Error('it does not say which password the test had set');
    return { address, stored: new Secret(stored), temporary: new Secret(temporary) };
  }

  /** Whole or not at all. */
  write(stored: Secret, temporary: Secret): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const file = `${this.file}.${randomBytes(4).toString('hex')}`;
    writeFileSync(file, JSON.stringify({ address: this.#address, stored: stored.reveal(), temporary: temporary.reveal() }), { mode: 0o600, flag: 'wx', flush: true });
    renameSync(file, this.file);
  }

  remove(): void {
    rmSync(this.file, { force: true });
    if (existsSync(this.#folder) && readdirSync(this.#folder).length === 0) rmSync(this.#folder, { recursive: true });
  }
}

/** Mailboxes whose write test was not undone. */
export function keptAddresses(dataDir: string): readonly string[] {
  const folder = join(resolve(dataDir), FOLDER);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.endsWith('.json')).map((name) => (JSON.parse(readFileSync(join(folder, name), 'utf8')) as { address: string }).address);
}
