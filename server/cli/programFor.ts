import type { Command } from 'commander';
import { baseProgram } from './baseProgram.ts';

/** Commands that need nothing of the service, which takes a second or more to load: each is loaded alone. */
const ALONE: Readonly<Record<string, () => Promise<Command>>> = {
  config: async () => (await import('./configCommand.ts')).configCommand(),
  'hash-password': async () => (await import('./hashPasswordCommand.ts')).hashPasswordCommand(),
};

/** As much of the command line as these words ask for; it answers them as the whole of it would. */
export async function programFor(words: readonly string[]): Promise<Command> {
  const [first = ''] = words;
  const alone = Object.hasOwn(ALONE, first) ? ALONE[first] : undefined;
  return alone === undefined ? (await import('./program.ts')).buildProgram(words) : baseProgram().addCommand(await alone());
}
