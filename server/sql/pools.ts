import type { MysqlPool, MysqlPoolConnection, MysqlQueryResult, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type { Pool as RawMysqlPool, PoolConnection } from 'mysql2';
import type { PoolClient } from 'pg';

/** A statement got no answer in time; its connection was closed, whether the statement took effect is not known. */
class SqlTimeout extends Error {
  override readonly name = 'SqlTimeout';
  readonly code = 'SQL_TIMEOUT';

  constructor() {
    super('no answer from the database in time');
  }
}

/**
 * mysql2's pool, for Kysely: each connection is set up before its first statement, and one that did not answer within
 * `timeoutMs` is closed, never given out again (a peer that vanished without closing would block the pool for minutes).
 */
export function boundedMysqlPool(pool: Pick<RawMysqlPool, 'getConnection' | 'end'>, setUp: readonly string[], timeoutMs: () => number): MysqlPool {
  const ready = new WeakSet<PoolConnection>();
  const settle = async (connection: PoolConnection): Promise<void> => {
    for (const statement of ready.has(connection) ? [] : setUp)
      await new Promise<void>((resolve, reject) => {
        connection.query({ sql: statement, timeout: timeoutMs() }, (error) => { if (error === null) resolve(); else reject(error); });
      });
    ready.add(connection);
  };
  return {
    end: (callback) => { pool.end(callback); },
    getConnection(callback) {
      pool.getConnection((error, connection) => {
        // Kysely's type has no place for "no connection"; it does not look at the second argument where there is an error.
        if (error !== null) { callback(error, undefined as never); return; }
        settle(connection).then(
          () => { callback(null, bounded(connection, timeoutMs)); },
          (failed: unknown) => { connection.destroy(); callback(failed, undefined as never); },
        );
      });
    },
  };
}

function bounded(connection: PoolConnection, timeoutMs: () => number): MysqlPoolConnection {
  let broken = false;
  return {
    query(sql: string, values: unknown[], callback?: (error: unknown, result: MysqlQueryResult) => void): never {
      connection.query({ sql, timeout: timeoutMs() }, values as string[], (error, result) => {
        const timedOut = error !== null && error.code === 'PROTOCOL_SEQUENCE_TIMEOUT';
        broken ||= timedOut;
        callback?.(timedOut ? new SqlTimeout() : error, result as unknown as MysqlQueryResult);
      });
      // Kysely's streams are not used here; its type asks for one.
      return undefined as never;
    },
    release() { if (broken) connection.destroy(); else connection.release(); },
  };
}

/** pg's pool, for Kysely, with the same promise: a connection that did not answer in time is closed. */
export function boundedPostgresPool(pool: { connect(): Promise<PoolClient>; end(): Promise<void> }, timeoutMs: () => number): PostgresPool {
  return {
    end: () => pool.end(),
    async connect(): Promise<PostgresPoolClient> {
      const client = await pool.connect();
      // A connection that breaks while it is lent out would otherwise end the process; its statement rejects anyway.
      if (client.listenerCount('error') === 0) client.on('error', () => undefined);
      let broken = false;
      return {
        query: (async (sql: string, values: readonly unknown[]) => {
          let timer: NodeJS.Timeout | undefined;
          const late = new Promise<never>((_resolve, reject) => {
            timer = setTimeout(() => { broken = true; reject(new SqlTimeout()); }, timeoutMs());
          });
          const answer = client.query(sql, [...values]);
          // Answered or not, nobody looks at it after the time-out.
          answer.catch(() => undefined);
          try {
            return (await Promise.race([answer, late])) as unknown as PostgresQueryResult<never>;
          } finally {
            clearTimeout(timer);
          }
        }) as unknown as PostgresPoolClient['query'],
        release() { client.release(broken); },
      };
    },
  };
}
