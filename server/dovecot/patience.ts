/** A log-in looks at the password once, as the account API has just done; twice that, for two machines are not equally busy. */
const LOOKS = 2;
/** And hands over to a new mail process, as each doveadm request does: the slowest of this change, so often. */
const PROCESSES = 4;
/** Where nothing has looked at a password: an Argon2id or a bcrypt of cost 10 on a busy machine. */
const UNKNOWN_LOG_IN_MS = 100;
const AT_LEAST_MS = 60;
const AT_MOST_MS = 2_500;

/**
 * How long a log-in that is under way can take until its connection can be ended, milliseconds: by what this very change has cost on the
 * same machines, so that it is short where they are calm and long where they are not. Both parts in milliseconds.
 */
export function patience(doveadmMs: number, logInMs: number | null): number {
  return Math.min(AT_MOST_MS, Math.max(AT_LEAST_MS, LOOKS * (logInMs ?? UNKNOWN_LOG_IN_MS) + PROCESSES * doveadmMs));
}
