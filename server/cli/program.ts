import type { Command } from 'commander';
import { auditCommand } from './auditCommand.ts';
import { baseProgram } from './baseProgram.ts';
import { command } from './command.ts';
import { configCommand } from './configCommand.ts';
import { hashPasswordCommand } from './hashPasswordCommand.ts';
import { doctorCommand } from './doctorCommand.ts';
import { forgetCommand } from './forgetCommand.ts';
import { groupOfficeCommands } from './installGroupOffice.ts';
import { initCommand } from './initCommand.ts';
import { localesCommand } from './locales/localesCommand.ts';
import { logoutCommand } from './logoutCommand.ts';
import { migrateCommand } from './migrateCommand.ts';
import { outboxCommand } from './outboxCommand.ts';
import { reloadCommand } from './reloadCommand.ts';
import { serveCommand } from './serveCommand.ts';
import { sessionsCommand } from './sessionsCommand.ts';
import { setCommand } from './setCommand.ts';

/** The whole command line; each command is a file of its own. Without a command it is `serve`: `words` is what was typed. */
export function buildProgram(words: readonly string[] = []): Command {
  const program = baseProgram();
  const groupOffice = groupOfficeCommands();
  // A word that is no command is a slip, and no word for `serve`.
  program.addCommand(serveCommand(), { isDefault: words[0]?.startsWith('-') ?? true });
  program.addCommand(reloadCommand());
  program.addCommand(initCommand());
  program.addCommand(configCommand());
  program.addCommand(hashPasswordCommand());
  // Else `doctor` takes --json and the like of the command below it for its own.
  program.addCommand(doctorCommand().enablePositionalOptions().addCommand(groupOffice.doctor));
  program.addCommand(setCommand());
  program.addCommand(logoutCommand());
  program.addCommand(sessionsCommand());
  program.addCommand(forgetCommand());
  program.addCommand(outboxCommand());
  program.addCommand(auditCommand());
  program.addCommand(migrateCommand());
  program.addCommand(localesCommand());
  program.addCommand(command('install', 'put the drop-in into a host').addCommand(groupOffice.install));
  program.addCommand(command('uninstall', 'take the drop-in out of a host').addCommand(groupOffice.uninstall));
  return program;
}
