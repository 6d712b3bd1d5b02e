import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { reasonOf, SOON_DAYS } from '../diagnosis/findings.ts';
import { probeTls } from '../diagnosis/probeTls.ts';
import type { TlsEndpoint } from '../ports/diagnosis.ts';

/** A server whose certificate is looked at, and what it is called: `accounts[0]`, `sessions:mail`, `state`, ... */
export interface WatchedCertificate {
  readonly target: string;
  readonly endpoint: TlsEndpoint;
}

export interface CertificateWatch {
  /** By target: milliseconds since the epoch at which its certificate ends; those that have been seen. */
  expiries(): ReadonlyMap<string, number>;
  start(): void;
  /** Resolves when the look under way has ended. */
  stop(): Promise<void>;
}

interface WatchOptions {
  readonly log: Logger;
  /** Milliseconds between two looks; half a day does for what lives for months. */
  readonly everyMs?: number;
  /** After a look at which a server did not answer. */
  readonly againMs?: number;
  readonly timeoutMs?: number;
}

const DAY_MS = 86_400_000;

/**
 * Looks now and then when certificates end: one handshake a server, one after the other, without a name or a password, in the background.
 * What was seen stays until it is seen anew, so a server that is away hides nothing.
 */
export function createCertificateWatch(watched: readonly WatchedCertificate[], { log, everyMs = DAY_MS / 2, againMs = 900_000, timeoutMs = 10_000 }: WatchOptions): CertificateWatch {
  const seen = new Map<string, number>();
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();

  async function look(): Promise<boolean> {
    let all = true;
    for (const { target, endpoint } of watched) {
      if (stopping.signal.aborted) return true;
      try {
        const { validTo } = await probeTls(endpoint, AbortSignal.any([stopping.signal, AbortSignal.timeout(timeoutMs)]));
        seen.set(target, validTo);
        const days = Math.floor((validTo - Date.now()) / DAY_MS);
        if (days < SOON_DAYS) log.warn({ target, days }, 'a certificate ends soon');
      } catch (error) {
        if (stopping.signal.aborted) return true;
        all = false;
        log.debug({ target, detail: reasonOf(error) }, 'a certificate could not be looked at');
      }
    }
    return all;
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const all = await look();
      // The timer keeps no process alive; a stop ends it at once.
      await wait(all ? everyMs : againMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  }

  return {
    expiries: () => seen,
    start() { if (watched.length > 0) running = run(); },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
