import type { OwedNotice } from '../ports/noticeOutbox.ts';

interface LaneOptions {
  /** Mails under way at once that have not yet shown themselves slow. */
  readonly quick: number;
  /** Mails under way at once in all: each is a connection. */
  readonly most: number;
  /** How many may be begun now, of the `free` places; 0 while the relay is away. */
  readonly allowed: (free: number) => number;
  readonly claim: (limit: number) => Promise<readonly OwedNotice[]>;
  /** Must not reject. */
  readonly send: (notice: OwedNotice) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export interface NoticeLane {
  /** Begins what is due while there are places; resolves before they have ended. */
  fill(): Promise<void>;
  /** Begins nothing any more. */
  stop(): void;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
  readonly underWay: number;
  /** Something is under way, or about to be. */
  readonly busy: boolean;
  /** Begun since the process started. */
  readonly begun: number;
}

/** A mail that takes longer gives its place to the next: one that hangs holds nobody up. */
const SLOW_MS = 1000;

/** Mails that are sent beside each other; each that ends makes room for the next, so that none waits for the slowest of a batch. */
export function createNoticeLane({ quick, most, allowed, claim, send, onError }: LaneOptions): NoticeLane {
  const underWay = new Set<Promise<void>>();
  let slow = 0;
  let begun = 0;
  let stopped = false;
  let filling: Promise<void> | null = null;
  const free = (): number => (stopped ? 0 : Math.max(0, allowed(Math.min(quick - (underWay.size - slow), most - underWay.size))));

  function begin(notice: OwedNotice): void {
    begun += 1;
    let isSlow = false;
    const timer = setTimeout(() => {
      isSlow = true;
      slow += 1;
      again();
    }, SLOW_MS);
    const work: Promise<void> = send(notice).catch(onError).then(() => {
      clearTimeout(timer);
      if (isSlow) slow -= 1;
      underWay.delete(work);
      again();
    });
    underWay.add(work);
  }

  async function run(): Promise<void> {
    for (let places = free(); places > 0; places = free()) {
      const notices = await claim(places);
      if (notices.length === 0) return;
      for (const notice of notices) begin(notice);
    }
  }

  const fill = (): Promise<void> => {
    filling ??= run().finally(() => { filling = null; });
    return filling;
  };
  const again = (): void => { fill().catch(onError); };

  return {
    fill,
    stop() { stopped = true; },
    async idle() {
      while (filling !== null || underWay.size > 0) await Promise.all([filling?.catch(() => undefined), ...underWay]);
    },
    get underWay() { return underWay.size; },
    get busy() { return filling !== null || underWay.size > 0; },
    get begun() { return begun; },
  };
}
