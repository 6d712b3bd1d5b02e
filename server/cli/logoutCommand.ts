import type { Command } from 'commander';
import { useCaseDependencies } from '../http/useCaseDependencies.ts';
import type { SessionStore } from '../ports/sessionStore.ts';
import { type ListedSession, listSessions } from '../useCases/listSessions.ts';
import { revokeEverything, revokeOne } from '../useCases/revokeSessions.ts';
import { address as addressArgument, command, configOption, type ConfigOption, jsonOption, type JsonOption } from './command.ts';
import { endedText, exitForPending } from './ended.ts';
import { CommandError } from './exitCodes.ts';
import { commandRequester, OPERATOR, withService } from './openService.ts';
import { knownMailbox } from './setCommand.ts';
import { print, printJson, progress } from './terminal.ts';

interface Options extends ConfigOption, JsonOption { readonly session?: string; readonly force?: boolean }

async function theOne(start: string, address: string, stores: readonly SessionStore[], timeoutMs: number): Promise<ListedSession> {
  const found = (await listSessions(address, stores, timeoutMs)).sessions.filter(({ id }) => id.startsWith(start));
  const [one] = found;
  if (one === undefined) throw new CommandError('NOT_GOOD', `${address} has no session ${start}. Nothing was done.`);
  if (found.length > 1) throw new CommandError('NOT_GOOD', `${String(found.length)} sessions of ${address} begin with ${start}: give more of the id. Nothing was done.`);
  return one;
}

/** `mailbox-password logout`: ends a mailbox's sessions; its password stays. */
export function logoutCommand(): Command {
  return command('logout', 'log a mailbox out everywhere; its password stays', ['logout alice@example.com', 'logout alice@example.com --session 3f2a9c', 'logout gone@example.com --force'])
    .argument('<mailbox>', 'full e-mail address', addressArgument)
    .option('--session <id>', 'only this session: its id, or the beginning of it, as `sessions` prints it')
    .option('--force', 'also where the account API knows no such mailbox (any more)')
    .addOption(configOption()).addOption(jsonOption())
    .action(async (mailbox: string, options: Options) => {
      await withService(options, async (wiring) => {
        const address = options.force === true ? mailbox : await knownMailbox(mailbox, wiring);
        const request = { audit: OPERATOR, requester: commandRequester('logout'), address };
        const steps = progress();
        steps.step(`Ending sessions of ${address}`);
        const { session } = options;
        const stores = [...wiring.stores, wiring.panels.sessions.store];
        const one = session === undefined ? null : await theOne(session, address, stores, wiring.config.timeouts.sessionsMs);
        const result = await (one === null ? revokeEverything(request, useCaseDependencies(wiring))
          : revokeOne(request, stores.find(({ name }) => name === one.store), one.id, useCaseDependencies(wiring))).finally(() => { steps.done(); });
        if (options.json === true) printJson({ address, ...result });
        else print(`${address}: ${endedText(result)}`);
        exitForPending(result.pending);
      });
    });
}
