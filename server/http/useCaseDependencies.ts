import type { Wiring } from '../wiring.ts';

/** What the use cases need of the wiring, with the configured time limits. */
export const useCaseDependencies = (wiring: Wiring) => ({
  ...wiring,
  accountsTimeoutMs: wiring.config.timeouts.accountsMs,
  timeoutMs: wiring.config.timeouts.sessionsMs,
  firstDelayMs: wiring.config.revocation.firstDelayMs,
  maxDelayMs: wiring.config.revocation.maxDelayMs,
});
