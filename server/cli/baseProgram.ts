import type { Command } from 'commander';
import { version } from '../paths.ts';
import { command } from './command.ts';
import { EXIT_CODES } from './exitCodes.ts';

const EXAMPLES = ['init -o /etc/mailbox-password/config.yaml', 'doctor -c /etc/mailbox-password/config.yaml', 'set alice@example.com --generate', 'serve'];

const exitCodes = (): string => Object.values(EXIT_CODES).map(({ code, meaning }) => `  ${String(code).padEnd(4)} ${meaning}`).join('\n');

/** The command line before it has any command. */
export const baseProgram = (): Command => command('mailbox-password', 'Change a mailbox password and log out everywhere. Without a command: serve.', EXAMPLES).version(version())
  .addHelpText('after', `\nExit codes:\n${exitCodes()}`);
