import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A real server, started by a test on loopback with a folder of its own. */
export interface Service {
  readonly port: number;
  readonly folder: string;
  /** Ends it (SIGTERM, SIGKILL after a moment) and removes its folder. */
  stop(): Promise<void>;
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms); });

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => { resolve(port); });
    });
  });
}

const userId = (name: string, flag: '-u' | '-g'): number => Number(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout);

/** A temporary folder, given to the system user under which the server runs. */
export function serviceFolder(name: string, owner?: string): string {
  const folder = mkdtempSync(join(tmpdir(), `mailbox-password-${name}-`));
  chmodSync(folder, 0o755);
  if (owner !== undefined) chownSync(folder, userId(owner, '-u'), userId(owner, '-g'));
  return folder;
}

/** Runs a set-up command to its end; its output is the error where it fails. */
export function runToEnd(command: string, args: readonly string[]): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? `${stdout}${stderr}`}`);
}

export async function until(what: string, test: () => Promise<boolean>, ms = 20_000): Promise<void> {
  const end = Date.now() + ms;
  for (;;) {
    if (await test().catch(() => false)) return;
    if (Date.now() > end) throw new Error(`${what} did not happen within ${String(ms)} ms`);
    await sleep(30);
  }
}

export interface Running {
  readonly process: ChildProcess;
  readonly output: () => string;
  /** Ends it and waits; the folder stays. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

export function run(command: string, args: readonly string[]): Running {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const keep = (chunk: Buffer): void => { text = (text + chunk.toString()).slice(-20_000); };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  // A test that failed before it could stop its server must still end.
  child.unref();
  for (const pipe of [child.stdout, child.stderr]) (pipe as unknown as { unref(): void }).unref();
  const ended = new Promise<void>((resolve) => { child.once('exit', () => { resolve(); }); child.once('error', (error) => { text += error.message; resolve(); }); });
  // Where the test itself dies, its servers die with it.
  const orphan = (): void => { child.kill('SIGKILL'); };
  process.once('exit', orphan);
  return {
    process: child,
    output: () => text,
    async kill(signal = 'SIGTERM') {
      process.removeListener('exit', orphan);
      child.kill(signal);
      const forced = setTimeout(() => { child.kill('SIGKILL'); }, 5000);
      await ended;
      clearTimeout(forced);
    },
  };
}

/** Waits until `ready`; a server that ends before is an error with its own words. */
export async function started(running: Running, ready: () => Promise<boolean>): Promise<void> {
  await until('the server\'s start', async () => {
    if (running.process.exitCode !== null) throw new Error('ended');
    return ready();
  }).catch((error: unknown) => { throw new Error(`${String(error)}\n${running.output()}`); });
}

export const remove = (folder: string): void => { rmSync(folder, { recursive: true, force: true }); };
