import { pino } from 'pino';
import type { ObjectSchema } from 'yup';
import type { PolicyDriverContext } from '../../../../server/drivers/defineDriver.ts';
import type { StateDatabase } from '../../../../server/state/stateDatabase.ts';

/** What a policy driver is handed, with every log line kept. Without `state`, touching the database fails. */
export function policyContext(name: string, state?: StateDatabase): PolicyDriverContext & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    name, dataDir: '/nonexistent', clock: { now: () => Date.now() }, lines, state: state as StateDatabase,
    log: pino({ level: 'debug' }, { write: (line: string) => { lines.push(line); } }),
  };
}

/** A driver's options as the configuration would hand them over, judged by the driver's own schema. */
export const optionsOf = <Options extends object>(driver: { readonly options: ObjectSchema<Options> }, own: object): Options =>
  driver.options.validateSync(own, { strict: true, abortEarly: false }) as Options;
