import { pino } from 'pino';
import type { DriverContext } from '../../../../server/drivers/defineDriver.ts';

/** What a session driver is handed, with every log line kept. */
export function testContext(name = 'web'): DriverContext & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    name, dataDir: '/nonexistent', clock: { now: () => Date.now() }, lines,
    log: pino({ level: 'debug' }, { write: (line: string) => { lines.push(line); } }),
  };
}
