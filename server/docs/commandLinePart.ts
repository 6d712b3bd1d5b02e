import type { Command } from 'commander';
import { examplesOf } from '../cli/command.ts';
import { EXIT_CODES } from '../cli/exitCodes.ts';
import { buildProgram } from '../cli/program.ts';
import { cell, code, table } from './markdown.ts';

export interface NamedCommand { readonly name: string; readonly command: Command }

/** Every command that does something, with its whole name: `outbox list`. */
export function commandsOf(parent: Command = buildProgram(), prefix = ''): NamedCommand[] {
  return parent.commands.filter((one) => one.name() !== 'help').flatMap((one) => {
    const name = `${prefix}${one.name()}`;
    // A command with a group below it may do something by itself (`doctor`).
    const acts = one.commands.length === 0 || one.options.length > 0;
    return [...(acts ? [{ name, command: one }] : []), ...commandsOf(one, `${name} `)];
  });
}

function described({ name, command }: NamedCommand): string {
  const usage = ['mailbox-password', name, ...command.registeredArguments.map((argument) => (argument.required ? `<${argument.name()}>` : `[${argument.name()}]`)), ...(command.options.length > 0 ? ['[options]'] : [])].join(' ');
  const options = command.options.map((option) => {
    const standard = option.defaultValue === undefined || option.envVar !== undefined ? '' : ` (default ${String(option.defaultValue)})`;
    return [code(option.flags), `${cell(option.description)}${standard}${option.envVar === undefined ? '' : `; or the variable ${option.envVar}`}`];
  });
  const examples = examplesOf(command);
  return [
    `### ${name}`, '', `${command.description().charAt(0).toUpperCase()}${command.description().slice(1)}.`, '', `    ${usage}`,
    ...(options.length === 0 ? [] : ['', table(['Option', ''], options)]),
    ...(examples.length === 0 ? [] : ['', '```', ...examples.map((example) => `mailbox-password ${example}`), '```']),
  ].join('\n');
}

/** Every command with its options and examples, then every exit code. */
export function commandLinePart(): string {
  const codes = Object.values(EXIT_CODES).map(({ code: number, meaning }) => [String(number), cell(meaning)]);
  return `## Commands\n\n${commandsOf().map(described).join('\n\n')}\n\n## Exit codes\n\n${table(['Code', 'Meaning'], codes)}`;
}
