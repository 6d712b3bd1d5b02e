/**
 * Lines of Dovecot's passwd-file, `user:password:uid:gid:gecos:home:shell:extra fields`, in the bytes of the file: what is not the
 * password of one user is never decoded, so it cannot change.
 * https://doc.dovecot.org/2.3/configuration_manual/authentication/passwd_file/
 */
export interface PasswdLine {
  /** As in the file. */
  readonly user: string;
  readonly password: string;
  /** Offsets of the password's bytes in the file. */
  readonly start: number;
  readonly end: number;
  readonly gecos: string;
  /** Names of the extra fields; `userdb_` ones too. */
  readonly extra: readonly string[];
  /** The same with their values; a field without one has ''. Of a name that stands twice the last counts, as in Dovecot. */
  readonly values: ReadonlyMap<string, string>;
  /** False for a line without any colon. */
  readonly hasPasswordField: boolean;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const COLON = 0x3a;
const HASH = 0x23;

/** Dovecot drops `\r` only before `\n`. */
function endOfText(file: Buffer, start: number, lineEnd: number): number {
  return lineEnd < file.length && lineEnd > start && file[lineEnd - 1] === RETURN ? lineEnd - 1 : lineEnd;
}

function parseLine(file: Buffer, start: number, end: number): PasswdLine | null {
  const first = file[start];
  if (start === end || first === COLON || first === HASH) return null;
  const colon = file.subarray(start, end).indexOf(COLON);
  const userEnd = colon === -1 ? end : start + colon;
  const passwordStart = Math.min(userEnd + 1, end);
  const next = file.subarray(passwordStart, end).indexOf(COLON);
  const passwordEnd = next === -1 ? end : passwordStart + next;
  const rest = file.toString('utf8', passwordEnd, end).split(':');
  const fields = rest.slice(6).join(':').split(' ').filter((field) => field !== '').map((field) => ({ name: field.split('=')[0] ?? '', value: field.split('=').slice(1).join('=') }));
  return {
    user: file.toString('utf8', start, userEnd), password: file.toString('utf8', passwordStart, passwordEnd), start: passwordStart, end: passwordEnd,
    gecos: rest[3] ?? '', hasPasswordField: colon !== -1,
    // rest[0] is what stands before the colon after the password: nothing.
    extra: fields.map(({ name }) => name), values: new Map(fields.map(({ name, value }) => [name, value])),
  };
}

/** Every user's line, in the order of the file; comments, empty lines and names that are no UTF-8 are left out. */
export function* passwdLines(file: Buffer): Generator<PasswdLine> {
  for (let start = 0; start < file.length;) {
    const newline = file.indexOf(NEWLINE, start);
    const lineEnd = newline === -1 ? file.length : newline;
    const line = parseLine(file, start, endOfText(file, start, lineEnd));
    if (line !== null && !line.user.includes('\ufffd')) yield line;
    start = lineEnd + 1;
  }
}

/** The lines of one user, without decoding the others. */
export function linesOf(file: Buffer, user: string): PasswdLine[] {
  const wanted = Buffer.from(user);
  const found: PasswdLine[] = [];
  if (wanted.length === 0) return found;
  for (let at = file.indexOf(wanted); at !== -1; at = file.indexOf(wanted, at + 1)) {
    if (at > 0 && file[at - 1] !== NEWLINE) continue;
    const newline = file.indexOf(NEWLINE, at);
    const line = parseLine(file, at, endOfText(file, at, newline === -1 ? file.length : newline));
    if (line !== null && line.user === user) found.push(line);
  }
  return found;
}

export const withPassword = (file: Buffer, { start, end }: PasswdLine, password: string): Buffer =>
  Buffer.concat([file.subarray(0, start), Buffer.from(password), file.subarray(end)]);
