import type { NoticeSummary } from '../ports/noticeOutbox.ts';
import type { OutboxSummary } from '../ports/revocationOutbox.ts';
import type { Wiring } from '../wiring.ts';

export interface Readiness {
  /** By part: `accounts`, `host`, `state`, `sessions:NAME`, `rate-limit` (a Redis of its own), and `outbox`, which is up while no log-out is overdue. */
  readonly up: Readonly<Record<string, boolean>>;
  /** What people get on without, by name: `notices`, `rule:NAME`. It is told, and requests are still welcome. */
  readonly optional: Readonly<Record<string, boolean>>;
  /** Null where the state database does not answer. */
  readonly outbox: OutboxSummary | null;
  /** Null where there are no notices, or the state database does not answer. */
  readonly notices: NoticeSummary | null;
}

/** However often it is asked, what stands behind is asked once a second. */
const KEPT_MS = 1_000;

/** Asks every part at the same time, each with a time limit; never rejects. Reasons go to the log, names alone to the caller. */
export function createReadiness(wiring: Wiring) {
  const { accounts, host, stores, outbox, limiter, clock, config, log, rules, noticeDelivery } = wiring;
  let kept: { readonly until: number; readonly answer: Promise<Readiness> } | undefined;
  const down = new Set<string>();

  async function ask(): Promise<Readiness> {
    const signal = AbortSignal.timeout(config.timeouts.sessionsMs);
    const late = new Promise<never>((_resolve, reject) => { signal.addEventListener('abort', () => { reject(new Error('time-out')); }, { once: true }); });
    late.catch(() => undefined);
    let summary: OutboxSummary | null = null;
    let notices: NoticeSummary | null = null;
    const parts: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['accounts', () => accounts.check({ signal })],
      ['host', () => host.check({ signal })],
      ...stores.map((store) => [`sessions:${store.name}`, () => store.check({ signal })] as const),
      ...(limiter.check === undefined ? [] : [['rate-limit', async () => limiter.check?.({ signal })] as const]),
      ['state', async () => { [summary, notices] = await Promise.all([outbox.summary(), noticeDelivery?.outbox.summary() ?? null]); }],
    ];
    const spare: typeof parts = [
      ...rules.map((rule) => [`rule:${rule.name}`, () => rule.check({ signal })] as const),
      ...(noticeDelivery === null ? [] : [['notices', () => noticeDelivery.checkRelay({ signal })] as const]),
    ];
    const up: Record<string, boolean> = {};
    const optional: Record<string, boolean> = {};
    await Promise.all([...parts.map((part) => [up, ...part] as const), ...spare.map((part) => [optional, ...part] as const)].map(async ([into, name, check]) => {
      try {
        await Promise.race([check(), late]);
        into[name] = true;
        if (down.delete(name)) log.warn({ component: name }, 'answers again');
      } catch (error) {
        into[name] = false;
        // Once per outage, not once per question.
        if (!down.has(name)) log.warn({ component: name, detail: error instanceof Error ? error.message : 'no answer' }, 'does not answer');
        down.add(name);
      }
    }));
    if (notices !== null && noticeDelivery?.isOverdue(notices) === true) optional['notices'] = false;
    const { oldestRecordedAt } = (summary as OutboxSummary | null) ?? { oldestRecordedAt: null };
    up['outbox'] = oldestRecordedAt === null || clock.now() - oldestRecordedAt <= config.revocation.alertAfterMs;
    return { up, optional, outbox: summary, notices };
  }

  return (): Promise<Readiness> => {
    const now = performance.now();
    if (kept === undefined || now > kept.until) {
      const answer = ask();
      kept = { until: Number.POSITIVE_INFINITY, answer };
      void answer.then(() => { kept = { until: performance.now() + KEPT_MS, answer }; });
    }
    return kept.answer;
  };
}
