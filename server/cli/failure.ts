import { CommanderError } from 'commander';
import { type ErrorCode, ModuleError } from '../../module/errors.ts';
import { ConfigError, type ConfigProblem } from '../config/configProblem.ts';
import { ERROR_HELP } from './errorHelp.ts';
import { CommandError, type ExitName } from './exitCodes.ts';

/** What an operator reads of one problem of the configuration. */
export function problemText({ path, message, value, expected, example }: ConfigProblem): string {
  const more = [['is', value], ['expected', expected], ['example', example]].filter(([, text]) => text !== undefined).map(([name, text]) => `      ${String(name).padEnd(9)} ${String(text)}`);
  return [`  ${path}: ${message}`, ...more].join('\n');
}

const exitOf = (code: ErrorCode): ExitName => {
  if (code === 'ACCOUNTS_OUTCOME_UNKNOWN' || code === 'INTERNAL') return 'UNKNOWN';
  if (code.endsWith('_MISCONFIGURED')) return 'CONFIGURATION';
  return code.endsWith('_UNAVAILABLE') || code === 'OVERLOADED' || code === 'SHUTTING_DOWN' ? 'UNAVAILABLE' : 'REFUSED';
};

/** The end of a command that did not do what was asked: what happened, and what to do now. Null: commander has said it already. */
export function failureOf(error: unknown): { readonly exit: ExitName; readonly text: string | null } {
  if (error instanceof CommanderError) return { exit: error.exitCode === 0 ? 'OK' : 'USAGE', text: null };
  if (error instanceof CommandError) return { exit: error.exit, text: error.message };
  if (error instanceof ConfigError) return { exit: 'CONFIGURATION', text: `The configuration has ${String(error.details.length)} problem(s):\n${error.details.map(problemText).join('\n')}` };
  if (error instanceof ModuleError) {
    const { cause, cure } = ERROR_HELP[error.code];
    const detail = error.detail === undefined ? '' : ` (${error.detail})`;
    const fields = error.fields.map(({ code }) => code).filter((code) => code !== error.code);
    return { exit: exitOf(error.code), text: `${error.code}${detail}: ${cause}${fields.length === 0 ? '' : `\n  ${fields.join(', ')}`}\n${cure}` };
  }
  const { name, code, message, stack } = (error instanceof Error ? error : new Error(String(error))) as NodeJS.ErrnoException;
  if (name === 'ExitPromptError') return { exit: 'INTERRUPTED', text: 'Stopped. Nothing was done.' };
  if (code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL') return { exit: 'NOT_GOOD', text: message };
  return { exit: 'INTERNAL', text: String(stack) };
}
