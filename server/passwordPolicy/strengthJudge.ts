import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ModuleError } from '../../module/errors.ts';
import { packageRoot } from '../paths.ts';

interface Asked {
  readonly password: string;
  readonly resolve: (score: number) => void;
  readonly reject: (error: ModuleError) => void;
}

interface JudgeOptions {
  /** Milliseconds that one password may take, the start of the worker not counted. */
  readonly timeoutMs?: number;
  /** How many may wait for their turn. */
  readonly waiting?: number;
}

/** The built file, also where the service runs from its sources: a thread has no hook that would read them. */
const WORKER = join(packageRoot(), 'dist', 'server', 'passwordPolicy', 'strengthWorker.js');

/**
 * zxcvbn's score of a password, worked out in one thread of its own, one after the other, so that nobody else's request waits for it. The
 * verdict is that of the page: both ask `module/policy/passwordStrength.ts`. Throws `OVERLOADED` where too many wait, `POLICY_UNAVAILABLE`
 * where one cannot be told in time. The thread starts with the first question and keeps no process alive.
 */
export function createStrengthJudge({ timeoutMs = 10_000, waiting = 64 }: JudgeOptions = {}): (password: string) => Promise<number> {
  const queue: Asked[] = [];
  let worker: Worker | null = null;
  /** Its dictionaries are loaded. */
  let ready = false;
  let current: Asked | null = null;
  let timer: NodeJS.Timeout | undefined;

  function end(): Asked | null {
    clearTimeout(timer);
    const ended = current;
    current = null;
    return ended;
  }

  function giveUp(broken: Worker, detail: string): void {
    if (broken !== worker) return;
    worker = null;
    ready = false;
    void broken.terminate();
    end()?.reject(new ModuleError('POLICY_UNAVAILABLE', { detail }));
    next();
  }

  function start(): Worker {
    const own = new Worker(WORKER);
    own.on('message', (said: number | 'ready') => {
      if (worker !== own) return;
      if (said === 'ready') {
        ready = true;
        if (current !== null) watch(own);
        return;
      }
      end()?.resolve(said);
      next();
    });
    own.on('error', (error) => { giveUp(own, `the strength could not be worked out: ${error.name}`); });
    own.on('exit', () => { giveUp(own, 'the strength could not be worked out: its thread ended'); });
    return own;
  }

  function watch(own: Worker): void {
    clearTimeout(timer);
    timer = setTimeout(() => { giveUp(own, 'the strength could not be worked out in time'); }, timeoutMs);
  }

  function next(): void {
    if (current !== null) return;
    current = queue.shift() ?? null;
    if (current === null) {
      worker?.unref();
      return;
    }
    worker ??= start();
    worker.ref();
    worker.postMessage(current.password);
    if (ready) watch(worker);
  }

  return (password) => new Promise((resolve, reject) => {
    if (queue.length >= waiting) {
      reject(new ModuleError('OVERLOADED', { detail: 'too many passwords wait for their strength' }));
      return;
    }
    queue.push({ password, resolve, reject });
    next();
  });
}
