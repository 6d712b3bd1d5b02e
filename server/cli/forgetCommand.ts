import type { Command } from 'commander';
import { forgetMailbox } from '../passwordPolicy/memories.ts';
import { address as addressArgument, command, configOption, type ConfigOption, jsonOption, type JsonOption } from './command.ts';
import { withState } from './openState.ts';
import { print, printJson } from './terminal.ts';

/** `mailbox-password forget`: a mailbox was deleted, and its address may be somebody else's next. */
export function forgetCommand(): Command {
  return command('forget', 'a mailbox was deleted: delete what is kept of its old passwords', ['forget gone@example.com'])
    .argument('<mailbox>', 'full e-mail address', addressArgument)
    .addOption(configOption()).addOption(jsonOption())
    .action((mailbox: string, options: ConfigOption & JsonOption) => withState(options, async ({ database }) => {
      const forgotten = await forgetMailbox(database, mailbox);
      if (options.json === true) printJson({ address: mailbox, forgotten });
      else print(`${mailbox}: ${forgotten === 0 ? 'no old password was kept' : `${String(forgotten)} old password${forgotten === 1 ? ' was' : 's were'} forgotten`}`);
    }));
}
