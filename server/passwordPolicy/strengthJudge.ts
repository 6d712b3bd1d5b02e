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
  /** How many may wait for their turn, in all. */
  readonly waiting?: number;
  /** How many of them may be one person's. */
  readonly waitingOfOne?: number;
}

/** The built file, also where the service runs from its sources: a thread has no hook that would read them. */
const WORKER = join(packageRoot(), 'dist', 'server', 'passwordPolicy', 'strengthWorker.js');

/**
 * zxcvbn's score of a password, worked out in one thread of its own, one after the other, so that nobody else's request waits for it. The
 * verdict is that of the page: both ask `module/policy/passwordStrength.ts`. `who` is the person who asks, and people take turns: however many
 * questions one of them sends, another's waits for one of those at most. Throws `OVERLOADED` where too many wait, of this person or in all;
 * `POLICY_UNAVAILABLE` where one cannot be told in time. The thread starts with the first question and keeps no process alive.
 */
export function createStrengthJudge({ timeoutMs = 10_000, waiting = 64, waitingOfOne = 4 }: JudgeOptions = {}): (password: string, who: string) => Promise<number> {
  /** By person, in the order of their turns. */
  const queues = new Map<string, Asked[]>();
  let queued = 0;
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

  /** The first question of the person whose turn it is, who then stands behind the others. */
  function nextAsked(): Asked | null {
    for (const [who, queue] of queues) {
      const asked = queue.shift();
      queues.delete(who);
      if (asked === undefined) continue;
      if (queue.length > 0) queues.set(who, queue);
      queued -= 1;
      return asked;
    }
    return null;
  }

  function next(): void {
    if (current !== null) return;
    current = nextAsked();
    if (current === null) {
      worker?.unref();
      return;
    }
    worker ??= start();
    worker.ref();
    worker.postMessage(current.password);
    if (ready) watch(worker);
  }

  return (password, who) => new Promise((resolve, reject) => {
    const own = queues.get(who) ?? [];
    if (queued >= waiting || own.length >= waitingOfOne) {
      reject(new ModuleError('OVERLOADED', { detail: `too many passwords ${own.length >= waitingOfOne ? 'of one person ' : ''}wait for their strength` }));
      return;
    }
    own.push({ password, resolve, reject });
    queues.set(who, own);
    queued += 1;
    next();
  });
}
