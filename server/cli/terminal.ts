import { userInfo } from 'node:os';
import { password as askPassword } from '@inquirer/prompts';
import { CommandError } from './exitCodes.ts';
import { failureOf } from './failure.ts';

/** What a command found, for people or programs; nothing else is written to the standard output. */
export const print = (text: string): void => { process.stdout.write(text.endsWith('\n') ? text : `${text}\n`); };
export const printJson = (value: unknown): void => { print(JSON.stringify(value, null, 2)); };
export const say = (text: string): void => { process.stderr.write(`${text}\n`); };

/** What takes time, on the standard error output: one line that is written over on a terminal, a line each elsewhere. */
export function progress(): { step(text: string): void; done(): void } {
  const isTerminal = process.stderr.isTTY && process.env['TERM'] !== 'dumb';
  return {
    step(text) { process.stderr.write(isTerminal ? `\r\u001B[2K${text} ...` : `${text} ...\n`); },
    done() { if (isTerminal) process.stderr.write('\r\u001B[2K'); },
  };
}

/** A table without lines; the last column is not padded. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_cell, at) => Math.max(...rows.map((row) => [...(row[at] ?? '')].length)));
  return rows.map((row) => row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join('  ').trimEnd()).join('\n');
}

let piped: Promise<string[]> | null = null;

/** The lines of the standard input, read once; a command may need two secrets. */
async function nextLine(): Promise<string | undefined> {
  piped ??= (async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('utf8').split(/\r?\n/);
  })();
  return (await piped).shift();
}

export interface SecretQuestion {
  readonly question: string;
  /** `--password-stdin`: the next line of the standard input. */
  readonly fromStdin: boolean;
  /** Asked twice on a terminal. */
  readonly twice?: boolean;
  /** Throws where it cannot be: at a terminal the reason is said and it is asked again. */
  readonly judge?: (typed: string) => void | Promise<void>;
}

async function refusal(typed: string, judge: (typed: string) => void | Promise<void>): Promise<string | null> {
  try {
    await judge(typed);
    return null;
  } catch (error) {
    return failureOf(error).text;
  }
}

/** A secret never comes from the command line, where every user of the machine sees it: from a prompt or the standard input. */
export async function readSecret({ question, fromStdin, twice = false, judge = () => undefined }: SecretQuestion): Promise<string> {
  if (fromStdin) {
    const line = await nextLine();
    if (line === undefined || line === '') throw new CommandError('USAGE', 'The standard input held no password. Nothing was done.');
    await judge(line);
    return line;
  }
  if (!process.stdin.isTTY) throw new CommandError('USAGE', 'There is no terminal to ask for the password: pipe it in and say --password-stdin. Nothing was done.');
  const ask = (message: string): Promise<string> => askPassword({ message, mask: '*' }, { output: process.stderr });
  for (;;) {
    const typed = await ask(question);
    const why = typed === '' ? 'It is empty.' : await refusal(typed, judge);
    if (why === null && (!twice || typed === await ask('Once more'))) return typed;
    say(why ?? 'The two are not the same.');
  }
}

/** Who sits at the keyboard, as the system knows it. */
export function operatorName(): string {
  const sudo = process.env['SUDO_USER'];
  try {
    return sudo !== undefined && /^[\w.-]{1,64}$/.test(sudo) ? sudo : userInfo().username;
  } catch {
    return `uid ${String(process.getuid?.() ?? '?')}`;
  }
}
