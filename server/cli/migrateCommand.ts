import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { creating } from '../config/creating.ts';
import { connectState, migrateState, type OpenedState, stateVersion } from '../state/stateDatabase.ts';
import { command, configOption, type ConfigOption, jsonOption, type JsonOption } from './command.ts';
import { exitWith } from './exitCodes.ts';
import { becomeServiceUser, configOf, mustHaveState } from './openService.ts';
import { print, printJson, progress } from './terminal.ts';

async function withConnection(options: ConfigOption, create: boolean, work: (state: OpenedState) => Promise<void>): Promise<void> {
  const config = configOf(options);
  const { dataDir, state: { url, previousUrl, tls } } = config;
  becomeServiceUser(dataDir);
  const folder = resolve(dataDir);
  // Looking must not leave an empty database behind.
  if (!create) mustHaveState(config);
  if (create) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const state = await creating('state', async () => connectState(folder, url, previousUrl, tls));
  try {
    await work(state);
  } finally {
    await state.database.destroy();
  }
}

/** `mailbox-password migrate status | up`: the tables of the module's own database. `serve` does `up` by itself. */
export function migrateCommand(): Command {
  const migrate = command('migrate', 'the tables of the module\'s own database');
  migrate.addCommand(command('status', 'which steps were done; exit code 1 where any is left', ['migrate status', 'migrate status --json'])
    .addOption(configOption()).addOption(jsonOption())
    .action((options: ConfigOption & JsonOption) => withConnection(options, false, async ({ database }) => {
      const version = await stateVersion(database);
      const { applied, pending, newer } = version;
      if (options.json === true) printJson(version);
      else print([...applied.map((name) => `done     ${name}${newer.includes(name) ? '   (of a newer version)' : ''}`), ...pending.map((name) => `pending  ${name}`)].join('\n'));
      if (pending.length > 0) exitWith('NOT_GOOD');
    })));
  migrate.addCommand(command('up', 'bring the tables up to date; several nodes at once do it once', ['migrate up'])
    .addOption(configOption()).addOption(jsonOption())
    .action((options: ConfigOption & JsonOption) => withConnection(options, true, async (state) => {
      const steps = progress();
      steps.step('Bringing the state database up to date');
      const done = await migrateState(state).finally(() => { steps.done(); });
      if (options.json === true) printJson({ done });
      else print(done.length === 0 ? 'It was up to date.' : done.map((name) => `done     ${name}`).join('\n'));
    })));
  return migrate;
}
