import { setTimeout as wait } from 'node:timers/promises';
import { generatePassword } from '../../../module/policy/generatePassword.ts';
import { reasonOf } from '../../diagnosis/findings.ts';
import { useCaseDependencies } from '../../http/useCaseDependencies.ts';
import { fail, type Finding, ok, warn } from '../../ports/diagnosis.ts';
import { Secret } from '../../secret.ts';
import { changeOwnPassword } from '../../useCases/changeOwnPassword.ts';
import { revokeEverything } from '../../useCases/revokeSessions.ts';
import { verifyTyped } from '../../useCases/verifyTyped.ts';
import type { Wiring } from '../../wiring.ts';
import { endedText } from '../ended.ts';
import { commandRequester, OPERATOR } from '../openService.ts';
import { say } from '../terminal.ts';
import { type ImapConnection, type ImapServer, logInByImap } from './imap.ts';

const RESTORE_TRIES = 5;
const GONE_MS = 15_000;

export interface WriteTest {
  readonly address: string;
  /** As typed. */
  readonly current: string;
  /** Null: the log-out is proved for web sessions only. */
  readonly imap: ImapServer | null;
}

/** The old password back, whatever happens: as the owner, else as the module; again and again. False where all of it failed. */
async function restore(address: string, old: Secret, temporary: Secret, { accounts, config }: Wiring): Promise<boolean> {
  const call = () => ({ signal: AbortSignal.timeout(config.timeouts.accountsMs) });
  for (let tries = 0; tries < RESTORE_TRIES; tries += 1) {
    if (tries > 0) await wait(1000 * tries);
    // An answer that was lost may have been a success.
    if (await accounts.verifyPassword(address, old, call()).catch(() => false)) return true;
    // Not by the use case: the old password need not meet today's policy.
    await accounts.changePassword(address, temporary, old, call()).catch(async () => {
      if (accounts.abilities.setPassword) await accounts.setPassword(address, old, call()).catch(() => undefined);
    });
  }
  return accounts.verifyPassword(address, old, call()).catch(() => false);
}

/** The same password once more, the administrator's way: whether the account API lets us is otherwise seen by the first who needs it. */
async function triedAsAdministrator(address: string, old: Secret, { accounts, config }: Wiring): Promise<Finding> {
  try {
    await accounts.setPassword(address, old, { signal: AbortSignal.timeout(config.timeouts.accountsMs) });
    return ok('set', 'an administrator can set it too');
  } catch (error) {
    return warn('set', `an administrator cannot set it: ${reasonOf(error)}`, 'owners can change theirs. For the Admin Panel give the account API\'s user the right to set passwords, or set panels.admin.enabled to false');
  }
}

/** What can be seen after the change with the eyes of a mail program. */
async function seenByImap(server: ImapServer, address: string, old: Secret, temporary: Secret, before: ImapConnection, connections: ImapConnection[]): Promise<Finding[]> {
  const dead = await before.endedWithin(GONE_MS);
  const [again, fresh] = [await logInByImap(server, address, old), await logInByImap(server, address, temporary)];
  connections.push(...[again, fresh].filter((one) => one !== null));
  return [
    dead ? ok('log-out', 'the IMAP connection of the old password was ended') : fail('log-out', `the IMAP connection of the old password was still there after ${String(GONE_MS / 1000)} s`, 'is this mail server one of the back ends of a sessions entry?'),
    again === null ? ok('old password', 'IMAP refuses it') : fail('old password', 'IMAP still takes it', 'does this mail server read the mailboxes that `accounts` changes? Is its auth cache flushed (sessions: dovecot)?'),
    fresh === null ? fail('new password', 'IMAP refuses it', 'does this mail server read the mailboxes that `accounts` changes, and know the scheme of the new hash?') : ok('new password', 'IMAP takes it'),
  ];
}

/**
 * A whole change of a test mailbox, and back. The old password is restored on every way out that a process has; what a power cut would
 * leave is said before: the temporary password.
 */
export async function writeTest({ address, current, imap }: WriteTest, wiring: Wiring): Promise<Finding[]> {
  const { accounts, config, policy } = wiring;
  const call = () => ({ signal: AbortSignal.timeout(config.timeouts.accountsMs) });
  const findings: Finding[] = [];
  let old: Secret | null;
  try {
    old = await verifyTyped(current, address, accounts, call);
  } catch (error) {
    return [fail('current', reasonOf(error), 'mend this first. Nothing was changed')];
  }
  if (old === null) return [fail('current', `this is not the password of ${address}, or there is no such mailbox`, 'try again. Nothing was changed')];
  findings.push(ok('current', 'the account API takes the current password'));
  const temporary = new Secret(generatePassword(policy, crypto, { address, currentPassword: current }));
  const connections: ImapConnection[] = [];
  let before: ImapConnection | null = null;
  if (imap === null) findings.push(warn('log-out', 'not proved by IMAP: no mail server is known', 'set mailSettings.imap, or say --imap host:port'));
  else {
    try {
      before = await logInByImap(imap, address, old);
      if (before === null) return [...findings, fail('log-in', 'IMAP refuses the current password that the account API takes', 'does this mail server read the same mailboxes? Nothing was changed')];
      connections.push(before);
    } catch (error) {
      return [...findings, fail('log-in', reasonOf(error), 'check mailSettings.imap or --imap (on the mail server itself: --imap 127.0.0.1:143:none). Nothing was changed')];
    }
  }
  // From here on the process must not end before the old password is back.
  const deaf = (): void => { say('The old password is being restored first.'); };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, deaf);
  say(`Should this process be killed now, the password of ${address} is: ${temporary.reveal()}`);
  try {
    const result = await changeOwnPassword({
      actor: { kind: 'owner', address, sessionId: null }, currentPassword: current, newPassword: temporary.reveal(), ...commandRequester('doctor --write-test'),
    }, useCaseDependencies(wiring));
    findings.push(ok('change', `done in full. ${endedText(result)}`));
    if (result.pending.length > 0) findings.push(fail('log-out', `still owed: ${result.pending.join(', ')}`, 'mend the session store; `mailbox-password outbox list`'));
    if (imap !== null && before !== null) findings.push(...await seenByImap(imap, address, old, temporary, before, connections));
  } catch (error) {
    findings.push(fail('change', reasonOf(error), 'docs/errors.md says what this code means'));
  }
  const restored = await restore(address, old, temporary, wiring).catch(() => false);
  findings.push(restored ? ok('restore', 'the old password is back') : fail('restore', `THE OLD PASSWORD COULD NOT BE RESTORED. The password of ${address} is: ${temporary.reveal()}`, 'set it by hand when the account API answers again'));
  if (restored && accounts.abilities.setPassword) findings.push(await triedAsAdministrator(address, old, wiring));
  try {
    const { pending } = await revokeEverything({ audit: OPERATOR, requester: commandRequester('doctor --write-test'), address }, useCaseDependencies(wiring));
    findings.push(pending.length === 0 ? ok('log-out', 'the sessions of the temporary password are ended too') : warn('log-out', `still owed after the restore: ${pending.join(', ')}`, 'the running service retries it; `mailbox-password outbox list`'));
    if (restored && imap !== null) {
      const back = await logInByImap(imap, address, old);
      if (back !== null) connections.push(back);
      findings.push(back === null ? fail('restore', 'IMAP refuses the restored password', 'log in by hand; flush the auth cache of the mail server') : ok('restore', 'IMAP takes the old password again'));
    }
  } catch (error) {
    findings.push(warn('log-out', `after the restore: ${reasonOf(error)}`, 'run `mailbox-password logout` for the mailbox'));
  }
  for (const connection of connections) connection.close();
  for (const signal of signals) process.off(signal, deaf);
  return findings;
}
