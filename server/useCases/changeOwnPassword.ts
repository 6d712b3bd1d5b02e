import type { ChangePasswordResponse } from '../../module/operations.ts';
import { ModuleError } from '../../module/errors.ts';
import { normalizePassword } from '../../module/policy/normalizePassword.ts';
import type { Actor } from '../ports/hostIdentity.ts';
import type { MailboxTurns } from '../ports/mailboxTurns.ts';
import { Secret } from '../secret.ts';
import { type ReplaceDependencies, replacePassword, type Requester } from './replacePassword.ts';
import { verifyTyped } from './verifyTyped.ts';

export interface ChangeRequest extends Requester {
  readonly actor: Actor;
  readonly currentPassword: string;
  readonly newPassword: string;
}

/**
 * The owner changes the password. The current one is verified against the account API, not against what a session remembers. Of two changes
 * of one mailbox on two nodes one is told: some back ends check the current password and write in two steps (a directory), and the turn,
 * held in the state database, keeps the other out meanwhile.
 */
export async function changeOwnPassword({ actor, currentPassword, newPassword, requestId, remoteAddress, userAgent, surface, language }: ChangeRequest, dependencies: ReplaceDependencies): Promise<ChangePasswordResponse> {
  const { accounts, turns, accountsTimeoutMs } = dependencies;
  const { address } = actor;
  const next = new Secret(normalizePassword(newPassword));
  let turn: Awaited<ReturnType<MailboxTurns['take']>> = null;
  try {
    return await replacePassword({
      audit: { action: 'change', actor: address, actorKind: 'owner' },
      requester: { requestId, remoteAddress, userAgent, surface, language },
      address, actor, next,
      async prepare(options) {
        // Asked before the password is verified: a version that came later could be of another password. Nobody is told why it cannot be had.
        const verifiedVersion = accounts.abilities.provesByVersion === true ? await accounts.passwordVersion(address, options()).catch(() => null) : null;
        const current = await verifyTyped(currentPassword, address, accounts, options);
        if (current === null) throw new ModuleError('CURRENT_PASSWORD_WRONG', { fields: [{ field: 'currentPassword', code: 'CURRENT_PASSWORD_WRONG' }] });
        // Longer than the change itself can take.
        turn = await turns.take(address, 3 * accountsTimeoutMs);
        if (turn === null) throw new ModuleError('ACCOUNT_CHANGED_MEANWHILE');
        return { current, write: (call) => accounts.changePassword(address, current, next, { ...call, verifiedVersion }) };
      },
    }, dependencies);
  } finally {
    await (turn as Awaited<ReturnType<MailboxTurns['take']>>)?.release();
  }
}
