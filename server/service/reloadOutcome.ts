import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** How the last reload of a running service ended, for whoever asked for it by a signal, which brings no answer. */
export interface ReloadOutcome {
  /** Of the service. */
  readonly pid: number;
  /** Signals to reload that this process has dealt with. */
  readonly count: number;
  readonly outcome: 'none' | 'done' | 'refused';
  /** What is wrong, a line each; no secret. */
  readonly problems: readonly string[];
  /** Keys that need a restart. */
  readonly kept: readonly string[];
  /** False where requests of the configuration before had not ended in time. */
  readonly beforeEnded: boolean;
}

/** systemd gives the service a folder below /run (RuntimeDirectory=); elsewhere the data folder holds the file. */
const fileIn = (dataDir: string, environment: Readonly<Record<string, string | undefined>>): string =>
  join(environment['RUNTIME_DIRECTORY']?.split(':')[0] ?? resolve(dataDir), 'reload.json');

/** Whole or not at all: another process reads it at any moment. */
export function writeReloadOutcome(outcome: ReloadOutcome, dataDir: string, environment: Readonly<Record<string, string | undefined>> = process.env): void {
  const file = fileIn(dataDir, environment);
  writeFileSync(`${file}.new`, JSON.stringify(outcome), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Null where there is none that can be read. */
export function readReloadOutcome(dataDir: string, environment: Readonly<Record<string, string | undefined>> = process.env): ReloadOutcome | null {
  try {
    return JSON.parse(readFileSync(fileIn(dataDir, environment), 'utf8')) as ReloadOutcome;
  } catch {
    return null;
  }
}
