import { existsSync, readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { fail, type Finding, ok } from '../ports/diagnosis.ts';
import { describeSqlError } from '../sql/describeSqlError.ts';
import { inTime } from '../sql/inTime.ts';
import type { Sql, SqlTlsOptions } from '../sql/openSql.ts';
import { parseSqlUrl } from '../sql/sqlUrl.ts';
import { clockAhead, readClock } from './clockReading.ts';
import { clockFinding, inTheClear, reasonOf, tlsFinding } from './findings.ts';

/** One statement that must be allowed; what it would change is nothing. */
export interface SqlProbe {
  readonly check: string;
  /** What it shows where it works. */
  readonly text: string;
  readonly todo: string;
  readonly run: (database: Sql) => Promise<unknown>;
}

const CLOCKS = {
  mysql: sql<{ now: unknown; version: unknown }>`select unix_timestamp(now(3)) * 1000 as now, version() as version`,
  postgres: sql<{ now: unknown; version: unknown }>`select extract(epoch from clock_timestamp()) * 1000 as now, current_setting('server_version') as version`,
} as const;

async function tls(url: string, own: SqlTlsOptions | undefined, signal: AbortSignal): Promise<Finding | null> {
  const target = parseSqlUrl(url);
  if (target === null || target.dialect === 'sqlite') return null;
  if (target.socket !== null) return ok('tls', `Unix socket ${target.socket}`);
  if (own === undefined) return inTheClear(target.host);
  try {
    const ca = own.ca === undefined ? undefined : readFileSync(own.ca, 'utf8');
    return await tlsFinding({ host: target.host, port: target.port, before: target.dialect, ca }, signal, { verified: own.verify ?? true });
  } catch (error) {
    return fail('tls', `${String(own.ca)} cannot be read (${reasonOf(error)})`, 'check the path, and that the service\'s user may read it');
  }
}

/** What is common to every connection to an operator's database: the way there, the log-in, its clock. Then each probe by itself. */
export async function diagnoseSql({ url, tls: own }: { readonly url: string; readonly tls?: SqlTlsOptions | undefined }, database: Sql, probes: readonly SqlProbe[], signal: AbortSignal): Promise<Finding[]> {
  const target = parseSqlUrl(url);
  if (target === null) return [fail('log-in', 'this is no database URL', 'run config check')];
  const findings: Finding[] = [];
  const secured = await tls(url, own, signal);
  if (secured !== null) findings.push(secured);
  const where = target.dialect === 'sqlite' ? target.path : `${target.user}@${target.socket ?? `${target.host}:${String(target.port)}`}/${target.database}`;
  try {
    if (target.dialect === 'sqlite') {
      if (!existsSync(target.path)) return [...findings, fail('log-in', `${where} is not there`, 'check the path in url')];
      await inTime(database, signal, (connection) => sql`select 1`.execute(connection));
      findings.push(ok('log-in', `${where} opens`));
    } else {
      const { dialect } = target;
      const reading = await readClock(async () => {
        const { rows: [row] } = await inTime(database, signal, (connection) => CLOCKS[dialect].execute(connection));
        return { now: Number(row?.now), version: String(row?.version) };
      });
      findings.push(ok('log-in', `${where}, version ${reading.answer.version}`), clockFinding('the database\'s clock', clockAhead(reading)));
    }
  } catch (error) {
    return [...findings, fail('log-in', `${where}: ${describeSqlError(error).detail}`, 'check host, port, user, password and database name of url, and that the server lets this machine in')];
  }
  for (const { check, text, todo, run } of probes) {
    findings.push(await inTime(database, signal, run).then(() => ok(check, text), (error: unknown) => fail(check, `${text}: ${describeSqlError(error).detail}`, todo)));
  }
  return findings;
}
