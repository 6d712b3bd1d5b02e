// Child of logInRace.ts: logs in over IMAP without a pause and keeps what got in. Raw sockets, so that it asks as much as it can.
import { connect, type Socket } from 'node:net';

export interface HammerOrder { readonly port: number; readonly user: string; readonly password: string; readonly loops: number }
export interface HammerReport { readonly tried: number; readonly letIn: number; readonly alive: number; /** Milliseconds from the password to the answer, of those that ended near the report. */ readonly slowest: number }

const KEPT = 40;
let generation = 0;
let kept: Socket[] = [];
let report = { tried: 0, letIn: 0, slowest: 0 };

/** Resolves with the connection that was let in, or null. */
const logIn = ({ port, user, password }: HammerOrder): Promise<Socket | null> => new Promise((resolve) => {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  let since = 0;
  socket.on('error', () => { resolve(null); }).on('close', () => { resolve(null); });
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (since === 0 && text.startsWith('* OK') && text.includes('\n')) {
      since = performance.now();
      text = '';
      socket.write(`a LOGIN "${user}" "${password}"\r\n`);
    } else if (since !== 0 && /^a OK/m.test(text)) {
      report.slowest = Math.max(report.slowest, performance.now() - since);
      resolve(socket);
    } else if (/^a (NO|BAD)/m.test(text)) {
      socket.destroy();
      resolve(null);
    }
  });
});

async function loop(order: HammerOrder, mine: number): Promise<void> {
  while (mine === generation) {
    report.tried += 1;
    const socket = await logIn(order);
    if (socket === null) { await new Promise((resolve) => { setTimeout(resolve, 5); }); continue; }
    report.letIn += 1;
    kept.push(socket);
    // The last ones are those of the race.
    if (kept.length > KEPT) kept.shift()?.destroy();
  }
}

process.on('message', (order: HammerOrder | 'slowest' | 'report') => {
  if (order === 'slowest') { report.slowest = 0; return; }
  if (order === 'report') {
    generation += 1;
    const alive = kept.filter((socket) => !socket.destroyed && !socket.readableEnded).length;
    process.send?.({ ...report, alive } satisfies HammerReport);
    for (const socket of kept) socket.destroy();
    kept = [];
    return;
  }
  generation += 1;
  report = { tried: 0, letIn: 0, slowest: 0 };
  for (let at = 0; at < order.loops; at += 1) void loop(order, generation);
});
process.send?.('ready');
