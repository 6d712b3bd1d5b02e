import { Command, InvalidArgumentError, Option } from 'commander';

const examples = new WeakMap<Command, readonly string[]>();

/** The examples of a command; docs/cli.md and a test ask for them. */
export const examplesOf = (command: Command): readonly string[] => examples.get(command) ?? [];

/** A command with what every command has: examples in its help, and exit code 2 for a wrong command line. */
export function command(name: string, description: string, shown: readonly string[] = []): Command {
  const made = new Command(name).description(description).exitOverride().showHelpAfterError('(--help says more)');
  made.addHelpText('after', ({ command: of }) => (of.parent === null ? '' : '\nExit codes: `mailbox-password --help` lists them.'));
  if (shown.length > 0) made.addHelpText('after', `\nExamples:\n${shown.map((line) => `  $ mailbox-password ${line}`).join('\n')}`);
  examples.set(made, shown);
  return made;
}

export interface ConfigOption { readonly config?: string }
export interface JsonOption { readonly json?: boolean }

export const configOption = (): Option => new Option('-c, --config <file>', 'configuration, YAML or JSON').env('MAILBOX_PASSWORD_CONFIG');
export const jsonOption = (): Option => new Option('--json', 'print JSON on the standard output');

export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a whole number is expected');
  return Number(text);
}

/** Milliseconds since the epoch: `2026-11-24`, `2026-11-24T10:00Z`, or `7d`, `12h`, `30m` ago. */
export function moment(text: string): number {
  const ago = /^(\d{1,5})([mhd])$/.exec(text);
  if (ago !== null) return Date.now() - Number(ago[1]) * { m: 60_000, h: 3_600_000, d: 86_400_000 }[ago[2] as 'm' | 'h' | 'd'];
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw new InvalidArgumentError('a date (2026-11-24 or 2026-11-24T10:00Z) or a time ago (30m, 12h, 7d) is expected');
  return at;
}

export function address(text: string): string {
  if (!/^[^\s@]+.*@[^\s@]+$/.test(text) || /\p{Cc}/u.test(text)) throw new InvalidArgumentError('a full e-mail address is expected');
  return text;
}
