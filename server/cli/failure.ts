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

/** The same for programs: `code` is an error code of docs/errors.md, or the name of an exit code. */
export interface FailureJson {
  readonly code: string;
  readonly message: string;
  readonly problems?: readonly ConfigProblem[];
  readonly fields?: readonly string[];
}

export interface Failure {
  readonly exit: ExitName;
  /** Null: commander has said it already. */
  readonly text: string | null;
  readonly json: FailureJson;
}

/** The end of a command that did not do what was asked: what happened, and what to do now. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CommanderError) {
    const exit = error.exitCode === 0 ? 'OK' : 'USAGE';
    return { exit, text: null, json: { code: exit, message: error.message.replace(/^error: /, '') } };
  }
  if (error instanceof CommandError) return { exit: error.exit, text: error.message, json: { code: error.exit, message: error.message } };
  if (error instanceof ConfigError) {
    const message = `The configuration has ${String(error.details.length)} problem(s)`;
    return { exit: 'CONFIGURATION', text: `${message}:\n${error.details.map(problemText).join('\n')}`, json: { code: 'CONFIGURATION', message, problems: error.details } };
  }
  if (error instanceof ModuleError) {
    const { cause, cure } = ERROR_HELP[error.code];
    const detail = error.detail === undefined ? '' : ` (${error.detail})`;
    const fields = error.fields.map(({ code }) => code).filter((code) => code !== error.code);
    return {
      exit: exitOf(error.code), text: `${error.code}${detail}: ${cause}${fields.length === 0 ? '' : `\n  ${fields.join(', ')}`}\n${cure}`,
      json: { code: error.code, message: `${cause}${detail} ${cure}`, ...(fields.length > 0 && { fields }) },
    };
  }
  const { name, code, message, stack } = (error instanceof Error ? error : new Error(String(error))) as NodeJS.ErrnoException;
  if (name === 'ExitPromptError') return { exit: 'INTERRUPTED', text: 'Stopped. Nothing was done.', json: { code: 'INTERRUPTED', message: 'Stopped. Nothing was done.' } };
  if (code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL') return { exit: 'NOT_GOOD', text: message, json: { code: 'NOT_GOOD', message } };
  return { exit: 'INTERNAL', text: String(stack), json: { code: 'INTERNAL', message } };
}
