import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { randomUUID } from 'node:crypto';
import { type Logger, pino } from 'pino';
import type { Config } from '../../module/config/configSchema.ts';
import { loadConfig } from '../config/loadConfig.ts';
import type { Requester } from '../useCases/replacePassword.ts';
import { wire, type Wiring } from '../wiring.ts';
import { becomeUser } from './becomeUser.ts';
import type { ConfigOption } from './command.ts';
import { CommandError } from './exitCodes.ts';
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

/** A look must leave nothing behind: without a name of the configuration it would be a demo in the folder where one happens to be. */
export function mustHaveState({ dataDir, state: { url } }: Config): void {
  const file = join(resolve(dataDir), 'state.db');
  if (url === null && !existsSync(file)) throw new CommandError('NOT_GOOD', `${file} is not there yet: \`serve\` and \`migrate up\` make it. Is this the configuration that you mean (--config)? Nothing was done.`);
}

/** Commands say themselves what happened; only what is really wrong is logged beside. */
export const quietLog = (): Logger => pino({ level: 'error' }, process.stderr);

/** A change by the command line leaves the log line that one by a panel leaves, where no person reads the standard error output. */
const changesLog = ({ log: { level } }: Config): Logger => (process.stderr.isTTY || level === 'silent' ? quietLog() : pino({ level }, process.stderr));

/** The service's ports for one command, beside a service that may be running on the same state. */
export async function withService<T>(options: ConfigOption, work: (wiring: Wiring) => Promise<T>): Promise<T> {
  const config = configOf(options);
  becomeServiceUser(config.dataDir);
  if (!existsSync(resolve(config.dataDir))) throw new CommandError('NOT_GOOD', `The folder ${resolve(config.dataDir)} (dataDir) is not there yet: start the service once. Is this the configuration that you mean (--config)? Nothing was done.`);
  const wiring = await wire(config, changesLog(config), { beside: true });
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
