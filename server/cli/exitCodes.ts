/** Every exit code of `mailbox-password`; from 64 on as in sysexits.h. docs/cli.md is written from this list. */
export const EXIT_CODES = {
  OK: { code: 0, meaning: 'Done; every check is good.' },
  NOT_GOOD: { code: 1, meaning: 'The command ran and the answer is not good: a check failed, something is owed, nothing was found.' },
  USAGE: { code: 2, meaning: 'The command line is wrong; nothing was done.' },
  REFUSED: { code: 65, meaning: 'Refused (policy, current password, no such mailbox, maintenance); nothing was changed.' },
  UNAVAILABLE: { code: 69, meaning: 'A server that is needed does not answer; nothing was changed. Try again later.' },
  INTERNAL: { code: 70, meaning: 'An error of the program itself.' },
  CANNOT_CREATE: { code: 73, meaning: 'A file is there already (see --force) or cannot be written.' },
  PENDING: { code: 75, meaning: 'The password is new; a log-out is still owed, and the running service retries it.' },
  UNKNOWN: { code: 76, meaning: 'The write was sent and no answer came: try the new password first.' },
  CONFIGURATION: { code: 78, meaning: 'The configuration, or a right in a server behind it, is not as it has to be.' },
  INTERRUPTED: { code: 130, meaning: 'Stopped at a question (Ctrl+C).' },
} as const satisfies Record<string, { readonly code: number; readonly meaning: string }>;

export type ExitName = keyof typeof EXIT_CODES;

/** An end that is no accident: its message is for the operator, and holds no secret. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exit: ExitName;

  constructor(exit: ExitName, message: string) {
    super(message);
    this.exit = exit;
  }
}

/** The process ends with this code when the command has run. */
export const exitWith = (name: ExitName): void => { process.exitCode = EXIT_CODES[name].code; };
