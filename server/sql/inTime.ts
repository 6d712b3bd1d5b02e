import { beforeDeadline } from '../deadline.ts';
import type { Sql } from './openSql.ts';

/** The caller's deadline fired. `sent` tells whether a statement may have reached the database. */
export class SqlDeadline extends Error {
  override readonly name = 'SqlDeadline';
  readonly code = 'SQL_DEADLINE';
  readonly sent: boolean;

  constructor(sent: boolean) {
    super('the deadline had passed');
    this.sent = sent;
  }
}

/**
 * Runs `work` on one connection and rejects with {@link SqlDeadline} as soon as the signal fires. Where it fires while `work`
 * still waits for a free connection, `work` is never started: nothing is written after the caller was told "no".
 */
export function inTime<T>(database: Sql, signal: AbortSignal, work: (connection: Sql) => Promise<T>): Promise<T> {
  let sent = false;
  return beforeDeadline(signal, () => new SqlDeadline(sent), () => database.connection().execute(async (connection) => {
    if (signal.aborted) throw new SqlDeadline(false);
    sent = true;
    return work(connection);
  }));
}
