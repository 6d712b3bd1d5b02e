import { resolve } from 'node:path';
import { Command } from 'commander';
import { loadConfig } from '../config/loadConfig.ts';
import { createStateOutbox } from '../drivers/outbox/state.ts';
import type { OwedRevocation, RevocationOutbox } from '../ports/revocationOutbox.ts';
import { createSharedClock } from '../state/sharedClock.ts';
import { openState } from '../state/stateDatabase.ts';

const LIST_LIMIT = 1000;

interface OutboxOptions { readonly config?: string; readonly json?: boolean }

async function withOutbox(options: OutboxOptions, work: (outbox: RevocationOutbox, now: number) => Promise<void>): Promise<void> {
  const config = loadConfig({ file: options.config, environment: process.env });
  const state = await openState(resolve(config.dataDir), config.state.url);
  const clock = await createSharedClock(state.now);
  try {
    await work(createStateOutbox(state.database, clock, config.revocation.leaseMs), clock.now());
  } finally {
    clock.close();
    await state.database.destroy();
  }
}

function line(row: OwedRevocation, now: number): string {
  const owed = `${String(Math.round((now - row.recordedAt) / 1000))} s`;
  const next = row.nextAttemptAt <= now ? 'now' : `in ${String(Math.ceil((row.nextAttemptAt - now) / 1000))} s`;
  return [row.changeId, row.store.padEnd(12), row.address.padEnd(32), row.state.padEnd(9), `owed ${owed}`.padEnd(14), `tries ${String(row.attempts)}`.padEnd(9), `next ${next}`.padEnd(14), row.lastError ?? ''].join('  ');
}

/** `mailbox-password outbox list | retry`: the log-outs that are still owed. Safe beside a running service. */
export function outboxCommand(): Command {
  const outbox = new Command('outbox').description('log-outs that are still owed');
  const withConfig = (command: Command): Command => command
    .option('-c, --config <file>', 'configuration, YAML or JSON', process.env['MAILBOX_PASSWORD_CONFIG'])
    .option('--json', 'print JSON');
  withConfig(outbox.command('list').description('what is owed, oldest first; exit code 1 where anything is'))
    .action((options: OutboxOptions) => withOutbox(options, async (box, now) => {
      const rows = await box.list(LIST_LIMIT);
      if (options.json === true) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
      else process.stdout.write(rows.length === 0 ? 'nothing is owed\n' : `${rows.map((row) => line(row, now)).join('\n')}\n`);
      if (rows.length > 0) process.exitCode = 1;
    }));
  withConfig(outbox.command('retry').description('makes a change\'s log-outs due now (all of them without an id); the running service does them').argument('[change]', 'id of the change, as list prints it'))
    .action((change: string | undefined, options: OutboxOptions) => withOutbox(options, async (box) => {
      const count = await box.retryNow(change);
      process.stdout.write(options.json === true ? `${JSON.stringify({ due: count })}\n` : `${String(count)} due now\n`);
      if (change !== undefined && count === 0) process.exitCode = 1;
    }));
  return outbox;
}
