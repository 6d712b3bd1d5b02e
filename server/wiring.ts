import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Logger } from 'pino';
import { ValidationError } from 'yup';
import type { Config } from '../module/config/configSchema.ts';
import { type PasswordPolicy, POLICY_PRESETS } from '../module/policy/passwordPolicy.ts';
import { ConfigError } from './config/loadConfig.ts';
import { createStateAudit } from './drivers/audit/state.ts';
import type { Driver, DriverContext } from './drivers/defineDriver.ts';
import { createStateOutbox } from './drivers/outbox/state.ts';
import { DRIVERS } from './drivers/registry.ts';
import { createPanels, type Panels } from './panels/createPanels.ts';
import { endingPanelSessions } from './panels/panelSessions.ts';
import type { AccountApi } from './ports/accountApi.ts';
import type { AuditLog } from './ports/auditLog.ts';
import type { Clock } from './ports/clock.ts';
import type { HostIdentity } from './ports/hostIdentity.ts';
import type { RevocationOutbox } from './ports/revocationOutbox.ts';
import type { SessionStore } from './ports/sessionStore.ts';
import { openState } from './state/stateDatabase.ts';

/** Every port with the driver that serves it. */
export interface Wiring {
  readonly config: Config;
  readonly dataDir: string;
  readonly policy: PasswordPolicy;
  readonly accounts: AccountApi;
  readonly stores: readonly SessionStore[];
  readonly host: HostIdentity;
  readonly outbox: RevocationOutbox;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly log: Logger;
  readonly panels: Panels;
  close(): Promise<void>;
}

type AnyDriver<Port> = Driver<Port, object>;

async function create<Port>(drivers: Readonly<Record<string, AnyDriver<Port>>>, path: string, options: { driver: string }, context: DriverContext, own: readonly string[]): Promise<Port> {
  const driver = drivers[options.driver];
  if (driver === undefined) throw new ConfigError([`${path}.driver: "${options.driver}" is not one of ${Object.keys(drivers).join(', ')}`]);
  const rest = Object.fromEntries(Object.entries(options).filter(([key]) => key !== 'driver' && !own.includes(key)));
  try {
    return await driver.create(driver.options.validateSync(rest, { strict: true, abortEarly: false }), context);
  } catch (error) {
    if (!ValidationError.isError(error)) throw error;
    throw new ConfigError(error.inner.map((inner) => `${path}.${inner.path ?? ''}: ${inner.message}`));
  }
}

/** The only place that knows which driver serves which port. */
export async function wire(config: Config, log: Logger): Promise<Wiring> {
  const dataDir = resolve(config.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const clock: Clock = { now: () => Date.now() };
  const context = (name: string): DriverContext => ({ name, dataDir, clock, log });
  const first = config.accounts[0];
  if (first === undefined || config.accounts.length > 1 || first.domains.join() !== '*') {
    throw new ConfigError(['accounts: one entry with domains ["*"] is supported for now']);
  }
  const { preset, ...over } = config.policy;
  const policy = { ...POLICY_PRESETS[preset as keyof typeof POLICY_PRESETS], ...over } as PasswordPolicy;
  const accounts = await create<AccountApi>(DRIVERS.accounts, 'accounts[0]', first, context(first.driver), ['domains']);
  const stores: SessionStore[] = [];
  for (const [at, entry] of config.sessions.entries()) {
    stores.push(await create<SessionStore>(DRIVERS.sessions, `sessions[${String(at)}]`, entry, context(entry.name), ['name']));
  }
  const host = await create<HostIdentity>(DRIVERS.hosts, 'host', config.host, context(config.host.driver), []);
  const state = await openState(dataDir);
  const panels = await createPanels(config, state as unknown as Parameters<typeof createPanels>[1], clock);
  const addressOf = async (changeId: string) => (await state.selectFrom('outbox').select('address').where('change_id', '=', changeId).executeTakeFirst())?.address ?? null;
  const outbox = endingPanelSessions(createStateOutbox(state, clock, config.revocation.leaseMs), panels.sessions, addressOf);
  // SQLite has one process: what a dead one had leased is free at once.
  await outbox.retryNow();
  return {
    config, dataDir, policy, accounts, stores, host, outbox, clock, log, panels,
    audit: createStateAudit(state),
    async close() {
      await Promise.all([accounts.close(), host.close(), ...stores.map((store) => store.close())]);
      await state.destroy();
    },
  };
}
