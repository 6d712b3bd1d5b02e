import { pino } from 'pino';
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
