import { randomUUID } from 'node:crypto';
import { addCounts, type ChannelCounts } from '../../module/channels.ts';
import type { ChangePasswordResponse } from '../../module/operations.ts';
import { ModuleError } from '../../module/errors.ts';
import type { AccountApi, CallOptions, ChangeReceipt } from '../ports/accountApi.ts';
import type { AuditEvent, AuditLog } from '../ports/auditLog.ts';
import { firstMomentAfter } from '../ports/clock.ts';
import type { Actor } from '../ports/hostIdentity.ts';
import type { MailboxTurns } from '../ports/mailboxTurns.ts';
import type { Surface } from '../ports/metrics.ts';
import type { Notices } from '../ports/notices.ts';
import type { PasswordPolicyProvider } from '../ports/passwordPolicyProvider.ts';
import { type DeliverDependencies, deliverToAll } from '../revocation/deliver.ts';
import type { Secret } from '../secret.ts';
import { judgeByServer } from './judgeByServer.ts';

export interface ReplaceDependencies extends DeliverDependencies {
  readonly accounts: AccountApi;
  readonly audit: AuditLog;
  readonly accountsTimeoutMs: number;
  readonly rules: readonly PasswordPolicyProvider[];
  /** Where the account API can tell no version of its own, it is written down here that the password is another one now. */
  readonly turns: MailboxTurns;
  readonly notices: Notices;
}

/** What `prepare` found: how to write, and the current password where somebody has just proved to know it. */
export interface Prepared {
  readonly current: Secret | null;
  readonly write: (options: CallOptions) => Promise<ChangeReceipt>;
}

/** Who asks, for the audit log, the log line and the count. */
export interface Requester {
  readonly requestId: string;
  readonly remoteAddress: string;
  readonly userAgent: string;
  readonly surface: Surface;
  /** `Accept-Language` of the request: the language of the notice, where the back end knows none. */
  readonly language?: string | undefined;
}

interface Replacement {
  readonly audit: Pick<AuditEvent, 'actor' | 'actorKind'> & { readonly action: 'change' | 'set' };
  readonly requester: Requester;
  readonly address: string;
  /** The calling session of the host, where there is one. */
  readonly actor: Actor | null;
  readonly next: Secret;
  /** Whatever has to be true first; it throws where it is not. Hands on the write. */
  prepare(options: () => CallOptions): Promise<Prepared>;
  /** Judges the version that is replaced; it throws where somebody else was faster. */
  expect?(passwordVersion: string | null): Promise<void>;
}

interface WrittenOutcome extends Pick<Replacement, 'audit' | 'requester' | 'address'> {
  readonly changeId?: string;
  /** `done`, `pending`, or the error code. */
  readonly outcome: string;
  readonly ended?: ChangePasswordResponse['ended'];
  readonly pending?: ChangePasswordResponse['pending'];
  /** Milliseconds by hop, asked for when the audit log has been written. */
  readonly hops?: () => Readonly<Record<string, number>>;
}

/** The audit row, the count and the log line of a change or set, or of a refused one. That the audit log does not answer undoes nothing. */
export async function writeOutcome({ audit: who, requester, address, changeId, outcome, ended = {}, pending = [], hops: taken = () => ({}) }: WrittenOutcome, { audit, clock, log, metrics }: Pick<ReplaceDependencies, 'audit' | 'clock' | 'log' | 'metrics'>): Promise<void> {
  const { requestId, surface, remoteAddress } = requester;
  try {
    await audit.append({ at: clock.now(), ...who, ...requester, address, outcome, ended });
  } catch {
    log.error({ requestId }, 'the audit log did not answer');
  }
  const hops = taken();
  metrics.changed({ action: who.action, surface, outcome, hops });
  log.info({ requestId, changeId, surface, address, by: who.actor, remoteAddress, outcome, ended, pending, hops }, `password ${who.action}`);
}

/** What one rule cannot do now is said, and stops neither the change nor the other rules. */
async function askedOfEach<T>(what: (rule: PasswordPolicyProvider) => Promise<readonly T[]>, { rules, log }: ReplaceDependencies): Promise<readonly T[]> {
  return (await Promise.all(rules.map((rule) => what(rule).catch((error: unknown) => {
    log.error({ rule: rule.name, detail: error instanceof Error ? error.name : 'unknown' }, 'a password rule could not write down what it needs');
    return [];
  })))).flat();
}

/** Where nobody has looked at the old password: an Argon2id or a bcrypt of cost 10 on a busy machine, milliseconds. */
const UNSEEN_LOOK_MS = 100;

/** Hops 4 to 8 of one change (docs/architecture.md), the same whether the owner changes a password or an administrator sets it. */
export async function replacePassword(replacement: Replacement, dependencies: ReplaceDependencies): Promise<ChangePasswordResponse> {
  const { accounts, outbox, turns, clock, log, accountsTimeoutMs, stores, rules, notices } = dependencies;
  const { address, actor, next, requester } = replacement;
  const changeId = randomUUID();
  /** The dearest look at a password so far, by the account API's own word; milliseconds. */
  let toldMs: number | null = null;
  const took = (milliseconds: number): void => { toldMs = Math.max(toldMs ?? 0, milliseconds); };
  const options = (): CallOptions => ({ signal: AbortSignal.timeout(accountsTimeoutMs), took });
  const hops: Record<string, number> = {};
  let since = performance.now();
  const hop = (name: string): void => {
    const now = performance.now();
    hops[name] = Math.round((now - since) * 10) / 10;
    since = now;
  };
  const write = async (outcome: string, ended: ChangePasswordResponse['ended'], pending: ChangePasswordResponse['pending'] = []): Promise<void> => {
    await writeOutcome({ ...replacement, changeId, outcome, ended, pending, hops: () => { hop('audit'); return hops; } }, dependencies);
  };

  try {
    const { current, write: replace } = await replacement.prepare(options);
    hop('verify');
    await judgeByServer(rules, { address, next }, options());
    const memories = await askedOfEach((rule) => rule.remember({ address, current, next }), dependencies);
    if (rules.length > 0) hop('rules');
    const drafts = await notices.draft({ event: replacement.audit.action, address, actor: replacement.audit.actor, actorKind: replacement.audit.actorKind, language: undefined, ...requester });
    const passwordVersion = await accounts.passwordVersion(address, options());
    await replacement.expect?.(passwordVersion);
    await outbox.record({ changeId, address, stores: stores.map(({ name }) => name), passwordVersion, settleAfter: clock.now() + 2 * accountsTimeoutMs, notices: drafts, memories })
      .catch((cause: unknown) => { throw new ModuleError('STATE_UNAVAILABLE', { cause }); });
    hop('record');
    let changedAt: number;
    try {
      changedAt = (await replace(options())).changedAt ?? firstMomentAfter(clock);
    } catch (error) {
      if (error instanceof ModuleError && error.code === 'ACCOUNTS_OUTCOME_UNKNOWN') {
        // The write may have landed: the new password itself tells. Where it cannot, the entry stays and is settled later.
        const landed = await accounts.verifyPassword(address, next, options()).catch(() => false);
        if (!landed) throw error;
        changedAt = firstMomentAfter(clock);
      } else if (error instanceof ModuleError) {
        await outbox.cancel(changeId).catch(() => { log.error({ changeId }, 'the outbox did not answer; the entry will be settled'); });
        throw error;
      } else {
        // Not a refusal that the driver knows: nobody can say whether it changed, so the entry stays.
        throw new ModuleError('ACCOUNTS_OUTCOME_UNKNOWN', { cause: error });
      }
    }
    if (passwordVersion === null) await turns.changed(address, changeId).catch(() => { log.error({ changeId }, 'the state database did not answer'); });
    hop('change');
    /** The User Panel's own log-ins, which end with the confirmation. */
    let own: ChannelCounts = {};
    const confirm = async (): Promise<void> => { own = addCounts(own, await outbox.confirm(changeId, changedAt)); };
    const confirmed = await confirm().then(() => true, () => {
      log.error({ changeId }, 'the outbox did not answer; the entry will be settled');
      return false;
    });
    hop('confirm');
    // What a log-in under way has to do, on this machine, now: look at the old hash. In a set nobody did, and it may be dearer than the new one.
    // The hops hold what waited for its turn in this process, which a log-in does not: they count only where nothing better is known.
    const ownMs = toldMs ?? Math.max(hops['verify'] ?? UNSEEN_LOOK_MS, hops['change'] ?? 0);
    const logInMs = current === null ? Math.max(UNSEEN_LOOK_MS, ownMs) : ownMs;
    const { ended: delivered, pending } = await deliverToAll({ changeId, address, changedAt, attempts: 0, actor, logInMs }, dependencies);
    hop('revoke');
    // Where the log-outs were written off meanwhile, nobody is left to settle what goes with the change.
    if (!confirmed) await confirm().catch(() => undefined);
    const ended = addCounts(own, delivered);
    if (drafts.length > 0) await notices.release(changeId, ended, pending);
    await askedOfEach((rule) => rule.forget(address).then(() => []), dependencies);
    const revocation = pending.length === 0 ? 'done' : 'pending';
    await write(revocation, ended, pending);
    return { changedAt: new Date(changedAt).toISOString(), revocation, ended, pending };
  } catch (error) {
    const coded = error instanceof ModuleError ? error : new ModuleError('ACCOUNTS_UNAVAILABLE', { cause: error });
    await write(coded.code, {});
    throw coded;
  }
}
