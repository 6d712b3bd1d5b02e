import type { Config } from '../../module/config/configSchema.ts';
import { creating } from '../config/creating.ts';
import { createPort } from '../createPort.ts';
import type { DriverContext } from '../drivers/defineDriver.ts';
import { createStateNoticeOutbox } from '../drivers/noticeOutbox/state.ts';
import { DRIVERS } from '../drivers/registry.ts';
import type { AccountApi, CallOptions } from '../ports/accountApi.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { NoticeOutbox, NoticeSummary } from '../ports/noticeOutbox.ts';
import type { Notices } from '../ports/notices.ts';
import type { Notifier } from '../ports/notifier.ts';
import type { StateDatabase } from '../state/stateDatabase.ts';
import type { TextLibrary } from '../texts/textLibrary.ts';
import { composeNotice } from './composeNotice.ts';
import { createNotices } from './createNotices.ts';
import { loadTemplates } from './loadTemplates.ts';
import { createNoticeWorker, type NoticeWorker } from './noticeWorker.ts';

const HOUR_MS = 3_600_000;
/** A probe every few seconds must not be a log-in at the relay every few seconds. */
const CHECKED_EVERY_MS = 60_000;
/** A notice that waits for so long is worth a look. */
const OVERDUE_MS = 900_000;

/** Everything that sends notices. */
export interface NoticeDelivery {
  readonly notifier: Notifier;
  readonly outbox: NoticeOutbox;
  readonly worker: NoticeWorker;
  readonly notices: Notices;
  /** Rejects where the relay does not take mails; asks it now and then only. The state database has no part in it. */
  checkRelay(options: CallOptions): Promise<void>;
  /** Whether the oldest has waited for too long. */
  isOverdue(summary: NoticeSummary): boolean;
}

interface Surroundings {
  readonly database: StateDatabase;
  readonly context: DriverContext;
  readonly accounts: AccountApi;
  readonly metrics: Metrics;
  readonly texts: TextLibrary;
}

/** The languages whose notices are translated: a file with a single text of the operator's makes none. */
function noticeLanguages(library: TextLibrary): readonly string[] {
  const english = library.texts('en')['notice.what.change'];
  return library.languages().map(({ tag }) => tag).filter((tag) => tag === 'en' || tag.startsWith('en-') || library.texts(tag)['notice.what.change'] !== english);
}

/** Null where `notify` is. */
export async function wireNotices(config: Config, { database, context, accounts, metrics, texts }: Surroundings): Promise<NoticeDelivery | null> {
  const { notify, notices: own } = config;
  if (notify === null || own.from === null) return null;
  const { clock, log } = context;
  const templateFor = loadTemplates(own.templatesDir);
  const ours = loadTemplates(null);
  const outbox = createStateNoticeOutbox(database, clock);
  const notifier = await creating('notify', () => createPort<Notifier>(DRIVERS.notify, 'notify', notify, context));
  const style = { from: own.from, support: own.support, timeZone: own.timeZone, templateFor, textsOf: (language: string) => texts.texts(language) };
  const worker = createNoticeWorker({
    notifier, outbox, clock, log, metrics,
    compose(notice) {
      try {
        return composeNotice(notice, style);
      } catch (error) {
        // A notice in our words is worth more than none in the operator's.
        log.error({ notice: notice.id, detail: error instanceof Error ? error.message : 'unknown' }, 'a notice could not be made of the templates of notices.templatesDir; ours are used');
        return composeNotice(notice, { ...style, templateFor: ours });
      }
    },
    firstDelayMs: own.firstDelayMs, maxDelayMs: own.maxDelayMs, timeoutMs: own.timeoutMs, expireAfterMs: own.expireAfterHours * HOUR_MS, pollMs: config.revocation.pollMs,
  });
  const notices = createNotices({
    accounts, outbox, log, accountsTimeoutMs: config.timeouts.accountsMs, defaultLanguage: own.defaultLanguage, showAdministrator: own.showAdministrator,
    languages: () => noticeLanguages(texts),
  });

  let checkedAt = 0;
  let checked: Promise<void> = Promise.resolve();
  return {
    notifier, outbox, worker, notices,
    isOverdue: ({ oldestHappenedAt }) => oldestHappenedAt !== null && clock.now() - oldestHappenedAt > OVERDUE_MS,
    async checkRelay(options) {
      if (clock.now() - checkedAt >= CHECKED_EVERY_MS) {
        checkedAt = clock.now();
        checked = notifier.check(options);
      }
      await checked;
    },
  };
}
