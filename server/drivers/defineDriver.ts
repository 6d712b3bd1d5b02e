import type { ObjectSchema } from 'yup';
import type { Logger } from 'pino';
import type { AccountApi } from '../ports/accountApi.ts';
import type { Clock } from '../ports/clock.ts';
import type { HostIdentity } from '../ports/hostIdentity.ts';
import type { SessionStore } from '../ports/sessionStore.ts';

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
export interface Driver<Port, Options extends object> {
  readonly name: string;
  /** One sentence for `--help` and the documents. */
  readonly summary: string;
  readonly options: ObjectSchema<Options>;
  create(options: Options, context: DriverContext): Promise<Port>;
}

export const defineAccountDriver = <Options extends object>(driver: Driver<AccountApi, Options>) => driver;
export const defineSessionDriver = <Options extends object>(driver: Driver<SessionStore, Options>) => driver;
export const defineHostDriver = <Options extends object>(driver: Driver<HostIdentity, Options>) => driver;
