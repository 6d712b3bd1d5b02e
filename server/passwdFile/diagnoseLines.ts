import { schemeOf } from '../hashing/hasher.ts';
import { fail, type Finding, ok, warn } from '../ports/diagnosis.ts';
import { passwdLines } from './passwdLines.ts';

const NEWLINE = 0x0a;

/** Lines that should name somebody: not empty, no comment. */
function meant(content: Buffer): number {
  let count = 0;
  for (let start = 0; start < content.length;) {
    const newline = content.indexOf(NEWLINE, start);
    const end = newline === -1 ? content.length : newline;
    const text = content.toString('latin1', start, Math.min(end, start + 2)).trim();
    if (text !== '' && !text.startsWith('#')) count += 1;
    start = end + 1;
  }
  return count;
}

/** Whether every line can be read, and every stored password verified. `written` is the scheme of new hashes. */
export function diagnoseLines(content: Buffer, { written, bareScheme }: { readonly written: string; readonly bareScheme: string }): readonly Finding[] {
  const counts = new Map<string, number>();
  const unverifiable = new Set<string>();
  let lines = 0;
  for (const { password } of passwdLines(content)) {
    lines += 1;
    // No password, or one that is locked.
    if (password === '' || /^[!*]/.test(password)) continue;
    const { scheme, verifiable } = schemeOf(password, bareScheme);
    counts.set(scheme, (counts.get(scheme) ?? 0) + 1);
    if (!verifiable) unverifiable.add(scheme);
  }
  const unreadable = meant(content) - lines;
  const seen = [...counts].map(([scheme, count]) => `${scheme} ${String(count)}`).join(', ');
  const findings: Finding[] = [];
  if (unreadable > 0) findings.push(warn('lines', `lines that name nobody who can be read: ${String(unreadable)}`, 'look for lines that begin with a colon, or are no UTF-8'));
  else if (lines === 0) findings.push(warn('lines', 'the file holds no mailbox yet', 'check file if there should be some'));
  if (unverifiable.size > 0) findings.push(fail('scheme', `stored now: ${seen}; ${[...unverifiable].join(', ')} cannot be verified here`, 'owners of these cannot change their password, an administrator can set one'));
  else if (counts.size > 0) findings.push(ok('scheme', `stored now: ${seen}; new ones are ${written}`));
  return findings;
}
