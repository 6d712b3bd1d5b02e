import type { Pool as RawMysqlPool } from 'mysql2';
import type { Pool as RawPostgresPool, PoolClient } from 'pg';

/** MariaDB refuses the user or the password; PostgreSQL's invalid_password and invalid_authorization_specification. */
const REFUSED = new Set<unknown>(['ER_ACCESS_DENIED_ERROR', 'ER_ACCESS_DENIED_NO_PASSWORD_ERROR', '28P01', '28000']);
const isRefused = (error: unknown): boolean => REFUSED.has((error as { code?: unknown } | null)?.code);

/** Which of several comes first: the one that worked last. */
function turns<One>(all: readonly [One, ...One[]]) {
  let good = 0;
  return {
    first: () => good,
    at: (index: number): One => all[index % all.length] ?? all[0],
    /** The one after `index`, once each has had its turn null. Two at once that both failed at the same one move on by one, not by two. */
    after(index: number, tried: number): number | null {
      if (good === index) good = (index + 1) % all.length;
      return tried < all.length ? (index + 1) % all.length : null;
    },
  };
}

/** While a password is exchanged: a pool per password, and the next one where the log-in is refused. Any other error is the caller's. */
export function whicheverMysql(pools: readonly [RawMysqlPool, ...RawMysqlPool[]]): Pick<RawMysqlPool, 'getConnection' | 'end'> {
  const turn = turns(pools);
  type Callback = Parameters<RawMysqlPool['getConnection']>[0];
  const connect = (index: number, tried: number, callback: Callback): void => {
    turn.at(index).getConnection((error, connection) => {
      const next = error !== null && isRefused(error) ? turn.after(index, tried) : null;
      if (next === null) callback(error, connection);
      else connect(next, tried + 1, callback);
    });
  };
  return {
    getConnection: (callback) => { connect(turn.first(), 1, callback); },
    end(callback) {
      const [first, ...more] = pools;
      for (const pool of more) pool.end();
      first.end(callback);
    },
  };
}

/** The same for PostgreSQL. */
export function whicheverPostgres(pools: readonly [RawPostgresPool, ...RawPostgresPool[]]): { connect(): Promise<PoolClient>; end(): Promise<void> } {
  const turn = turns(pools);
  const connect = async (index: number, tried: number): Promise<PoolClient> => {
    try {
      return await turn.at(index).connect();
    } catch (error) {
      const next = isRefused(error) ? turn.after(index, tried) : null;
      if (next === null) throw error;
      return connect(next, tried + 1);
    }
  };
  return {
    connect: () => connect(turn.first(), 1),
    async end() { await Promise.all(pools.map((pool) => pool.end())); },
  };
}
