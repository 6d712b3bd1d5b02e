import { Option, type Command } from 'commander';
import { setTimeout as wait } from 'node:timers/promises';
import { DEFAULT_CONFIG } from '../../module/config/configSchema.ts';
import { inspectConfig } from '../config/loadConfig.ts';
import { readReloadOutcome } from '../service/reloadOutcome.ts';
import { command, configOption, type ConfigOption, jsonOption, type JsonOption, wholeNumber } from './command.ts';
import { CommandError } from './exitCodes.ts';
import { becomeServiceUser } from './openService.ts';
import { print, printJson, progress } from './terminal.ts';

const LOOKS_EVERY_MS = 50;

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGHUP');
  } catch (error) {
    throw new CommandError('NOT_GOOD', `Process ${String(pid)} cannot be told to reload (${(error as NodeJS.ErrnoException).code ?? 'unknown'}). Nothing was changed.`);
  }
}

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/**
 * `mailbox-password reload`: tells the running service to read its configuration, and waits until nothing of the one before is at work any
 * more. A signal alone brings no answer; this is what the unit's ExecReload runs.
 */
export function reloadCommand(): Command {
  return command('reload', 'let the running service read its configuration again; exit code 78 where it is refused, and the one before goes on', ['reload', 'reload --pid 4711'])
    .addOption(configOption())
    .addOption(new Option('--pid <number>', 'process of the service (default: MAINPID, else what the service wrote down)').env('MAINPID').argParser(wholeNumber))
    .option('--wait <seconds>', 'give up waiting after so long', wholeNumber, 90)
    .addOption(jsonOption())
    .action(async (options: ConfigOption & JsonOption & { readonly pid?: number; readonly wait: number }) => {
      // The service judges it, by the environment that it was started with; here it may be as wrong as it likes.
      const { dataDir: folder } = inspectConfig({ file: options.config, environment: process.env }).written as { readonly dataDir?: unknown };
      const dataDir = typeof folder === 'string' ? folder : DEFAULT_CONFIG.dataDir;
      becomeServiceUser(dataDir);
      const before = readReloadOutcome(dataDir);
      const pid = options.pid ?? before?.pid;
      if (pid === undefined || before === null || before.pid !== pid) throw new CommandError('NOT_GOOD', 'No running service was found by this configuration. Under systemd: systemctl reload mailbox-password. Nothing was changed.');
      const steps = progress();
      steps.step('Reading the configuration again');
      signal(pid);
      const end = Date.now() + options.wait * 1000;
      for (;;) {
        await wait(LOOKS_EVERY_MS);
        const now = readReloadOutcome(dataDir);
        if (now !== null && now.pid === pid && now.count > before.count) {
          steps.done();
          if (now.outcome === 'refused') throw new CommandError('CONFIGURATION', `The new configuration was refused; the one before goes on:\n${now.problems.map((problem) => `  ${problem}`).join('\n')}`);
          for (const key of now.kept) process.stderr.write(`${key} needs a restart; it stays as it was.\n`);
          if (!now.beforeEnded) throw new CommandError('NOT_GOOD', 'The new configuration serves, but requests of the one before have not ended yet: wait before you withdraw a secret of it.');
          if (options.json === true) printJson({ outcome: now.outcome, kept: now.kept });
          else print('The configuration was read again; nothing of the one before is at work any more.');
          return;
        }
        if (!alive(pid)) throw new CommandError('NOT_GOOD', 'The service has ended meanwhile.');
        if (Date.now() > end) throw new CommandError('NOT_GOOD', `No answer of the service within ${String(options.wait)} s; its log says more.`);
      }
    });
}
