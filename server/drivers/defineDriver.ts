import type { ObjectSchema } from 'yup';
import type { Logger } from 'pino';
import type { AccountApi } from '../ports/accountApi.ts';
import type { Clock } from '../ports/clock.ts';
import type { HostIdentity } from '../ports/hostIdentity.ts';
import type { Notifier } from '../ports/notifier.ts';
import type { PasswordPolicyProvider } from '../ports/passwordPolicyProvider.ts';
import type { PasswordVerifier } from '../ports/passwordVerifier.ts';
import type { SessionStore } from '../ports/sessionStore.ts';
import type { StateDatabase } from '../state/stateDatabase.ts';

/** What every driver is handed besides its own options. */
export interface DriverContext {
  /** The name under which the configuration lists it (session stores), else the driver's name. */
  readonly name: string;
  /** The folder that the operator gave for data; it exists. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * One driver = one file with this as its default export, one test, one page in `docs/drivers/`. `options` is a strict yup
 * schema (unknown keys refused); a key marked `.meta({ secret: true })` is masked wherever configuration is shown and may
 * be given as `{ env: NAME }` or `{ file: PATH }`; it arrives here as the plain string.
 */
export interface Driver<Port, Options extends object, Context extends DriverContext = DriverContext> {
  readonly name: string;
  /** One sentence for `--help` and the documents. */
  readonly summary: string;
  readonly options: ObjectSchema<Options>;
  create(options: Options, context: Context): Promise<Port>;
}

/** A policy driver may keep what it needs in the module's own database. */
export interface PolicyDriverContext extends DriverContext {
  readonly state: StateDatabase;
}

export const defineAccountDriver = <Options extends object>(driver: Driver<AccountApi, Options>) => driver;
export const defineSessionDriver = <Options extends object>(driver: Driver<SessionStore, Options>) => driver;
export const defineVerifyDriver = <Options extends object>(driver: Driver<PasswordVerifier, Options>) => driver;
export const defineHostDriver = <Options extends object>(driver: Driver<HostIdentity, Options>) => driver;
export const definePolicyDriver = <Options extends object>(driver: Driver<PasswordPolicyProvider, Options, PolicyDriverContext>) => driver;
export const defineNotifyDriver = <Options extends object>(driver: Driver<Notifier, Options>) => driver;
