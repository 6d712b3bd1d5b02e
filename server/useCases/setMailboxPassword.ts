import type { ChangePasswordResponse } from '../../module/operations.ts';
import { ModuleError } from '../../module/errors.ts';
import { normalizePassword } from '../../module/policy/normalizePassword.ts';
import type { MailboxTurns } from '../ports/mailboxTurns.ts';
import { Secret } from '../secret.ts';
import { type ReplaceDependencies, replacePassword, type Requester } from './replacePassword.ts';

export interface SetRequest extends Requester {
  readonly administrator: string;
  /** `administrator` where it is left out. */
  readonly actorKind?: 'administrator' | 'operator';
  readonly address: string;
  readonly newPassword: string;
  /** Ask for another one at the next log-in; no where it is left out. */
  readonly requireChange?: boolean | undefined;
  /** Whether this is still the version that was there when the dialog was opened. */
  readonly isExpected: (passwordVersion: string) => boolean;
}

/**
 * An administrator sets a password; it logs out everywhere as a change by the owner does. Of two administrators one is told: the turn, held
 * in the state database while the set goes on, keeps a second one out on every node; the version tells one who comes later; and the back
 * end compares the version within its write, against changes that do not come through this module.
 */
export async function setMailboxPassword(
  { administrator, actorKind = 'administrator', address, newPassword, requireChange = false, isExpected, requestId, remoteAddress, userAgent, surface, language }: SetRequest, dependencies: ReplaceDependencies,
): Promise<ChangePasswordResponse> {
  const { accounts, turns, accountsTimeoutMs } = dependencies;
  const next = new Secret(normalizePassword(newPassword));
  let turn: Awaited<ReturnType<MailboxTurns['take']>> = null;
  let expectedVersion: string | null = null;
  try {
    return await replacePassword({
      audit: { action: 'set', actor: administrator, actorKind },
      requester: { requestId, remoteAddress, userAgent, surface, language },
      address, actor: null, next,
      async prepare() {
        if (!accounts.abilities.setPassword || (requireChange && accounts.abilities.requireChange !== true)) throw new ModuleError('OPERATION_NOT_SUPPORTED');
        // Longer than the set itself can take: it is three calls to the account API.
        turn = await turns.take(address, 5 * accountsTimeoutMs);
        if (turn === null) throw new ModuleError('ACCOUNT_CHANGED_MEANWHILE');
        return { current: null, write: (call) => accounts.setPassword(address, next, { ...call, expectedVersion, requireChange }) };
      },
      async expect(passwordVersion) {
        expectedVersion = passwordVersion;
        if (!isExpected(passwordVersion ?? await turns.mark(address))) throw new ModuleError('ACCOUNT_CHANGED_MEANWHILE');
      },
    }, dependencies);
  } finally {
    await (turn as Awaited<ReturnType<MailboxTurns['take']>>)?.release();
  }
}
