import { setTimeout as wait } from 'node:timers/promises';
import { ModuleError } from '../../../module/errors.ts';
import { reasonOf } from '../../diagnosis/findings.ts';
import { useCaseDependencies } from '../../http/useCaseDependencies.ts';
import type { CallOptions } from '../../ports/accountApi.ts';
import { fail, type Finding, ok, warn } from '../../ports/diagnosis.ts';
import type { Secret } from '../../secret.ts';
import { revokeEverything } from '../../useCases/revokeSessions.ts';
import type { Wiring } from '../../wiring.ts';
import { commandRequester, OPERATOR } from '../openService.ts';
import { KeptPassword } from './keptPassword.ts';

const TRIES = 5;

export interface Restoring {
  readonly address: string;
  /** The passwords as they are typed. */
  readonly old: Secret;
  readonly temporary: Secret;
  /** The old one as it was stored; null where the back end shows no stored values. */
  readonly stored: Secret | null;
}

/** `restored`; `changed`: somebody else has set another password meanwhile, which is left alone; else why it could not be done. */
export type RestoreOutcome = 'restored' | 'changed' | { readonly reason: string };

/**
 * The old password back, again and again: unchanged as it was stored where the back end shows that, else as the owner, else as the module.
 * Not by the use case: the old password need not meet today's policy.
 */
export async function restore({ address, old, temporary, stored }: Restoring, { accounts, config }: Pick<Wiring, 'accounts' | 'config'>): Promise<RestoreOutcome> {
  const call = (): CallOptions => ({ signal: AbortSignal.timeout(config.timeouts.accountsMs) });
  let reason = 'no answer';
  for (let tries = 0; tries < TRIES; tries += 1) {
    if (tries > 0) await wait(1000 * tries);
    try {
      // An answer that was lost may have been a success; the change itself may not have happened.
      if (await accounts.verifyPassword(address, old, call())) return 'restored';
      if (stored !== null && accounts.restorePassword !== undefined) {
        const expectedVersion = await accounts.passwordVersion(address, call());
        // Neither the old one nor ours: somebody else was here. The version holds until the write.
        if (!(await accounts.verifyPassword(address, temporary, call()))) return 'changed';
        await accounts.restorePassword(address, { stored, typed: old }, { ...call(), expectedVersion });
      }
      else await accounts.changePassword(address, temporary, old, call());
      return 'restored';
    } catch (error) {
      if (error instanceof ModuleError && error.code === 'ACCOUNT_CHANGED_MEANWHILE') return 'changed';
      reason = reasonOf(error);
    }
  }
  try {
    // What the owner may not, the module may.
    await accounts.changePassword(address, temporary, old, call()).catch(() => (accounts.abilities.setPassword ? accounts.setPassword(address, old, call()) : undefined));
    if (await accounts.verifyPassword(address, old, call())) return 'restored';
  } catch (error) {
    reason = reasonOf(error);
  }
  return { reason };
}

/** `doctor --restore`: what an interrupted write test left is put back, by the stored value that it had kept. */
export async function restoreKept(address: string, wiring: Wiring): Promise<Finding[]> {
  const { accounts, config, dataDir } = wiring;
  const file = new KeptPassword(dataDir, address);
  let record;
  try {
    record = file.read();
  } catch (error) {
    return [fail('restore', `${file.file} cannot be read (${reasonOf(error)})`, 'nothing was changed; `mailbox-password set` gives the mailbox a new password, then remove the file')];
  }
  const call = (): CallOptions => ({ signal: AbortSignal.timeout(config.timeouts.accountsMs) });
  try {
    const now = await accounts.storedPassword?.(address, call());
    if (now?.reveal() !== record.stored.reveal()) {
      if (accounts.restorePassword === undefined) throw new ModuleError('OPERATION_NOT_SUPPORTED');
      // The version holds until the write: only what is still the test's is written over.
      const expectedVersion = await accounts.passwordVersion(address, call());
      if (!(await accounts.verifyPassword(address, record.temporary, call()))) throw new ModuleError('ACCOUNT_CHANGED_MEANWHILE');
      await accounts.restorePassword(address, { stored: record.stored, typed: null }, { ...call(), expectedVersion });
    }
  } catch (error) {
    if (error instanceof ModuleError && error.code === 'ACCOUNT_CHANGED_MEANWHILE')
      return [fail('restore', `${address} has a password that this test did not set: it was left alone`, `if that is as it should be, remove ${file.file}`)];
    return [fail('restore', `${address} still has the temporary password of the test: ${reasonOf(error)}`, `mend that and say it again; the old hash is kept in ${file.file}`)];
  }
  file.remove();
  const findings = [ok('restore', `${address} has the password from before the test, stored as it was`)];
  return [...findings, ...await endSessions(address, 'doctor --restore', wiring)];
}

/** Whoever came in with the temporary password. */
export async function endSessions(address: string, command: string, wiring: Wiring): Promise<Finding[]> {
  try {
    const { pending } = await revokeEverything({ audit: OPERATOR, requester: commandRequester(command), address }, useCaseDependencies(wiring));
    return [pending.length === 0 ? ok('log-out', 'the sessions of the temporary password are ended too') : warn('log-out', `still owed after the restore: ${pending.join(', ')}`, 'the running service retries it; `mailbox-password outbox list`')];
  } catch (error) {
    return [warn('log-out', `after the restore: ${reasonOf(error)}`, `run \`mailbox-password logout ${address}\``)];
  }
}
