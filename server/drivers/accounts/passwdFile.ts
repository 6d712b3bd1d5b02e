import { realpath } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { number, object, string } from 'yup';
import { ModuleError } from '../../../module/errors.ts';
import { accountPage } from '../../accountPage.ts';
import { foldedAddress } from '../../addressForm.ts';
import { oneAtATime } from '../../oneAtATime.ts';
import { createHasher, WRITE_SCHEMES } from '../../hashing/hasher.ts';
import { versionOf } from '../../hashing/storedHash.ts';
import { diagnoseFile } from '../../passwdFile/diagnoseFile.ts';
import { diagnoseLines } from '../../passwdFile/diagnoseLines.ts';
import { lockFile } from '../../passwdFile/fileLock.ts';
import { isDecisive, mailboxLines, mayLogIn } from '../../passwdFile/mailboxLine.ts';
import { mustBeReplaceable } from '../../passwdFile/mustBeReplaceable.ts';
import { type PasswdLine, withPassword } from '../../passwdFile/passwdLines.ts';
import { isUnchanged, readSnapshot, replaceFile } from '../../passwdFile/replaceFile.ts';
import type { Account, AccountApi, CallOptions, ChangeReceipt, SetOptions } from '../../ports/accountApi.ts';
import { firstMomentAfter } from '../../ports/clock.ts';
import { Secret } from '../../secret.ts';
import { defineAccountDriver } from '../defineDriver.ts';
import { beforeDeadline } from '../../deadline.ts';

/** Name of an extra field. */
const field = () => string().matches(/^[A-Za-z0-9_.-]{1,64}$/, '${path} must be the name of an extra field');

const options = object({
  file: string().required().test('absolute', 'file must be an absolute path', (value) => isAbsolute(value ?? ''))
    .meta({ description: 'Dovecot\'s passwd-file', example: '/etc/dovecot/users' }),
  usernameFormat: string().oneOf(['address', 'local'] as const).meta({ description: 'What stands before the first colon: the whole address, or the part before the @ (default address)', example: 'address' }),
  domain: string().matches(/^[^\s@:/]+$/).meta({ description: 'With usernameFormat local: the domain of everybody in the file', example: 'example.com' }),
  scheme: string().oneOf(WRITE_SCHEMES).meta({ description: 'Scheme of new hashes (Dovecot\'s names; default ARGON2ID)', example: 'ARGON2ID' }),
  bareScheme: string().meta({ description: 'What a stored value without {SCHEME} is, where its form does not tell (default CRYPT, as Dovecot\'s)', example: 'CRYPT' }),
  bcryptCost: number().integer().min(4).max(16).meta({ description: 'log2 of the rounds of BLF-CRYPT (default 10)', example: 10 }),
  sha512Rounds: number().integer().min(1000).max(10_000_000).meta({ description: 'Rounds of SHA512-CRYPT (default 5000)', example: 5000 }),
  recoveryAddressField: field().meta({ description: 'Extra field with another address of the owner, for notices', example: 'userdb_recovery' }),
  languageField: field().meta({ description: 'Extra field with the owner\'s language (nl, pt-BR, nl_NL), for notices', example: 'userdb_language' }),
  lockTimeoutMs: number().integer().min(100).max(60_000).meta({ description: 'Milliseconds to wait for the lock (default 5000)', example: 5000 }),
}).noUnknown().test('domain', 'domain goes with usernameFormat: local, and only with it', (own) => (own.usernameFormat === 'local') === (own.domain !== undefined));

/** The file or its folder is not as it has to be, rather than away for a while. */
const WRONG_SETUP = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'ELOOP', 'EROFS', 'ENAMETOOLONG', 'ENXIO', 'EMLINK']);

function coded(error: unknown): ModuleError {
  if (error instanceof ModuleError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  const where = (error as NodeJS.ErrnoException).path ?? 'the passwd-file';
  return new ModuleError(WRONG_SETUP.has(code) ? 'ACCOUNTS_MISCONFIGURED' : 'ACCOUNTS_UNAVAILABLE', { detail: `${where}: ${code}` });
}

/** Rejects as soon as the signal fires; the work itself looks at the signal before it does what cannot be taken back. */
const inTime = <T>({ signal }: CallOptions, committed: () => boolean, work: () => Promise<T>): Promise<T> =>
  beforeDeadline(signal, () => new ModuleError(committed() ? 'ACCOUNTS_OUTCOME_UNKNOWN' : 'ACCOUNTS_UNAVAILABLE', { detail: 'the deadline had passed' }), work).catch((error: unknown) => { throw coded(error); });

/** Within this process; other processes are kept out by the lock file. */
const inTurn = oneAtATime();
const never = (): boolean => false;

/** Mailboxes in Dovecot's passwd-file. */
export default defineAccountDriver({
  name: 'passwdFile',
  summary: "Dovecot's passwd-file, replaced atomically under a lock.",
  options,
  async create(given, { clock }): Promise<AccountApi> {
    const { file, lockTimeoutMs = 5000 } = given;
    const { lineOf, toAccount, accounts, domains } = mailboxLines(given);
    const hasher = await createHasher({
      scheme: given.scheme ?? 'ARGON2ID', prefix: true, bareScheme: given.bareScheme ?? 'CRYPT',
      ...(given.bcryptCost !== undefined && { bcryptCost: given.bcryptCost }), ...(given.sha512Rounds !== undefined && { sha512Rounds: given.sha512Rounds }),
    });

    const read = async (): Promise<Buffer> => (await readSnapshot(file)).content;

    async function replace(address: string, verified: PasswdLine | null, next: Secret, call: SetOptions): Promise<ChangeReceipt> {
      return write(address, verified, await inTime(call, never, () => hasher.hash(next, call.took)), call);
    }

    async function write(address: string, verified: PasswdLine | null, hash: string, call: SetOptions): Promise<ChangeReceipt> {
      let committed = false;
      await inTime(call, () => committed, async () => {
        // Behind a symbolic link stands the file to replace; the link stays.
        const target = await realpath(file);
        await inTurn(target, async () => {
          const lock = await lockFile(target, { timeoutMs: lockTimeoutMs, signal: call.signal });
          try {
            const from = await readSnapshot(target);
            if (from.stats.nlink > 1n) throw new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: `${target} has a second name (hard link), which would keep the old passwords` });
            const line = lineOf(from.content, address);
            if (line === null) throw new ModuleError(verified === null ? 'ACCOUNT_NOT_FOUND' : 'ACCOUNT_CHANGED_MEANWHILE');
            if (verified !== null && line.password !== verified.password) throw new ModuleError('ACCOUNT_CHANGED_MEANWHILE');
            if (typeof call.expectedVersion === 'string' && versionOf(line.password) !== call.expectedVersion) throw new ModuleError('ACCOUNT_CHANGED_MEANWHILE');
            if (!isDecisive(line)) throw new ModuleError('ACCOUNT_NOT_CHANGEABLE', { detail: 'the password field does not decide who logs in' });
            await replaceFile(target, {
              from, to: withPassword(from.content, line, hash),
              commit: async () => {
                if (!(await lock.isHeld()) || !(await isUnchanged(target, from))) throw new ModuleError('ACCOUNTS_UNAVAILABLE', { detail: `${target} was changed by somebody without the lock` });
                if (call.signal.aborted) throw new ModuleError('ACCOUNTS_UNAVAILABLE');
                committed = true;
              },
              onRenameFailed: () => { committed = false; },
            });
          } finally {
            await lock.release();
          }
        });
      }).catch((error: unknown) => { throw committed ? new ModuleError('ACCOUNTS_OUTCOME_UNKNOWN', { detail: coded(error).detail ?? 'the file' }) : error; });
      // Dovecot looks at the file once a second at most: a log-in within this second may still be judged by the old one, and the auth
      // cache would keep it. After the second, flushing the cache is final.
      await pause(1020 - (Date.now() % 1000), undefined, { signal: call.signal }).catch(() => undefined);
      return { changedAt: firstMomentAfter(clock) };
    }

    return {
      abilities: { verifyPassword: true, changePassword: true, setPassword: true, listDomains: true, listMailboxes: true, maxPasswordBytes: hasher.maxPasswordBytes },
      find: (address, call) => inTime(call, never, async () => {
        const { content, stats } = await readSnapshot(file);
        const line = lineOf(content, address);
        // Every change of anybody moves the file's time on.
        return line === null ? null : { ...toAccount(line), passwordChangedNotAfter: Number(stats.mtimeMs) };
      }),
      verifyPassword: (address, password, call) => inTime(call, never, async () => {
        const line = lineOf(await read(), address);
        const right = await hasher.verifyOf(address, line === null || !isDecisive(line) ? null : line.password, password, call.took);
        return right && line !== null && mayLogIn(line);
      }),
      async changePassword(address, current, next, call) {
        const line = await inTime(call, never, async () => {
          const found = lineOf(await read(), address);
          const right = await hasher.verifyOf(address, found === null || !isDecisive(found) ? null : found.password, current, call.took);
          if (!right || found === null || !mayLogIn(found)) throw new ModuleError('CURRENT_PASSWORD_WRONG');
          return found;
        });
        return replace(address, line, next, call);
      },
      setPassword: (address, next, call) => replace(address, null, next, call),
      passwordVersion: (address, call) => inTime(call, never, async () => {
        const line = lineOf(await read(), address);
        return line === null || line.password === '' ? null : versionOf(line.password);
      }),
      storedPassword: (address, call) => inTime(call, never, async () => {
        const line = lineOf(await read(), address);
        return line === null || line.password === '' ? null : new Secret(line.password);
      }),
      async restorePassword(address, { stored }, call) { await write(address, null, stored.reveal(), call); },
      listDomains: (search, call) => inTime(call, never, async () => domains(await read()).filter((name) => name.includes(search.toLowerCase()))),
      listMailboxes: ({ domain: wanted, search, cursor, limit }, call) => inTime(call, never, async () => {
        const fits = ({ address, displayName = '' }: Account): boolean => foldedAddress(address).endsWith(`@${foldedAddress(wanted)}`)
          && [address, displayName].some((text) => foldedAddress(text).includes(foldedAddress(search)));
        return accountPage([...accounts(await read())].filter(fits), { cursor, limit });
      }),
      check: (call) => inTime(call, never, () => mustBeReplaceable(file)),
      async diagnose() {
        const content = await read().catch(() => null);
        return [...await diagnoseFile(file), ...(content === null ? [] : diagnoseLines(content, { written: hasher.scheme, bareScheme: given.bareScheme ?? 'CRYPT' }))];
      },
      close: () => Promise.resolve(),
    };
  },
});
