import type { Command } from 'commander';
import { ModuleError } from '../../module/errors.ts';
import type { AccountApi } from '../ports/accountApi.ts';
import { listSessions } from '../useCases/listSessions.ts';
import { address as addressArgument, command, configOption, type ConfigOption, jsonOption, type JsonOption } from './command.ts';
import { exitWith } from './exitCodes.ts';
import { withService } from './openService.ts';
import { print, printJson, say, table } from './terminal.ts';

const SHOWN_ID = 12;
const time = (ms: number | null): string => (ms === null ? '-' : `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')}Z`);

/** Also where nobody can tell: a mailbox that was deleted may have sessions left, and they are what is asked for. */
const isKnown = (address: string, accounts: AccountApi, timeoutMs: number): Promise<boolean> =>
  accounts.find(address, { signal: AbortSignal.timeout(timeoutMs) }).then((found) => found !== null, (error: unknown) => !(error instanceof ModuleError && error.code === 'ACCOUNT_NOT_FOUND'));

/** `mailbox-password sessions`: where a mailbox is logged in. */
export function sessionsCommand(): Command {
  return command('sessions', 'where a mailbox is logged in', ['sessions alice@example.com', 'sessions alice@example.com --json'])
    .argument('<mailbox>', 'full e-mail address', addressArgument)
    .addOption(configOption()).addOption(jsonOption())
    .action(async (address: string, options: ConfigOption & JsonOption) => {
      await withService(options, async ({ accounts, stores, panels, config }) => {
        const { sessions, unavailable } = await listSessions(address, [...stores, panels.sessions.store], config.timeouts.sessionsMs);
        if (options.json === true) printJson({ address, sessions, unavailable });
        else if (sessions.length === 0) print(unavailable.length === 0 ? `${address} is logged in nowhere.` : `${address}: nothing found.`);
        else print(table([['SESSION', 'STORE', 'CHANNEL', 'SINCE', 'LAST SEEN', 'FROM', 'CLIENT'], ...sessions.map((one) => [
          one.id.slice(0, SHOWN_ID), one.store, one.channel, time(one.issuedAt), time(one.lastSeenAt), one.remoteAddress ?? '-', (one.client ?? '-').replaceAll(/\p{Cc}/gu, ' ').slice(0, 60),
        ])]));
        if (unavailable.length > 0) {
          say(`Not asked, or no answer: ${unavailable.join(', ')}. There may be more sessions than shown.`);
          exitWith('UNAVAILABLE');
        } else if (sessions.length === 0 && !(await isKnown(address, accounts, config.timeouts.accountsMs))) {
          say('The account API knows no such mailbox: check the spelling.');
          exitWith('NOT_GOOD');
        }
      });
    });
}
