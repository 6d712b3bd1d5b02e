import { ModuleError } from '../../module/errors.ts';
import { describeSqlError } from '../sql/describeSqlError.ts';

/** What the state database says, or `STATE_UNAVAILABLE`. Its own error goes no further: it may hold values of the statement. */
export async function stateAnswer<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ModuleError ? error : new ModuleError('STATE_UNAVAILABLE', { detail: `state database: ${describeSqlError(error).detail}` });
  }
}
