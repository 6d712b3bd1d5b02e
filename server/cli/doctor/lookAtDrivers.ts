import type { Config } from '../../../module/config/configSchema.ts';
import { createPort } from '../../createPort.ts';
import { reasonOf } from '../../diagnosis/findings.ts';
import type { DriverContext, PolicyDriverContext } from '../../drivers/defineDriver.ts';
import { DRIVERS } from '../../drivers/registry.ts';
import type { AccountApi, CallOptions } from '../../ports/accountApi.ts';
import { type Diagnosable, type DiagnoseOptions, fail, type Finding, ok, warn } from '../../ports/diagnosis.ts';
import type { HostIdentity } from '../../ports/hostIdentity.ts';
import type { Notifier } from '../../ports/notifier.ts';
import type { PasswordVerifier } from '../../ports/passwordVerifier.ts';
import type { PasswordPolicyProvider } from '../../ports/passwordPolicyProvider.ts';
import type { SessionStore } from '../../ports/sessionStore.ts';
import type { StateDatabase } from '../../state/stateDatabase.ts';
import type { Section } from './report.ts';

interface Port extends Diagnosable { check(options: CallOptions): Promise<void>; close(): Promise<void> }

interface Target { readonly target: string; readonly timeoutMs: number; readonly name: string; readonly open: (context: DriverContext) => Promise<Port> }

/** Administrators come from the configuration, or from a host that has and lets in its own. */
const administratorFindings = ({ panels, administrators, host: { driver } }: Config, host: HostIdentity): readonly Finding[] => (panels.admin.enabled && administrators.length === 0 && driver !== 'embedded' && host.administrator === undefined
  ? [warn('panels', 'the Admin Panel is on and nobody may log in there', 'add an administrator (`mailbox-password hash-password --name NAME`), let in those of Group-Office (host.administratorDomains), or set panels.admin.enabled to false')]
  : []);

const notifyTarget = (entry: NonNullable<Config['notify']>, timeoutMs: number): Target => ({
  target: `notify ${entry.driver}`, timeoutMs, name: entry.driver, open: (context) => createPort<Notifier>(DRIVERS.notify, 'notify', entry, context),
});

/** A driver that cannot say more is asked whether it works. */
async function diagnose(port: Port, options: DiagnoseOptions): Promise<readonly Finding[]> {
  if (port.diagnose !== undefined) return port.diagnose(options);
  await port.check(options);
  return [ok('works', 'it answers, and is as configured')];
}

async function openHost(config: Config, context: DriverContext): Promise<Port> {
  const host = await createPort<HostIdentity>(DRIVERS.hosts, 'host', config.host, context);
  return {
    check: (call) => host.check(call),
    close: () => host.close(),
    diagnose: async (options) => [...await diagnose(host, options), ...administratorFindings(config, host)],
  };
}

function targetsOf(config: Config, state: StateDatabase | null): Target[] {
  return [
    { target: `host ${config.host.driver}`, timeoutMs: config.timeouts.hostMs, name: config.host.driver, open: (context) => openHost(config, context) },
    ...config.accounts.flatMap((entry, at): Target[] => {
      const { verify } = entry;
      const place = `accounts[${String(at)}]`;
      return [{
        target: `${place} ${entry.driver} (${entry.domains.join(', ')})`, timeoutMs: config.timeouts.accountsMs, name: entry.driver,
        open: (context) => createPort<AccountApi>(DRIVERS.accounts, 'accounts', entry, context),
      }, ...(verify === undefined ? [] : [{
        target: `${place}.verify ${verify.driver}`, timeoutMs: config.timeouts.accountsMs, name: verify.driver,
        open: (context: DriverContext) => createPort<PasswordVerifier>(DRIVERS.verify, 'verify', verify, context),
      }])];
    }),
    ...config.sessions.map((entry, at): Target => ({
      target: `sessions[${String(at)}] ${entry.driver} (${entry.name})`, timeoutMs: config.timeouts.sessionsMs, name: entry.name,
      open: (context) => createPort<SessionStore>(DRIVERS.sessions, 'sessions', entry, context),
    })),
    ...(config.notify === null ? [] : [notifyTarget(config.notify, config.notices.timeoutMs)]),
    ...(state === null ? [] : config.serverRules.map((entry, at): Target => ({
      target: `serverRules[${String(at)}] ${entry.driver}`, timeoutMs: config.timeouts.accountsMs, name: entry.driver,
      open: (context) => createPort<PasswordPolicyProvider, PolicyDriverContext>(DRIVERS.policy, 'serverRules', entry, { ...context, state }),
    }))),
  ];
}

/** Every driver of the configuration, one after the other; one that cannot even be opened hides none of the others. */
export async function lookAtDrivers(config: Config, context: Omit<DriverContext, 'name'>, options: Omit<DiagnoseOptions, 'signal'>, state: StateDatabase | null, step: (target: string) => void): Promise<Section[]> {
  const sections: Section[] = [];
  for (const { target, timeoutMs, name, open } of targetsOf(config, state)) {
    step(target);
    let port: Port | undefined;
    try {
      port = await open({ ...context, name });
      // Several questions in one go: more time than for one.
      sections.push({ target, findings: await diagnose(port, { ...options, signal: AbortSignal.timeout(3 * timeoutMs) }) });
    } catch (error) {
      sections.push({ target, findings: [fail('works', reasonOf(error), 'set right what it names; docs/drivers has a page for each driver, docs/errors.md for each code')] });
    } finally {
      await port?.close().catch(() => undefined);
    }
  }
  return sections;
}
