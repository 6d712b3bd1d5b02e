import type { PasswordMemory } from '../ports/passwordPolicyProvider.ts';
import { stateAnswer } from '../state/stateAnswer.ts';
import type { StateDatabase } from '../state/stateDatabase.ts';

/** How a mailbox is written in the history. */
export const memoryKey = (address: string): string => address.normalize('NFC').toLowerCase();

/** The part of a change's record that the history will know; within the transaction of the outbox. */
export async function recordMemories(transaction: StateDatabase, changeId: string, memories: readonly PasswordMemory[]): Promise<void> {
  if (memories.length === 0) return;
  await transaction.insertInto('password_history').values(memories.map(({ certain, ...memory }) => ({ ...memory, change_id: certain ? null : changeId }))).execute();
}

/** The change did not happen: neither did its passwords. */
export async function cancelMemories(transaction: StateDatabase, changeId: string): Promise<void> {
  await transaction.deleteFrom('password_history').where('change_id', '=', changeId).execute();
}

export async function confirmMemories(transaction: StateDatabase, changeId: string): Promise<void> {
  await transaction.updateTable('password_history').set({ change_id: null }).where('change_id', '=', changeId).execute();
}

/** A mailbox that is gone: nobody who gets the address may learn what its passwords were. Returns how many were kept. Throws `STATE_UNAVAILABLE`. */
export const forgetMailbox = (database: StateDatabase, address: string): Promise<number> => stateAnswer(async () =>
  Number((await database.deleteFrom('password_history').where('address', '=', memoryKey(address)).executeTakeFirst()).numDeletedRows));
