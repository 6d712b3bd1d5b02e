import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { ERRORS } from '../../module/errors.ts';
import type { Metrics } from '../ports/metrics.ts';

/** What can only be known by asking, at each scrape. */
export interface Observed {
  readonly outbox: { readonly rows: Readonly<Record<string, number>>; readonly oldestSeconds: number } | null;
  /** Null where notices are off, or the state database does not answer. */
  readonly notices: { readonly count: number; readonly oldestSeconds: number } | null;
  /** Seconds until the certificate of each server ends, by target; below 0 where it has. */
  readonly certificates: Readonly<Record<string, number>>;
  /** By part: `accounts`, `host`, `state`, `sessions:NAME`. */
  readonly up: Readonly<Record<string, boolean>>;
  readonly readOnly: boolean;
}

const PREFIX = 'mailbox_password_';
/** From a hash table's lookup to a time-out. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * {@link Metrics} for Prometheus (https://prometheus.io/docs/practices/naming/). One for the life of the process: what was counted
 * stays when the configuration is read again. `observe` is called at each scrape and must not reject.
 */
export function createPromMetrics(version: string) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) => new Counter({ name: PREFIX + name, help, labelNames, registers });
  const histogram = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) => new Histogram({ name: PREFIX + name, help, labelNames, buckets: SECONDS, registers });
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) => new Gauge({ name: PREFIX + name, help, labelNames, registers });

  const changes = counter('changes_total', 'Changes and sets of passwords, and log-outs without one, by outcome', ['action', 'surface', 'outcome']);
  const hops = histogram('hop_duration_seconds', 'Time that each hop of a change took', ['hop']);
  const revocations = counter('revocations_total', 'Tries to end what a mailbox has in a session store', ['store', 'outcome']);
  const limited = counter('rate_limited_total', 'Tries refused because of those before them, by limit', ['kind']);
  const notices = counter('notices_total', 'Tries to send a notice', ['outcome']);
  const problems = counter('problems_total', 'Answers that were a problem, by error code', ['code']);
  const requests = counter('http_requests_total', 'HTTP requests by route and class of status', ['route', 'status']);
  const durations = histogram('http_request_duration_seconds', 'Time to the end of the answer', ['route']);
  const reloads = counter('config_reloads_total', 'Times that the configuration was read again', ['outcome']);
  const lastReload = gauge('config_last_reload_successful', '1 where the last try to read the configuration was a success', []);
  const rows = gauge('outbox_rows', 'Log-outs still owed, by session store', ['store']);
  const oldest = gauge('outbox_oldest_age_seconds', 'Age of the oldest log-out still owed; 0 where none is', []);
  const waiting = gauge('notices_waiting', 'Notices by e-mail that are still to be sent', []);
  const oldestNotice = gauge('notices_oldest_age_seconds', 'Age of the oldest notice that is still to be sent; 0 where none is', []);
  const certificates = gauge('certificate_expires_in_seconds', 'Seconds until the certificate of a server ends that is reached over TLS; below 0 where it has', ['target']);
  const up = gauge('component_up', '1 where this part answers (as in /readyz)', ['component']);
  const readOnly = gauge('read_only', '1 in maintenance: nothing is changed', []);
  gauge('build_info', 'Version of the service and of Node; always 1', ['version', 'node']).set({ version, node: process.versions.node }, 1);
  // Counters that are there from the start make `increase()` see the first event.
  for (const code of Object.keys(ERRORS)) problems.inc({ code }, 0);
  for (const outcome of ['done', 'refused']) reloads.inc({ outcome }, 0);
  for (const outcome of ['sent', 'retry', 'failed']) notices.inc({ outcome }, 0);
  for (const kind of ['mailbox', 'address']) limited.inc({ kind }, 0);
  lastReload.set(1);

  const metrics: Metrics = {
    changed({ action, surface, outcome, hops: taken }) {
      changes.inc({ action, surface, outcome });
      for (const [hop, milliseconds] of Object.entries(taken)) hops.observe({ hop }, milliseconds / 1000);
    },
    revocation: (store, outcome) => { revocations.inc({ store, outcome }); },
    rateLimited: (kind) => { limited.inc({ kind }); },
    notice: (outcome) => { notices.inc({ outcome }); },
    problem: (code) => { problems.inc({ code }); },
    request(route, status, seconds) {
      requests.inc({ route, status: `${String(Math.floor(status / 100))}xx` });
      durations.observe({ route }, seconds);
    },
    reloaded(outcome) {
      reloads.inc({ outcome });
      lastReload.set(outcome === 'done' ? 1 : 0);
    },
  };

  return {
    metrics,
    contentType: registry.contentType,
    /** The text of one scrape. */
    async text(observed: Observed): Promise<string> {
      // A store that owes nothing any more shows 0, not its last number.
      rows.reset();
      up.reset();
      for (const [component, answers] of Object.entries(observed.up)) up.set({ component }, answers ? 1 : 0);
      // Unknown is shown as missing, never as 0: an alert on "absent" can tell.
      if (observed.outbox === null) oldest.remove();
      else {
        for (const [store, count] of Object.entries(observed.outbox.rows)) rows.set({ store }, count);
        oldest.set(observed.outbox.oldestSeconds);
      }
      if (observed.notices === null) for (const one of [waiting, oldestNotice]) one.remove();
      else {
        waiting.set(observed.notices.count);
        oldestNotice.set(observed.notices.oldestSeconds);
      }
      certificates.reset();
      for (const [target, seconds] of Object.entries(observed.certificates)) certificates.set({ target }, seconds);
      readOnly.set(observed.readOnly ? 1 : 0);
      return registry.metrics();
    },
  };
}

export type PromMetrics = ReturnType<typeof createPromMetrics>;
