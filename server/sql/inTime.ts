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
export async function inTime<T>(database: Sql, signal: AbortSignal, work: (connection: Sql) => Promise<T>): Promise<T> {
  if (signal.aborted) throw new SqlDeadline(false);
  let sent = false;
  let onAbort = (): void => undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    onAbort = () => { reject(new SqlDeadline(sent)); };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  const done = database.connection().execute(async (connection) => {
    if (signal.aborted) throw new SqlDeadline(false);
    sent = true;
    return work(connection);
  });
  done.catch(() => undefined);
  try {
    return await Promise.race([done, deadline]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
