import type { Logger } from 'pino';
import type { Clock } from '../ports/clock.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { NoticeOutbox, OwedNotice } from '../ports/noticeOutbox.ts';
import { type Notifier, NotSent, type OutgoingMail } from '../ports/notifier.ts';
import { backoff } from '../revocation/backoff.ts';
import { createPollLoop } from '../revocation/pollLoop.ts';
import { createNoticeLane, type NoticeLane } from './noticeLane.ts';

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
  /** Everything that is due now, to its end; returns how many were tried. */
  runOnce(): Promise<number>;
  start(): void;
  /** Resolves when what is under way has ended. */
  stop(): Promise<void>;
}

/**
 * Places for what is sent for the first time, and others for what is tried again: mails that hang or are refused at each try cannot
 * fill those of the new ones. Sixteen connections at the very most; relays commonly allow fifty of one client (Postfix: smtpd_client_connection_count_limit).
 */
const PLACES = { first: { quick: 4, most: 12 }, again: { quick: 2, most: 4 } } as const;
/** Beyond the time for a try: asking whether the relay is there, and writing down what came of it. */
const LEASE_MORE_MS = 30_000;
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
      await outbox.giveUp(id, detail);
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

  /** After a failure of the relay one mail goes ahead, and the others follow when it was taken. */
  function allowed(free: number): number {
    if (clock.now() < pausedUntil) return 0;
    if (relayFailures === 0) return free;
    return lanes.every(({ underWay }) => underWay === 0) ? Math.min(free, 1) : 0;
  }

  const onError = (error: unknown): void => { log.error({ detail: error instanceof Error ? error.message : 'unknown' }, 'the notice worker could not run'); };
  const lanes: readonly NoticeLane[] = (['first', 'again'] as const).map((which) => createNoticeLane({
    ...PLACES[which], allowed, onError,
    claim: (limit) => outbox.claimDue(limit, timeoutMs + LEASE_MORE_MS, which),
    async send(notice) {
      if (clock.now() < pausedUntil) await outbox.postpone(notice.id, notice.lastError ?? 'the mail relay is away', pausedUntil, false);
      else await send(notice);
      // The first one after an outage was taken: the other lane may go on too.
      if (relayFailures === 0) for (const lane of lanes) lane.fill().catch(onError);
    },
  }));

  async function pass(): Promise<void> {
    await expire();
    // One after the other: where one mail goes ahead for all, it is one.
    for (const lane of lanes) await lane.fill();
  }
  const idle = async (): Promise<void> => {
    while (lanes.some(({ busy }) => busy)) await Promise.all(lanes.map((lane) => lane.idle()));
  };

  const loop = createPollLoop({ pass: () => pass().then(() => false), pollMs, onError: (detail) => { onError(new Error(detail)); } });
  return {
    async runOnce() {
      const before = lanes.reduce((sum, { begun }) => sum + begun, 0);
      await pass();
      await idle();
      return lanes.reduce((sum, { begun }) => sum + begun, 0) - before;
    },
    start: loop.start,
    async stop() {
      for (const lane of lanes) lane.stop();
      await loop.stop();
      await idle();
    },
  };
}
