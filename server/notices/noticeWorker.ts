import type { Logger } from 'pino';
import type { Clock } from '../ports/clock.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { NoticeOutbox, OwedNotice } from '../ports/noticeOutbox.ts';
import { type Notifier, NotSent, type OutgoingMail } from '../ports/notifier.ts';
import { backoff } from '../revocation/backoff.ts';
import { createPollLoop } from '../revocation/pollLoop.ts';

export interface NoticeWorkerDependencies {
  readonly notifier: Notifier;
  readonly outbox: NoticeOutbox;
  readonly compose: (notice: OwedNotice) => OutgoingMail;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  readonly expireAfterMs: number;
  /** For one try. */
  readonly timeoutMs: number;
  readonly pollMs: number;
}

export interface NoticeWorker {
  /** One pass over what is due now; returns how many were tried. */
  runOnce(): Promise<number>;
  start(): void;
  /** Resolves when the pass under way has ended. */
  stop(): Promise<void>;
}

const BATCH = 20;
const AT_ONCE = 4;
/** Where the relay is away, one mail asks for all of them; not too seldom, so that they go soon after it is back. */
const LONGEST_PAUSE_MS = 60_000;

/** Whose notice, and which of the two: the recovery address itself is nobody's business in a log. */
const whose = ({ facts }: Pick<OwedNotice, 'facts'>) => ({ mailbox: facts.address, kind: facts.recovery === null ? 'mailbox' : 'recovery' });

/** Sends what is due. An outage of the relay delays everything and loses nothing; a mail that is refused for good is given up, with a log line. */
export function createNoticeWorker(dependencies: NoticeWorkerDependencies): NoticeWorker {
  const { notifier, outbox, compose, clock, log, metrics, firstDelayMs, maxDelayMs, expireAfterMs, timeoutMs, pollMs } = dependencies;
  let relayFailures = 0;
  let pausedUntil = 0;

  async function refused(notice: OwedNotice, error: NotSent): Promise<void> {
    const { id, changeId, attempts } = notice;
    const detail = error.message.slice(0, 200);
    // Who judges one mail is there for the others.
    if (error.kind !== 'relay') relayFailures = 0;
    if (error.kind === 'permanent') {
      await outbox.remove(id);
      metrics.notice('failed');
      log.error({ notice: id, changeId, ...whose(notice), attempts: attempts + 1, detail }, 'a notice was refused for good and is given up');
      return;
    }
    metrics.notice('retry');
    if (error.kind === 'temporary') {
      await outbox.postpone(id, detail, clock.now() + backoff(attempts, firstDelayMs, maxDelayMs), true);
      log.warn({ notice: id, changeId, ...whose(notice), attempts: attempts + 1, detail }, 'a notice was not taken yet');
      return;
    }
    // Several at once meet the same outage: one of them counts.
    if (clock.now() >= pausedUntil) {
      pausedUntil = clock.now() + backoff(relayFailures, Math.min(firstDelayMs, 5000), Math.min(maxDelayMs, LONGEST_PAUSE_MS));
      relayFailures += 1;
      log.warn({ failures: relayFailures, detail, pauseSeconds: Math.round((pausedUntil - clock.now()) / 1000) }, 'notices wait: the mail relay does not take them');
    }
    await outbox.postpone(id, detail, pausedUntil, false);
  }

  async function send(notice: OwedNotice): Promise<void> {
    const { id, changeId, attempts } = notice;
    try {
      await notifier.send(compose(notice), { signal: AbortSignal.timeout(timeoutMs) });
    } catch (error) {
      await refused(notice, error instanceof NotSent ? error : new NotSent('temporary', error instanceof Error ? error.message : 'unknown'));
      return;
    }
    if (relayFailures > 0) log.info({ failures: relayFailures }, 'the mail relay takes notices again');
    relayFailures = 0;
    // From the relay's word to here a crash means that it is sent once more, as the same mail.
    await outbox.remove(id);
    metrics.notice('sent');
    log.info({ notice: id, changeId, attempts: attempts + 1 }, 'notice sent');
  }

  async function expire(): Promise<void> {
    for (const { id, changeId, facts, attempts, lastError } of await outbox.expire(clock.now() - expireAfterMs)) {
      metrics.notice('failed');
      log.error({ notice: id, changeId, ...whose({ facts }), attempts, lastError }, 'a notice could not be sent in time and is given up');
    }
  }

  async function runOnce(): Promise<number> {
    await expire();
    if (clock.now() < pausedUntil) return 0;
    // After a failure one goes ahead and the others follow when it was taken.
    const limit = relayFailures > 0 ? 1 : BATCH;
    const notices = [...await outbox.claimDue(limit, timeoutMs * (BATCH / AT_ONCE) + 10_000)];
    const tried = notices.length;
    const work = async (): Promise<void> => {
      for (let notice = notices.shift(); notice !== undefined; notice = notices.shift()) {
        if (clock.now() < pausedUntil) await outbox.postpone(notice.id, notice.lastError ?? 'the mail relay is away', pausedUntil, false);
        else await send(notice);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return tried;
  }

  const loop = createPollLoop({
    // A full batch, or the first one after an outage: there may be more.
    pass: () => runOnce().then((tried) => tried > 0 && relayFailures === 0), pollMs,
    onError: (detail) => { log.error({ detail }, 'the notice worker could not run'); },
  });
  return { runOnce, start: loop.start, stop: loop.stop };
}
