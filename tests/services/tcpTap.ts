import { createConnection, createServer, type Socket } from 'node:net';

export interface TcpTap {
  readonly port: number;
  /** Everything that clients have sent so far. */
  sent(): Buffer;
  connections(): number;
  stop(): Promise<void>;
}

/** A TCP proxy that listens in on clients, and lets no answer through any more once a client has sent `muteAfter`. */
export async function tcpTap(target: number, muteAfter?: string, host = '127.0.0.1'): Promise<TcpTap> {
  const sockets = new Set<Socket>();
  let sent = Buffer.alloc(0);
  let connections = 0;
  const server = createServer((client) => {
    connections += 1;
    const behind = createConnection(target, '127.0.0.1');
    let muted = false;
    for (const one of [client, behind]) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => { sockets.delete(one); client.destroy(); behind.destroy(); });
    }
    client.on('data', (chunk) => {
      sent = Buffer.concat([sent, chunk]);
      muted ||= muteAfter !== undefined && chunk.includes(muteAfter);
      behind.write(chunk);
    });
    behind.on('data', (chunk) => { if (!muted) client.write(chunk); });
  });
  await new Promise<void>((resolve) => { server.listen(0, host, resolve); });
  return {
    port: (server.address() as { port: number }).port, sent: () => sent, connections: () => connections,
    async stop() { for (const socket of sockets) socket.destroy(); await new Promise<void>((resolve) => { server.close(() => { resolve(); }); }); },
  };
}
