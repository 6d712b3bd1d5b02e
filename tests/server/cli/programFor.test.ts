import type { Command } from 'commander';
import { buildProgram } from '../../../server/cli/program.ts';
import { programFor } from '../../../server/cli/programFor.ts';

/** What a command says of itself and of those below it. */
const said = (command: Command | undefined): string[] => (command === undefined ? [] : [command.helpInformation(), ...command.commands.flatMap(said)]);
const named = (program: Command, name: string): Command | undefined => program.commands.find((command) => command.name() === name);

test.each(['config', 'hash-password'])('%s, loaded alone, is the command of the whole command line', async (name) => {
  const alone = await programFor([name]);
  expect(alone.commands.map((command) => command.name())).toEqual([name]);
  expect(said(named(alone, name))).toEqual(said(named(buildProgram(), name)));
  expect(said(named(alone, name))).not.toEqual([]);
});

test.each([[[]], [['--help']], [['serve']], [['toString']], [['no-such-command', 'config']], [['--json', 'config']]])('%j has the whole command line', async (words) => {
  expect(said(await programFor(words))).toEqual(said(buildProgram(words)));
});
