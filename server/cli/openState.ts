import { resolve } from 'node:path';
import { creating } from '../config/creating.ts';
import { createStateAudit } from '../drivers/audit/state.ts';
import { createStateNoticeOutbox } from '../drivers/noticeOutbox/state.ts';
import { createStateOutbox } from '../drivers/outbox/state.ts';
import type { AuditLog } from '../ports/auditLog.ts';
import type { Clock } from '../ports/clock.ts';
import type { NoticeOutbox } from '../ports/noticeOutbox.ts';
import type { RevocationOutbox } from '../ports/revocationOutbox.ts';
import { createSharedClock } from '../state/sharedClock.ts';
import { openState, type StateDatabase } from '../state/stateDatabase.ts';
import type { ConfigOption } from './command.ts';
import { becomeServiceUser, configOf, mustHaveState } from './openService.ts';

/** Only the module's own database: works while everything behind it is down. */
export async function withState<T>(options: ConfigOption, work: (state: { readonly audit: AuditLog; readonly outbox: RevocationOutbox; readonly notices: NoticeOutbox; readonly clock: Clock; readonly database: StateDatabase }) => Promise<T>): Promise<T> {
  const config = configOf(options);
  becomeServiceUser(config.dataDir);
  mustHaveState(config);
  const { url, previousUrl, tls } = config.state;
  const state = await creating('state', () => openState(resolve(config.dataDir), url, previousUrl, tls));
  const clock = await createSharedClock(state.now);
  try {
    return await work({ audit: createStateAudit(state.database), outbox: createStateOutbox(state, clock, config.revocation.leaseMs), notices: createStateNoticeOutbox(state.database, clock), clock, database: state.database });
  } finally {
    clock.close();
    await state.database.destroy();
  }
}
