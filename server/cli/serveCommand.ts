import type { Command } from 'commander';
import { obeySignals } from '../service/signals.ts';
import { command, configOption, type ConfigOption, wholeNumber } from './command.ts';
import { configOf } from './openService.ts';
import { serve } from './serve.ts';
import { print } from './terminal.ts';

/** `mailbox-password serve`: the service itself. */
export function serveCommand(): Command {
  return command('serve', 'run the service', ['serve', 'serve -c /etc/mailbox-password/config.yaml', 'serve --port 0'])
    .addOption(configOption())
    .option('-p, --port <number>', 'port to listen on; 0 takes a free one', wholeNumber)
    .action(async (options: ConfigOption & { readonly port?: number }) => {
      const load = () => configOf(options, options.port === undefined ? {} : { server: { port: options.port } });
      const config = load();
      const service = await serve(config);
      obeySignals({ service, log: service.log, systemd: service.systemd, load, dataDir: config.dataDir });
      const demo = service.demo.map(({ address, password }) => `    ${address.padEnd(22)} ${password}\n`).join('');
      const { demoAdministrator } = service;
      const administrator = demoAdministrator === null ? '' : `    ${demoAdministrator.name.padEnd(22)} ${demoAdministrator.password}   (Admin Panel)\n`;
      print(`\n  Mailbox Password runs at ${service.url}\n${demo === '' ? '' : `\n  For trying things out, log in as (passwords of a new data folder)\n${demo}${administrator}`}\n`);
    });
}
