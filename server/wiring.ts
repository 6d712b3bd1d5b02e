import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Config } from '../module/config/configSchema.ts';
import { type PasswordPolicy, POLICY_PRESETS } from '../module/policy/passwordPolicy.ts';
import { type AccountRoute, accountsByDomain } from './accountsByDomain.ts';
import { keyAt } from './config/configKeys.ts';
import { ConfigError } from './config/configProblem.ts';
import { creating } from './config/creating.ts';
import { driverAtIn, judgeDrivers } from './config/judgeDrivers.ts';
import { valueAt } from './config/layers.ts';
import { createPort } from './createPort.ts';
import { createStateAudit } from './drivers/audit/state.ts';
import type { DriverContext } from './drivers/defineDriver.ts';
import { createStateOutbox } from './drivers/outbox/state.ts';
import { createRedisRateLimiter } from './drivers/rateLimit/redis.ts';
import { createStateRateLimiter } from './drivers/rateLimit/state.ts';
import { createServerRules, distinctRules } from './passwordPolicy/createServerRules.ts';
import { DRIVERS } from './drivers/registry.ts';
import { type NoticeDelivery, wireNotices } from './notices/wireNotices.ts';
import { createPanels, type Panels } from './panels/createPanels.ts';
import { endingPanelSessions } from './panels/panelSessions.ts';
import type { PanelTables } from './panels/tables.ts';
import { createMailRefresher, withMailRefresh } from './groupOffice/mailRefresh.ts';
import type { AccountApi } from './ports/accountApi.ts';
import type { AuditLog } from './ports/auditLog.ts';
import { watchedCertificates } from './diagnosis/watchedCertificates.ts';
import type { WatchedCertificate } from './metrics/certificateWatch.ts';
import type { Clock } from './ports/clock.ts';
import type { Diagnosable } from './ports/diagnosis.ts';
import type { HostIdentity } from './ports/hostIdentity.ts';
import type { MailboxTurns } from './ports/mailboxTurns.ts';
import { type Metrics, NO_METRICS } from './ports/metrics.ts';
import { NO_NOTICES, type Notices } from './ports/notices.ts';
import type { PasswordPolicyProvider } from './ports/passwordPolicyProvider.ts';
import type { PasswordVerifier } from './ports/passwordVerifier.ts';
import type { RateLimiter } from './ports/rateLimiter.ts';
import type { RevocationOutbox } from './ports/revocationOutbox.ts';
import type { SessionStore } from './ports/sessionStore.ts';
import { createMailboxTurns, freeTurns } from './state/mailboxTurns.ts';
import { pruneAudit, type Pruned } from './state/pruneAudit.ts';
import { createSharedClock } from './state/sharedClock.ts';
import { openState } from './state/stateDatabase.ts';
import { createTextLibrary, type TextLibrary } from './texts/textLibrary.ts';
import { verifiedAccounts } from './verifiedAccounts.ts';

/** Every port with the driver that serves it. */
export interface Wiring {
  readonly config: Config;
  readonly dataDir: string;
  readonly policy: PasswordPolicy;
  /** The rules that only the server can judge. */
  readonly rules: readonly PasswordPolicyProvider[];
  readonly accounts: AccountApi;
  readonly stores: readonly SessionStore[];
  readonly host: HostIdentity;
  readonly outbox: RevocationOutbox;
  readonly audit: AuditLog;
  /** One batch of the audit log's rows that are older than that, milliseconds since the epoch. */
  readonly pruneAudit: (before: number) => Promise<Pruned>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly panels: Panels;
  readonly texts: TextLibrary;
  readonly limiter: RateLimiter;
  readonly turns: MailboxTurns;
  readonly notices: Notices;
  /** Null where nobody is configured to send notices. */
  readonly noticeDelivery: NoticeDelivery | null;
  /** Every server that is reached over TLS, for the watch over their certificates. */
  readonly certificates: readonly WatchedCertificate[];
  close(): Promise<void>;
}

/** Group-Office keeps a copy of each mailbox password for its own mail client: its service key lets us renew it. */
function renewingMail(accounts: AccountApi, config: Config, log: Logger, opened: { close(): Promise<void> | void }[]): AccountApi {
  if (config.host.driver !== 'groupOffice') return accounts;
  const { url, host } = config.host as { url?: string; host?: string | null };
  const { serviceKey } = (config.sessions.find(({ driver }) => driver === 'groupOffice') ?? {}) as { serviceKey?: string };
  if (url === undefined || serviceKey === undefined) return accounts;
  const refresher = createMailRefresher({ url, ...(host !== undefined && { host }), serviceKey }, log);
  opened.push(refresher);
  return withMailRefresh(accounts, refresher);
}

export interface WireOptions {
  /** This machine's clock, milliseconds since the epoch. */
  readonly system?: (() => number) | undefined;
  readonly metrics?: Metrics | undefined;
  /** True where this process has another wiring over the same state, whose changes may be under way. */
  readonly beside?: boolean | undefined;
}

/** The only place that knows which driver serves which port. */
export async function wire(config: Config, log: Logger, { system = Date.now, metrics = NO_METRICS, beside = false }: WireOptions = {}): Promise<Wiring> {
  const dataDir = resolve(config.dataDir);
  const problems = judgeDrivers(config, { keyAt: (path) => keyAt(path, driverAtIn(config)), valueAt: (path) => valueAt(config, path) });
  if (problems.length > 0) throw new ConfigError(problems);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const opened: { close(): Promise<void> | void }[] = [];
  const closeAll = async (): Promise<void> => { await Promise.allSettled(opened.reverse().map(async (one) => one.close())); };
  try {
    const state = await creating('state', () => openState(dataDir, config.state.url, config.state.previousUrl, config.state.tls));
    opened.push({ close: () => state.database.destroy() });
    const clock = await createSharedClock(state.now, system);
    opened.push(clock);
    const context = (name: string): DriverContext => ({ name, dataDir, clock, log });
    const rules = await createServerRules(config, { ...context(''), state: state.database });
    opened.push(...rules);
    const { preset, ...over } = config.policy;
    const policy = { ...POLICY_PRESETS[preset as keyof typeof POLICY_PRESETS], ...over, serverRules: distinctRules(rules) } as PasswordPolicy;
    const parts: [string, Diagnosable][] = [];
    const routes: AccountRoute[] = [];
    for (const [at, entry] of config.accounts.entries()) {
      const own = await creating(`accounts[${String(at)}]`, () => createPort<AccountApi>(DRIVERS.accounts, 'accounts', entry, context(entry.driver)));
      opened.push(own);
      parts.push([`accounts[${String(at)}]`, own]);
      const verifier = entry.verify === undefined ? null : await createPort<PasswordVerifier>(DRIVERS.verify, 'verify', entry.verify, context(entry.verify.driver));
      if (verifier !== null) {
        opened.push(verifier);
        parts.push([`accounts[${String(at)}].verify`, verifier]);
      }
      routes.push({ domains: entry.domains.map((domain) => domain.toLowerCase()), api: verifier === null ? own : verifiedAccounts(own, verifier) });
    }
    const accounts = renewingMail(accountsByDomain(routes), config, log, opened);
    const stores: SessionStore[] = [];
    for (const [at, entry] of config.sessions.entries()) {
      const store = await creating(`sessions[${String(at)}]`, () => createPort<SessionStore>(DRIVERS.sessions, 'sessions', entry, context(entry.name)));
      stores.push(store);
      parts.push([`sessions:${store.name}`, store]);
      opened.push(store);
    }
    const host = await createPort<HostIdentity>(DRIVERS.hosts, 'host', config.host, context(config.host.driver));
    opened.push(host);
    parts.push(['host', host]);
    const { redis } = config.rateLimit;
    const limiter = redis === null ? createStateRateLimiter(state.relaxed, clock) : await creating('rateLimit.redis', async () => createRedisRateLimiter(redis));
    opened.push(limiter);
    const turns = createMailboxTurns(state, clock);
    const [panelTables, relaxedPanelTables] = [state.database, state.relaxed] as unknown as [Kysely<PanelTables>, Kysely<PanelTables>];
    const panels = await createPanels(config, panelTables, clock);
    const addressOf = async (changeId: string) => (await state.database.selectFrom('outbox').select('address').where('change_id', '=', changeId).executeTakeFirst())?.address ?? null;
    const outbox = endingPanelSessions(createStateOutbox(state, clock, config.revocation.leaseMs), (address, issuedBefore) => panels.sessions.revokeAll(address, issuedBefore, relaxedPanelTables), addressOf);
    const texts = createTextLibrary(config.locales.dir, (path, error) => { log.error({ path, detail: (error as Error).message }, 'texts cannot be read; the last good ones are used'); });
    const notice = await wireNotices(config, { database: state.database, context: context(config.notify?.driver ?? ''), accounts, metrics, texts });
    if (notice !== null) {
      opened.push(notice.notifier);
      parts.push(['notify', notice.notifier]);
    }
    // SQLite has one process: what a dead one had leased is free at once. Shared, the lease has to end.
    if (!state.shared && !beside) {
      await outbox.retryNow();
      await freeTurns(state.database);
      await notice?.outbox.freeAll();
    }
    return { config, dataDir, policy, rules, accounts, stores, host, outbox, clock, log, metrics, panels, limiter, turns, texts, notices: notice?.notices ?? NO_NOTICES, noticeDelivery: notice, certificates: watchedCertificates(config, parts), audit: createStateAudit(state.database), pruneAudit: (before) => pruneAudit(state.database, before), close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
