import { createHash } from 'node:crypto';
import { addCounts, type Channel, type ChannelCounts } from '../../module/channels.ts';
import type { Session } from '../ports/sessionStore.ts';
import { whoOf } from './commands.ts';
import type { DoveadmAnswer, DoveadmClient } from './doveadmClient.ts';

const CHANNEL_OF: Readonly<Record<string, Channel>> = {
  imap: 'imap', 'imap-hibernate': 'imap', pop3: 'pop3', submission: 'submission', sieve: 'managesieve', managesieve: 'managesieve',
};
const STATUS_OF = ['processStatus', { service: ['imap', 'imap-hibernate', 'pop3', 'submission', 'managesieve'] }] as const;

/** One that `doveadm who` lists. */
export interface Connection {
  readonly service: string;
  readonly pid: string;
  readonly ip: string;
}

export interface DatedConnection extends Connection {
  /** Milliseconds on Dovecot's clock, rounded down to its second; null where the process serves several or is gone. */
  readonly startedAt: number | null;
}

const channelOf = ({ service }: Connection): Channel => CHANNEL_OF[service] ?? 'other';

export const countOf = (connections: readonly Connection[]): ChannelCounts =>
  connections.reduce<ChannelCounts>((sum, connection) => addCounts(sum, { [channelOf(connection)]: 1 }), {});

export const toSession = (connection: DatedConnection): Session => ({
  id: createHash('sha256').update([connection.service, connection.pid, connection.ip, String(connection.startedAt)].join(' ')).digest('base64url'),
  channel: channelOf(connection), client: null, remoteAddress: connection.ip, issuedAt: connection.startedAt, lastSeenAt: null,
});

/** The mask of `who` is a pattern: only this very name counts. */
export function listed({ rows }: Pick<DoveadmAnswer, 'rows'> = { rows: [] }, username: string): Connection[] {
  return rows.filter((row) => row['username'] === username).map(({ service = '', pid = '', ip = '' }) => ({ service, pid, ip }));
}

export const connectionsOf = async (client: DoveadmClient, username: string, signal: AbortSignal): Promise<Connection[]> =>
  listed(await client.call(...whoOf(username), signal), username);

export const askProcesses = (client: DoveadmClient, signal: AbortSignal): Promise<DoveadmAnswer> => client.call(...STATUS_OF, signal);

/** A mail process serves one connection, and last told the master of itself when that began (`doveadm process status`). */
export async function datedConnectionsOf(client: DoveadmClient, username: string, signal: AbortSignal): Promise<DatedConnection[]> {
  const connections = await connectionsOf(client, username, signal);
  if (connections.length === 0) return [];
  const { rows } = await askProcesses(client, signal);
  // Where connections hibernate, one that woke up has a young process and may be old all the same.
  const hibernates = rows.some(({ name }) => name === 'imap-hibernate');
  const startOf = new Map(rows.map((row): [string, number | null] => {
    const seconds = Number(row['last_status_update']);
    const alone = row['available_count'] === '0' && row['total_count'] === '1' && !(hibernates && row['name']?.startsWith('imap') === true);
    return [row['pid'] ?? '', alone && seconds > 0 ? seconds * 1000 : null];
  }));
  return connections.map((connection) => ({ ...connection, startedAt: startOf.get(connection.pid) ?? null }));
}
