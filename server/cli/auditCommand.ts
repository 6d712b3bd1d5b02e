import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { historyCsv } from '../http/panels/historyCsv.ts';
import type { AuditEvent, AuditLog, AuditQuery } from '../ports/auditLog.ts';
import { countAuditBefore, pruneAudit } from '../state/pruneAudit.ts';
import type { StateDatabase } from '../state/stateDatabase.ts';
import { command, configOption, type ConfigOption, jsonOption, type JsonOption, moment, wholeNumber } from './command.ts';
import { CommandError, exitWith } from './exitCodes.ts';
import { withState } from './openState.ts';
import { print, printJson, progress, say, table } from './terminal.ts';

interface Filter extends ConfigOption { readonly mailbox?: string; readonly domain?: readonly string[]; readonly actor?: string; readonly outcome?: 'done' | 'pending' | 'refused'; readonly from?: number; readonly to?: number }

const query = ({ mailbox, domain, actor, outcome, from, to }: Filter): Omit<AuditQuery, 'cursor' | 'limit'> =>
  ({ domains: domain?.map((name) => name.toLowerCase()) ?? null, address: mailbox, actor, outcome, from, to });

const filtered = (made: Command): Command => made
  .option('--mailbox <part>', 'only addresses that hold this text')
  .option('--domain <domain...>', 'only mailboxes of these domains')
  .option('--actor <name>', 'only what this one did: an address, an administrator\'s name, `cli`')
  .addOption(new Option('--outcome <outcome>', 'only these').choices(['done', 'pending', 'refused']))
  .option('--from <time>', 'since then: 2026-11-24, 2026-11-24T10:00Z, or 30m, 12h, 7d ago', moment)
  .option('--to <time>', 'before then', moment)
  .addOption(configOption());

const PAGE = 500;

async function* pages(audit: AuditLog, filter: Filter): AsyncGenerator<readonly AuditEvent[]> {
  let cursor: string | null = null;
  do {
    const page = await audit.read({ ...query(filter), cursor, limit: PAGE });
    yield page.events;
    cursor = page.nextCursor;
  } while (cursor !== null);
}

async function* jsonLines(audit: AuditLog, filter: Filter): AsyncGenerator<string> {
  for await (const events of pages(audit, filter)) yield events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

const harmless = (text: string): string => text.replaceAll(/\p{Cc}/gu, ' ');

/** `mailbox-password audit list | export`: who changed what, newest first. */
export function auditCommand(): Command {
  const audit = command('audit', 'who changed, set and ended what');
  audit.addCommand(filtered(command('list', 'the newest events', ['audit list', 'audit list --mailbox alice@example.com --from 7d', 'audit list --outcome refused --limit 20 --json']))
    .option('--limit <number>', 'at most so many', wholeNumber, 50)
    .addOption(jsonOption())
    .action(async (options: Filter & JsonOption & { readonly limit: number }) => {
      await withState(options, async ({ audit: log }) => {
        const { events, nextCursor } = await log.read({ ...query(options), cursor: null, limit: Math.max(1, options.limit) });
        if (options.json === true) return printJson(events);
        print(events.length === 0 ? 'Nothing found.' : table([['TIME', 'ACTION', 'MAILBOX', 'BY', 'FROM', 'OUTCOME', 'ENDED'], ...events.map((event) => [
          new Date(event.at).toISOString().slice(0, 19).replace('T', ' '), event.action, harmless(event.address), `${harmless(event.actor)} (${event.actorKind})`, event.remoteAddress, event.outcome,
          Object.entries(event.ended).map(([channel, count]) => `${channel} ${String(count)}`).join(', '),
        ])]));
        if (nextCursor !== null) say(`There are more; --limit shows more of them, \`audit export\` all.`);
        if (events.length === 0) exitWith('NOT_GOOD');
      });
    }));
  audit.addCommand(filtered(command('export', 'everything that the filter finds, as CSV or JSON lines', ['audit export --from 2026-01-01 -o history.csv', 'audit export --format jsonl | gzip > audit.jsonl.gz']))
    .addOption(new Option('--format <format>', 'CSV (RFC 4180, safe for spreadsheets) or one JSON object a line').choices(['csv', 'jsonl']).default('csv'))
    .option('-o, --output <file>', 'write to a new file (mode 0600) instead of the standard output')
    .action(async (options: Filter & { readonly format: 'csv' | 'jsonl'; readonly output?: string }) => {
      const { output } = options;
      // Opened before the process gives up root's rights.
      const to = output === undefined ? process.stdout : createWriteStream(output, { flags: 'wx', mode: 0o600 });
      if (output !== undefined) await new Promise((resolve, reject) => { to.once('open', resolve).once('error', reject); }).catch((error: NodeJS.ErrnoException) => { throw new CommandError('CANNOT_CREATE', `${output}: ${error.code ?? 'cannot be written'}`); });
      const steps = progress();
      await withState(options, async ({ audit: log }) => {
        if (output !== undefined) steps.step(`Writing ${output}`);
        await pipeline(Readable.from(options.format === 'csv' ? historyCsv(log, query(options)) : jsonLines(log, options)), to, { end: output !== undefined });
      });
      steps.done();
    }));
  audit.addCommand(command('prune', 'delete what is older, for good, as `audit.keepDays` does by itself', ['audit prune --before 730d --dry-run', 'audit prune --before 2024-01-01'])
    .addOption(new Option('--before <time>', 'delete what happened before then: 2024-01-01, or 730d ago').argParser(moment).makeOptionMandatory())
    .option('--dry-run', 'only say how many rows these are')
    .addOption(configOption()).addOption(jsonOption())
    .action((options: ConfigOption & JsonOption & { readonly before: number; readonly dryRun?: boolean }) => withState(options, async ({ database }) => {
      const { before, dryRun = false } = options;
      const deleted = dryRun ? await countAuditBefore(database, before) : await pruneAll(database, before);
      if (options.json === true) printJson({ before: new Date(before).toISOString(), deleted, dryRun });
      else print(`${String(deleted)} row${deleted === 1 ? '' : 's'} of before ${new Date(before).toISOString()} ${dryRun ? 'would be' : deleted === 1 ? 'was' : 'were'} deleted`);
    })));
  return audit;
}

async function pruneAll(database: StateDatabase, before: number): Promise<number> {
  const steps = progress();
  let total = 0;
  for (;;) {
    const { deleted, more } = await pruneAudit(database, before);
    total += deleted;
    if (!more) break;
    steps.step(`Deleted ${String(total)} rows`);
    // A service beside it has its turn.
    await pause(20);
  }
  steps.done();
  return total;
}
