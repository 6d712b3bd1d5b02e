import type { Command } from 'commander';
import type { OwedNotice } from '../ports/noticeOutbox.ts';
import type { OwedRevocation } from '../ports/revocationOutbox.ts';
import { command, configOption, type ConfigOption, jsonOption, type JsonOption } from './command.ts';
import { exitWith } from './exitCodes.ts';
import { withState } from './openState.ts';
import { print, printJson, table } from './terminal.ts';

const LIST_LIMIT = 1000;

const iso = (ms: number): string => new Date(ms).toISOString();

/** What an operator may see of a log-out: nothing that stands for a password. */
const shownLogOut = ({ changeId, store, address, state, recordedAt, changedAt, attempts, nextAttemptAt, lastError }: OwedRevocation) =>
  ({ changeId, store, address, state, recordedAt: iso(recordedAt), changedAt: changedAt === null ? null : iso(changedAt), attempts, nextAttemptAt: iso(nextAttemptAt), lastError });

const shownNotice = ({ id, changeId, recipient, facts: { event, address }, happenedAt, attempts, nextAttemptAt, lastError }: OwedNotice) =>
  ({ id, changeId, event, address, recipient, happenedAt: iso(happenedAt), attempts, nextAttemptAt: iso(nextAttemptAt), lastError });

const shownGivenUp = ({ id, changeId, recipient, facts: { event, address }, happenedAt, attempts, lastError }: OwedNotice) =>
  ({ id, changeId, event, address, recipient, happenedAt: iso(happenedAt), attempts, lastError });

interface RetryOptions extends ConfigOption, JsonOption { readonly givenUp?: boolean }

interface Waiting { readonly attempts: number; readonly nextAttemptAt: number; readonly lastError: string | null }

/** How long it has waited, and what comes next. */
function waiting({ attempts, nextAttemptAt, lastError }: Waiting, since: number, now: number): readonly string[] {
  const next = nextAttemptAt <= now ? 'now' : `in ${String(Math.ceil((nextAttemptAt - now) / 1000))} s`;
  return [`owed ${String(Math.max(0, Math.round((now - since) / 1000)))} s`, `tries ${String(attempts)}`, `next ${next}`, lastError ?? ''];
}

const counted = (count: number, noun: string): string => `${count < LIST_LIMIT ? String(count) : `${String(LIST_LIMIT)} or more`} ${noun}${count === 1 ? '' : 's'}`;

function listing(logOuts: readonly OwedRevocation[], notices: readonly OwedNotice[], givenUp: readonly OwedNotice[], now: number): string {
  const parts = [
    ...(logOuts.length === 0 ? [] : [`${counted(logOuts.length, 'log-out')} owed:`, table(logOuts.map((row) => [row.changeId, row.store, row.address, row.state, ...waiting(row, row.recordedAt, now)]))]),
    ...(notices.length === 0 ? [] : [`${counted(notices.length, 'notice')} not sent yet:`, table(notices.map((row) => [row.changeId, row.facts.event, row.recipient, ...waiting(row, row.happenedAt, now)]))]),
  ];
  const lost = givenUp.length === 0 ? [] : [
    `${counted(givenUp.length, 'notice')} given up within the last month ("outbox retry --given-up" sends them after all):`,
    table(givenUp.map((row) => [row.changeId, row.facts.event, row.recipient, iso(row.happenedAt), `tries ${String(row.attempts)}`, row.lastError ?? ''])),
  ];
  return [...(parts.length === 0 ? ['nothing is owed'] : parts), ...lost].join('\n');
}

/** `mailbox-password outbox list | retry`: log-outs that are still owed and notices that are still to be sent. Safe beside a running service. */
export function outboxCommand(): Command {
  const outbox = command('outbox', 'log-outs that are still owed, and notices by e-mail that are still to be sent');
  outbox.addCommand(command('list', 'what is owed, oldest first, and notices that were given up; exit code 1 where anything is owed', ['outbox list', 'outbox list --json | jq \'.logOuts[] | select(.attempts > 3)\''])
    .addOption(configOption()).addOption(jsonOption())
    .action((options: ConfigOption & JsonOption) => withState(options, async (state) => {
      const [logOuts, notices, givenUp] = [await state.outbox.list(LIST_LIMIT), await state.notices.list(LIST_LIMIT), await state.notices.givenUp(LIST_LIMIT)];
      if (options.json === true) printJson({ logOuts: logOuts.map(shownLogOut), notices: notices.map(shownNotice), givenUp: givenUp.map(shownGivenUp) });
      else print(listing(logOuts, notices, givenUp, state.clock.now()));
      if (logOuts.length + notices.length > 0) exitWith('NOT_GOOD');
    })));
  outbox.addCommand(command('retry', 'makes a change\'s log-outs and notices due now (all of them without an id); the running service does them', ['outbox retry', 'outbox retry 0b8f6a0e-5d1c-4b9e-9f51-6f2f1d0c7a11'])
    .argument('[change]', 'id of the change, as list prints it')
    .option('--given-up', 'also the notices that were given up, as if they were new')
    .addOption(configOption()).addOption(jsonOption())
    .action((change: string | undefined, options: RetryOptions) => withState(options, async (state) => {
      // What was revived waits now, and is counted with the rest.
      if (options.givenUp === true) await state.notices.retryGivenUp(change);
      const due = { logOuts: await state.outbox.retryNow(change), notices: await state.notices.retryNow(change) };
      if (options.json === true) printJson({ due });
      else print(`${counted(due.logOuts, 'log-out')} and ${counted(due.notices, 'notice')} due now`);
      if (change !== undefined && due.logOuts + due.notices === 0) exitWith('NOT_GOOD');
    })));
  return outbox;
}
