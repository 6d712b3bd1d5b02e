import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { randomUUID } from 'node:crypto';
import { type Logger, pino } from 'pino';
import type { Config } from '../../module/config/configSchema.ts';
import { loadConfig } from '../config/loadConfig.ts';
import type { Requester } from '../useCases/replacePassword.ts';
import { wire, type Wiring } from '../wiring.ts';
import { becomeUser } from './becomeUser.ts';
import type { ConfigOption } from './command.ts';
import { operatorName } from './terminal.ts';

export const configOf = ({ config }: ConfigOption, overrides: Record<string, unknown> = {}): Config => loadConfig({ file: config, environment: process.env, overrides });

/**
 * Root becomes the user to whom the service's folder belongs. Else a database file that a command makes would be root's, and the
 * service could not write it any more; and a check would pass for root that fails for the service. Returns that user's id, or null.
 */
export function becomeServiceUser(dataDir: string): number | null {
  const folder = resolve(dataDir);
  if (process.getuid?.() !== 0 || !existsSync(folder)) return null;
  const { uid, gid } = statSync(folder);
  if (uid === 0) return null;
  becomeUser(uid, gid);
  return uid;
}

/** Commands say themselves what happened; only what is really wrong is logged beside. */
export const quietLog = (): Logger => pino({ level: 'error' }, process.stderr);

/** The service's ports for one command, beside a service that may be running on the same state. */
export async function withService<T>(options: ConfigOption, work: (wiring: Wiring) => Promise<T>): Promise<T> {
  const config = configOf(options);
  becomeServiceUser(config.dataDir);
  const wiring = await wire(config, quietLog(), { beside: true });
  try {
    return await work(wiring);
  } finally {
    await wiring.close();
  }
}

/** How the audit log names the command line. */
export const OPERATOR = { actor: 'cli', actorKind: 'operator' } as const;

export const commandRequester = (name: string): Requester => ({
  requestId: randomUUID(), remoteAddress: 'local', userAgent: `mailbox-password ${name} (${operatorName()})`, surface: 'command-line',
});
