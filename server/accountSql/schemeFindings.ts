import { type Hasher, schemeOf } from '../hashing/hasher.ts';
import type { CallOptions } from '../ports/accountApi.ts';
import { fail, type Finding, ok, warn } from '../ports/diagnosis.ts';
import type { Sql } from '../sql/openSql.ts';
import type { MailboxStatements } from './mailboxStatements.ts';

type Ask = <T>(call: CallOptions, work: (connection: Sql) => Promise<T>) => Promise<T>;

/** Whether the column takes what the scheme writes, and whether what is stored there already can be verified. */
export async function schemeFindings(statements: MailboxStatements, hasher: Hasher, bareScheme: string | undefined, call: CallOptions, ask: Ask): Promise<Finding[]> {
  const width = await ask(call, (connection) => statements.width(connection));
  const needed = `${hasher.scheme} writes ${String(hasher.length)} characters`;
  const findings: Finding[] = [];
  if (width === null) findings.push(ok('width', `${needed}; the database sets no limit that can be read`));
  else if (width < hasher.length) findings.push(fail('width', `${needed}, the password column takes ${String(width)}`, 'widen it (ALTER TABLE ... varchar(255)), or choose another scheme'));
  else findings.push(ok('width', `${needed}, the password column takes ${String(width)}`));
  const { sample } = statements;
  if (sample === null) return findings;
  const counts = new Map<string, number>();
  const unverifiable = new Set<string>();
  for (const stored of await ask(call, sample)) {
    const { scheme, verifiable } = schemeOf(stored, bareScheme);
    counts.set(scheme, (counts.get(scheme) ?? 0) + 1);
    if (!verifiable) unverifiable.add(scheme);
  }
  const seen = [...counts].map(([scheme, count]) => `${scheme} ${String(count)}`).join(', ');
  if (counts.size === 0) findings.push(warn('scheme', 'the table holds no mailbox yet', 'check table and columns if there should be some'));
  else if (unverifiable.size > 0) findings.push(fail('scheme', `stored now: ${seen}; ${[...unverifiable].join(', ')} cannot be verified here`, 'set bareScheme if the values have no {SCHEME} in front; else owners of these cannot change their password, an administrator can set one'));
  else findings.push(ok('scheme', `stored now: ${seen}; new ones are ${hasher.scheme}`));
  return findings;
}
