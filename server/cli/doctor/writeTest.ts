import { generatePassword } from '../../../module/policy/generatePassword.ts';
import { reasonOf } from '../../diagnosis/findings.ts';
import { useCaseDependencies } from '../../http/useCaseDependencies.ts';
import { fail, type Finding, ok, warn } from '../../ports/diagnosis.ts';
import { Secret } from '../../secret.ts';
import { changeOwnPassword } from '../../useCases/changeOwnPassword.ts';
import { verifyTyped } from '../../useCases/verifyTyped.ts';
import type { Wiring } from '../../wiring.ts';
import { endedText } from '../ended.ts';
import { commandRequester } from '../openService.ts';
import { say } from '../terminal.ts';
import { type ImapConnection, type ImapServer, logInByImap } from './imap.ts';
import { KeptPassword } from './keptPassword.ts';
import { endSessions, restore, type RestoreOutcome } from './restore.ts';

const GONE_MS = 15_000;

export interface WriteTest {
  readonly address: string;
  /** As typed. */
  readonly current: string;
  /** Null: the log-out is proved for web sessions only. */
  readonly imap: ImapServer | null;
}

/** The temporary password once more, the administrator's way: whether the account API lets us is otherwise seen by the first who needs it. */
async function triedAsAdministrator(address: string, temporary: Secret, { accounts, config }: Wiring): Promise<Finding> {
  try {
    await accounts.setPassword(address, temporary, { signal: AbortSignal.timeout(config.timeouts.accountsMs) });
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

/** What became of the old password, and how to mend it where it is not back. */
function restoreFinding(address: string, outcome: RestoreOutcome, file: KeptPassword | null): Finding {
  if (outcome === 'restored') return ok('restore', 'the old password is back');
  if (outcome === 'changed') return fail('restore', `somebody else has given ${address} another password during the test: it was left alone`, 'ask them; nothing of the test is left');
  const now = `${address} now has the temporary password that stands on the standard error output`;
  return file === null ? fail('restore', `THE OLD PASSWORD COULD NOT BE RESTORED (${outcome.reason}). ${now}`, `mend that, then \`mailbox-password set ${address}\` with the old password`)
    : fail('restore', `THE OLD PASSWORD COULD NOT BE RESTORED (${outcome.reason}). ${now}; its old hash is kept in ${file.file}`, `mend that, then \`mailbox-password doctor --restore ${address}\``);
}

/**
 * A whole change of a test mailbox, and back. The old password is restored on every way out that a process has. Where the back end shows
 * what it stores, that is kept in a file before anything is changed, so that even a power cut loses nothing; else what it would leave is
 * said before: the temporary password.
 */
export async function writeTest({ address, current, imap }: WriteTest, wiring: Wiring): Promise<Finding[]> {
  const { accounts, config, policy, dataDir } = wiring;
  const call = () => ({ signal: AbortSignal.timeout(config.timeouts.accountsMs) });
  const findings: Finding[] = [];
  const file = new KeptPassword(dataDir, address);
  if (file.exists()) return [fail('change', `not tried: a test of ${address} before this one was not undone`, `\`mailbox-password doctor --restore ${address}\` first. Nothing was changed`)];
  let old: Secret | null;
  let stored: Secret | null;
  try {
    old = await verifyTyped(current, address, accounts, call);
    stored = old === null || accounts.storedPassword === undefined ? null : await accounts.storedPassword(address, call());
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
  try {
    if (stored !== null) file.write(stored, temporary);
  } catch (error) {
    for (const connection of connections) connection.close();
    return [...findings, fail('change', `not tried: the old hash could not be kept in ${file.file} (${reasonOf(error)})`, 'make room in dataDir, and let the service\'s user write there. Nothing was changed')];
  }
  // From here on the process must not end before the old password is back.
  const deaf = (): void => { say('The old password is being restored first.'); };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, deaf);
  say(`Should this process be killed now, the password of ${address} is: ${temporary.reveal()}`);
  if (stored !== null) say(`\`mailbox-password doctor --restore ${address}\` would put the old one back.`);
  try {
    const result = await changeOwnPassword({
      actor: { kind: 'owner', address, sessionId: null }, currentPassword: current, newPassword: temporary.reveal(), ...commandRequester('doctor --write-test'),
    }, useCaseDependencies(wiring));
    findings.push(ok('change', `done in full. ${endedText(result)}`));
    if (result.pending.length > 0) findings.push(fail('log-out', `still owed: ${result.pending.join(', ')}`, 'mend the session store; `mailbox-password outbox list`'));
    if (imap !== null && before !== null) findings.push(...await seenByImap(imap, address, old, temporary, before, connections));
    // Before the way back: what comes back then is as it was stored. Only what is still ours is written over.
    if (accounts.abilities.setPassword && await accounts.verifyPassword(address, temporary, call()).catch(() => false)) findings.push(await triedAsAdministrator(address, temporary, wiring));
  } catch (error) {
    findings.push(fail('change', reasonOf(error), 'docs/errors.md says what this code means'));
  }
  const outcome = await restore({ address, old, temporary, stored }, wiring);
  const lost = typeof outcome === 'object';
  if (!lost) file.remove();
  findings.push(restoreFinding(address, outcome, stored === null ? null : file));
  // Once more where it is looked for: not in the report, which may go on to others.
  if (lost) say(`The password of ${address} is still: ${temporary.reveal()}`);
  findings.push(...await endSessions(address, 'doctor --write-test', wiring));
  if (outcome === 'restored' && imap !== null) {
    try {
      const back = await logInByImap(imap, address, old);
      if (back !== null) connections.push(back);
      findings.push(back === null ? fail('restore', 'IMAP refuses the restored password', 'log in by hand; flush the auth cache of the mail server') : ok('restore', 'IMAP takes the old password again'));
    } catch (error) {
      findings.push(warn('restore', `not proved by IMAP: ${reasonOf(error)}`, 'log in by hand'));
    }
  }
  for (const connection of connections) connection.close();
  for (const signal of signals) process.off(signal, deaf);
  return findings;
}
