import type { ChangePasswordResponse } from '../../module/operations.ts';
import { ModuleError } from '../../module/errors.ts';
import { normalizePassword } from '../../module/policy/normalizePassword.ts';
import { Secret } from '../secret.ts';
import { type ReplaceDependencies, replacePassword, type Requester } from './replacePassword.ts';

export interface SetRequest extends Requester {
  readonly administrator: string;
  /** `administrator` where it is left out. */
  readonly actorKind?: 'administrator' | 'operator';
  readonly address: string;
  readonly newPassword: string;
  /** Whether the password is still the one that was there when the dialog was opened; null = the back end cannot tell. */
  readonly isExpected: (passwordVersion: string | null) => boolean;
}

/** Changes under way in this process, by mailbox: of two administrators at once, one is told. */
const underWay = new Set<string>();

/** An administrator sets a password; it logs out everywhere as a change by the owner does. */
export async function setMailboxPassword({ administrator, actorKind = 'administrator', address, newPassword, isExpected, requestId, remoteAddress, userAgent, surface }: SetRequest, dependencies: ReplaceDependencies): Promise<ChangePasswordResponse> {
  const { accounts } = dependencies;
  const next = new Secret(normalizePassword(newPassword));
  const mine = !underWay.has(address);
  underWay.add(address);
  try {
    return await replacePassword({
      audit: { action: 'set', actor: administrator, actorKind },
      requester: { requestId, remoteAddress, userAgent, surface },
      address, actor: null, next,
      prepare() {
        if (!accounts.abilities.setPassword) throw new ModuleError('OPERATION_NOT_SUPPORTED');
        if (!mine) throw new ModuleError('ACCOUNT_CHANGED_MEANWHILE');
        return Promise.resolve({ current: null, write: (call) => accounts.setPassword(address, next, call) });
      },
      expect(now) {
        if (!isExpected(now)) throw new ModuleError('ACCOUNT_CHANGED_MEANWHILE');
      },
    }, dependencies);
  } finally {
    if (mine) underWay.delete(address);
  }
}
