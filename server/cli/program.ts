import { join } from 'node:path';
import type { Command } from 'commander';
import { packageRoot, readJson } from '../paths.ts';
import { auditCommand } from './auditCommand.ts';
import { command } from './command.ts';
import { configCommand } from './configCommand.ts';
import { hashPasswordCommand } from './hashPasswordCommand.ts';
import { doctorCommand } from './doctorCommand.ts';
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

/** The whole command line; each command is a file of its own. */
export function buildProgram(): Command {
  const { version } = readJson(join(packageRoot(), 'manifest.json')) as { version: string };
  const program = command('mailbox-password', 'Change a mailbox password and log out everywhere.').version(version);
  const groupOffice = groupOfficeCommands();
  program.addCommand(serveCommand(), { isDefault: true });
  program.addCommand(reloadCommand());
  program.addCommand(initCommand());
  program.addCommand(configCommand());
  program.addCommand(hashPasswordCommand());
  program.addCommand(doctorCommand().addCommand(groupOffice.doctor));
  program.addCommand(setCommand());
  program.addCommand(logoutCommand());
  program.addCommand(sessionsCommand());
  program.addCommand(outboxCommand());
  program.addCommand(auditCommand());
  program.addCommand(migrateCommand());
  program.addCommand(localesCommand());
  program.addCommand(command('install', 'put the drop-in into a host').addCommand(groupOffice.install));
  program.addCommand(command('uninstall', 'take the drop-in out of a host').addCommand(groupOffice.uninstall));
  return program;
}
