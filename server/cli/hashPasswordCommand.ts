import type { Command } from 'commander';
import { stringify } from 'yaml';
import { hashAdministratorPassword } from '../panels/administrators.ts';
import { command, jsonOption, type JsonOption } from './command.ts';
import { CommandError } from './exitCodes.ts';
import { print, printJson, readSecret } from './terminal.ts';

interface Options extends JsonOption { readonly name?: string; readonly domain?: readonly string[]; readonly passwordStdin?: boolean }

const MIN_LENGTH = 12;

/** An administrator reaches many mailboxes with one password. */
export function checkAdministratorPassword(password: string): void {
  if ([...password].length < MIN_LENGTH) throw new CommandError('REFUSED', `An administrator's password has at least ${String(MIN_LENGTH)} characters. Nothing was done.`);
}

/** `mailbox-password hash-password`: what stands in the configuration for an administrator. */
export function hashPasswordCommand(): Command {
  return command('hash-password', 'hash an administrator\'s password for the configuration (Argon2id)', [
    'hash-password', 'hash-password --name carol --domain example.com --domain example.org', 'hash-password --password-stdin < /run/new-password',
  ])
    .option('--name <name>', 'print the whole entry for `administrators` of this name')
    .option('--domain <domain...>', 'domains that the administrator may reach; all where left out')
    .option('--password-stdin', 'read the password from the standard input')
    .addOption(jsonOption())
    .action(async ({ name, domain, passwordStdin = false, json }: Options) => {
      const password = await readSecret({ question: 'Password', fromStdin: passwordStdin, twice: true, judge: checkAdministratorPassword });
      const passwordHash = await hashAdministratorPassword(password);
      const entry = name === undefined ? { passwordHash } : { name, passwordHash, domains: domain ?? ['*'] };
      if (json === true) printJson(entry);
      else print(name === undefined ? passwordHash : stringify([entry], { lineWidth: 0 }));
    });
}
