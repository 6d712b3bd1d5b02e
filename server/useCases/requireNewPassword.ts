import { ModuleError } from '../../module/errors.ts';
import type { AccountApi } from '../ports/accountApi.ts';
import type { AuditEvent, AuditLog } from '../ports/auditLog.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from 'pino';
import type { Requester } from './replacePassword.ts';

interface RequireDependencies {
  readonly accounts: AccountApi;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly log: Logger;
  readonly accountsTimeoutMs: number;
}

interface RequireRequest {
  readonly audit: Pick<AuditEvent, 'actor' | 'actorKind'>;
  readonly requester: Requester;
  readonly address: string;
  /** False takes it back. */
  readonly required: boolean;
}

/** Asks a mailbox's owner for a new password at the next log-in. The password and the sessions stay as they are. */
export async function requireNewPassword({ audit: who, requester, address, required }: RequireRequest, { accounts, audit, clock, log, accountsTimeoutMs }: RequireDependencies): Promise<void> {
  const { requestId, remoteAddress, userAgent } = requester;
  let outcome = 'done';
  try {
    if (accounts.abilities.requireChange !== true || accounts.requireChange === undefined) throw new ModuleError('OPERATION_NOT_SUPPORTED');
    await accounts.requireChange(address, required, { signal: AbortSignal.timeout(accountsTimeoutMs) });
  } catch (error) {
    const coded = error instanceof ModuleError ? error : new ModuleError('ACCOUNTS_UNAVAILABLE', { cause: error });
    outcome = coded.code;
    throw coded;
  } finally {
    await audit.append({ at: clock.now(), action: required ? 'require' : 'unrequire', ...who, requestId, remoteAddress, userAgent, address, outcome, ended: {} })
      .catch(() => { log.error({ requestId }, 'the audit log did not answer'); });
  }
}
