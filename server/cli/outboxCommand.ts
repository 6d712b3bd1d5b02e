import type { Command } from 'commander';
import type { OwedRevocation } from '../ports/revocationOutbox.ts';
import { command, configOption, type ConfigOption, jsonOption, type JsonOption } from './command.ts';
import { exitWith } from './exitCodes.ts';
import { withState } from './openState.ts';
import { print, printJson } from './terminal.ts';

const LIST_LIMIT = 1000;

function line(row: OwedRevocation, now: number): string {
  const owed = `${String(Math.round((now - row.recordedAt) / 1000))} s`;
  const next = row.nextAttemptAt <= now ? 'now' : `in ${String(Math.ceil((row.nextAttemptAt - now) / 1000))} s`;
  return [row.changeId, row.store.padEnd(12), row.address.padEnd(32), row.state.padEnd(9), `owed ${owed}`.padEnd(14), `tries ${String(row.attempts)}`.padEnd(9), `next ${next}`.padEnd(14), row.lastError ?? ''].join('  ');
}

/** `mailbox-password outbox list | retry`: the log-outs that are still owed. Safe beside a running service. */
export function outboxCommand(): Command {
  const outbox = command('outbox', 'log-outs that are still owed');
  outbox.addCommand(command('list', 'what is owed, oldest first; exit code 1 where anything is', ['outbox list', 'outbox list --json'])
    .addOption(configOption()).addOption(jsonOption())
    .action((options: ConfigOption & JsonOption) => withState(options, async ({ outbox: box, clock }) => {
      const rows = await box.list(LIST_LIMIT);
      if (options.json === true) printJson(rows);
      else print(rows.length === 0 ? 'nothing is owed' : rows.map((row) => line(row, clock.now())).join('\n'));
      if (rows.length > 0) exitWith('NOT_GOOD');
    })));
  outbox.addCommand(command('retry', 'makes a change\'s log-outs due now (all of them without an id); the running service does them', ['outbox retry', 'outbox retry 0b8f6a0e-5d1c-4b9e-9f51-6f2f1d0c7a11'])
    .argument('[change]', 'id of the change, as list prints it')
    .addOption(configOption()).addOption(jsonOption())
    .action((change: string | undefined, options: ConfigOption & JsonOption) => withState(options, async ({ outbox: box }) => {
      const count = await box.retryNow(change);
      if (options.json === true) printJson({ due: count });
      else print(`${String(count)} due now`);
      if (change !== undefined && count === 0) exitWith('NOT_GOOD');
    })));
  return outbox;
}
