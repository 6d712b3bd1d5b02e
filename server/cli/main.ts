#!/usr/bin/env node
import { Command, InvalidArgumentError } from 'commander';
import { ConfigError, loadConfig } from '../config/loadConfig.ts';
import { groupOfficeCommands } from './installGroupOffice.ts';
import { localesCommand } from './locales/localesCommand.ts';
import { outboxCommand } from './outboxCommand.ts';
import { serve } from './serve.ts';

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a whole number is expected');
  return Number(text);
}

const program = new Command('mailbox-password').description('Change a mailbox password and log out everywhere.');

program.command('serve', { isDefault: true })
  .description('run the service')
  .option('-c, --config <file>', 'configuration, YAML or JSON', process.env['MAILBOX_PASSWORD_CONFIG'])
  .option('-p, --port <number>', 'port to listen on; 0 takes a free one', wholeNumber)
  .action(async (options: { config?: string; port?: number }) => {
    const config = loadConfig({
      file: options.config, environment: process.env, overrides: options.port === undefined ? {} : { server: { port: options.port } },
    });
    const service = await serve(config);
    const demo = service.demo.map(({ address, password }) => `    ${address.padEnd(22)} ${password}\n`).join('');
    const { demoAdministrator } = service;
    const administrator = demoAdministrator === null ? '' : `    ${demoAdministrator.name.padEnd(22)} ${demoAdministrator.password}   (Admin Panel)\n`;
    process.stdout.write(`\n  Mailbox Password runs at ${service.url}\n${demo === '' ? '' : `\n  For trying things out, log in as (passwords of a new data folder)\n${demo}${administrator}`}\n`);
    const stop = (): void => {
      service.stop().then(() => process.exit(0), () => process.exit(1));
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  });

program.addCommand(outboxCommand());
program.addCommand(localesCommand());
const groupOffice = groupOfficeCommands();
program.command('install').description('put the drop-in into a host').addCommand(groupOffice.install);
program.command('uninstall').description('take the drop-in out of a host').addCommand(groupOffice.uninstall);
program.command('doctor').description('check an installation').addCommand(groupOffice.doctor);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof ConfigError || (error as { code?: string }).code === 'EADDRINUSE' ? (error as Error).message : String((error as Error).stack)}\n`);
  process.exitCode = error instanceof ConfigError ? 78 : 1;
}
