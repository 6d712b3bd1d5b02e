import type { Command } from 'commander';
import { version } from '../paths.ts';
import { auditCommand } from './auditCommand.ts';
import { command } from './command.ts';
import { configCommand } from './configCommand.ts';
import { hashPasswordCommand } from './hashPasswordCommand.ts';
import { doctorCommand } from './doctorCommand.ts';
import { EXIT_CODES } from './exitCodes.ts';
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

const EXAMPLES = ['init -o /etc/mailbox-password/config.yaml', 'doctor -c /etc/mailbox-password/config.yaml', 'set alice@example.com --generate', 'serve'];

const exitCodes = (): string => Object.values(EXIT_CODES).map(({ code, meaning }) => `  ${String(code).padEnd(4)} ${meaning}`).join('\n');

/** The whole command line; each command is a file of its own. Without a command it is `serve`: `words` is what was typed. */
export function buildProgram(words: readonly string[] = []): Command {
  const program = command('mailbox-password', 'Change a mailbox password and log out everywhere. Without a command: serve.', EXAMPLES).version(version())
    .addHelpText('after', `\nExit codes:\n${exitCodes()}`);
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
