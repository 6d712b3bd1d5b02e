import { randomUUID } from 'node:crypto';
import type { ChangePasswordResponse } from '../../module/operations.ts';
import { ModuleError } from '../../module/errors.ts';
import { normalizePassword } from '../../module/policy/normalizePassword.ts';
import type { AccountApi, CallOptions } from '../ports/accountApi.ts';
import type { AuditLog } from '../ports/auditLog.ts';
import type { Actor } from '../ports/hostIdentity.ts';
import { type DeliverDependencies, deliverToAll } from '../revocation/deliver.ts';
import { Secret } from '../secret.ts';

export interface ChangeDependencies extends DeliverDependencies {
  readonly accounts: AccountApi;
  readonly audit: AuditLog;
  readonly accountsTimeoutMs: number;
}

export interface ChangeRequest {
  readonly actor: Actor;
  readonly currentPassword: string;
  readonly newPassword: string;
  readonly requestId: string;
  readonly remoteAddress: string;
  readonly userAgent: string;
}

/** As typed on the keyboard in its one form; an older system may have stored another, so the raw form counts too. */
async function findCurrent(typed: string, address: string, accounts: AccountApi, options: CallOptions): Promise<Secret | null> {
  for (const form of new Set([normalizePassword(typed), typed])) {
    const secret = new Secret(form);
    if (await accounts.verifyPassword(address, secret, options)) return secret;
  }
  return null;
}

/** Hops 4 to 8 of one change (docs/architecture.md). */
export async function changeOwnPassword(request: ChangeRequest, dependencies: ChangeDependencies): Promise<ChangePasswordResponse> {
  const { accounts, outbox, clock, audit, log, accountsTimeoutMs, stores } = dependencies;
  const { address } = request.actor;
  const changeId = randomUUID();
  const options = (): CallOptions => ({ signal: AbortSignal.timeout(accountsTimeoutMs) });
  const hops: Record<string, number> = {};
  let since = performance.now();
  const hop = (name: string): void => {
    const now = performance.now();
    hops[name] = Math.round((now - since) * 10) / 10;
    since = now;
  };
  const write = async (outcome: string, ended: ChangePasswordResponse['ended']): Promise<void> => {
    try {
      await audit.append({
        at: clock.now(), requestId: request.requestId, action: 'change', actor: address, actorKind: 'owner', address,
        remoteAddress: request.remoteAddress, userAgent: request.userAgent, outcome, ended,
      });
    } catch {
      log.error({ requestId: request.requestId }, 'the audit log did not answer');
    }
    hop('audit');
    log.info({ requestId: request.requestId, address, changeId, outcome, ended, hops }, 'password change');
  };

  try {
    const current = await findCurrent(request.currentPassword, address, accounts, options());
    hop('verify');
    if (current === null) throw new ModuleError('CURRENT_PASSWORD_WRONG', { fields: [{ field: 'currentPassword', code: 'CURRENT_PASSWORD_WRONG' }] });
    const passwordVersion = await accounts.passwordVersion(address, options());
    await outbox.record({ changeId, address, stores: stores.map(({ name }) => name), passwordVersion, settleAfter: clock.now() + 2 * accountsTimeoutMs })
      .catch((cause: unknown) => { throw new ModuleError('STATE_UNAVAILABLE', { cause }); });
    hop('record');
    const next = new Secret(normalizePassword(request.newPassword));
    let changedAt: number;
    try {
      changedAt = (await accounts.changePassword(address, current, next, options())).changedAt ?? clock.now();
    } catch (error) {
      if (error instanceof ModuleError && error.code === 'ACCOUNTS_OUTCOME_UNKNOWN') {
        // The write may have landed: the new password itself tells. Where it cannot, the entry stays and is settled later.
        const landed = await accounts.verifyPassword(address, next, options()).catch(() => false);
        if (!landed) throw error;
        changedAt = clock.now();
      } else if (error instanceof ModuleError) {
        await outbox.cancel(changeId).catch(() => { log.error({ changeId }, 'the outbox did not answer; the entry will be settled'); });
        throw error;
      } else {
        // Not a refusal that the driver knows: nobody can say whether it changed, so the entry stays.
        throw new ModuleError('ACCOUNTS_OUTCOME_UNKNOWN', { cause: error });
      }
    }
    hop('change');
    await outbox.confirm(changeId, changedAt).catch(() => { log.error({ changeId }, 'the outbox did not answer; the entry will be settled'); });
    hop('confirm');
    const { ended, pending } = await deliverToAll({ changeId, address, changedAt, attempts: 0, actor: request.actor }, dependencies);
    hop('revoke');
    const revocation = pending.length === 0 ? 'done' : 'pending';
    await write(revocation, ended);
    return { changedAt: new Date(changedAt).toISOString(), revocation, ended, pending };
  } catch (error) {
    const coded = error instanceof ModuleError ? error : new ModuleError('ACCOUNTS_UNAVAILABLE', { cause: error });
    await write(coded.code, {});
    throw coded;
  }
}
