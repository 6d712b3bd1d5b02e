/**
 * Whose turn it is to set a mailbox's password, over all nodes: of two administrators in the same milliseconds one gets it, also where the
 * account API can tell no version to compare. Errors: `STATE_UNAVAILABLE`.
 */
export interface MailboxTurns {
  /** Null where somebody else has it just now. It ends by itself after `leaseMs`, so that a node that died blocks nobody for long. */
  take(address: string, leaseMs: number): Promise<{ release(): Promise<void> } | null>;
  /** An opaque text that differs after every {@link changed}. */
  mark(address: string): Promise<string>;
  /** Writes down that the password is another now. `changeId` is unique. */
  changed(address: string, changeId: string): Promise<void>;
}
