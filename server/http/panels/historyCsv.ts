import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AuditEvent, AuditLog, AuditQuery } from '../../ports/auditLog.ts';

const COLUMNS = ['time', 'action', 'mailbox', 'by', 'byKind', 'from', 'client', 'outcome', 'ended', 'request'] as const;
const PAGE = 500;

/** RFC 4180, and nothing that a spreadsheet would take for a formula (OWASP, CSV Injection). */
export function csvField(value: string): string {
  const harmless = /^[=+\-@\t\r\n＝＋－＠]/.test(value) ? `'${value}` : value;
  return `"${harmless.replaceAll('"', '""')}"`;
}

const line = (fields: readonly string[]): string => `${fields.map(csvField).join(',')}\r\n`;

const ended = (event: AuditEvent): string => Object.entries(event.ended).map(([channel, count]) => `${channel} ${String(count)}`).join('; ');

/** The whole of what a query finds, page by page, with a byte order mark so that spreadsheets read UTF-8. */
export async function* historyCsv(audit: AuditLog, query: Omit<AuditQuery, 'cursor' | 'limit'>): AsyncGenerator<string> {
  let before = `\uFEFF${line(COLUMNS)}`;
  let cursor: string | null = null;
  do {
    const page = await audit.read({ ...query, cursor, limit: PAGE });
    yield before + page.events.map((event) => line([
      new Date(event.at).toISOString(), event.action, event.address, event.actor, event.actorKind, event.remoteAddress, event.userAgent, event.outcome, ended(event), event.requestId,
    ])).join('');
    before = '';
    cursor = page.nextCursor;
    // A browser on the same machine takes pages as fast as they come: others have their turn between two of them.
    await nextTurn();
  } while (cursor !== null);
}
