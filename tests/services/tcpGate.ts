import { createConnection, createServer, type Socket } from 'node:net';

/** A TCP proxy that can be shut: a server that is there and cannot be reached, or one that takes connections and never answers. */
export async function tcpGate(target: number) {
  const sockets = new Set<Socket>();
  const pairs = new Set<readonly [Socket, Socket]>();
  const waiting = new Set<Socket>();
  let state: 'open' | 'shut' | 'held' = 'open';
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => { sockets.delete(socket); waiting.delete(socket); });
  };
  const join = (client: Socket): void => {
    const behind = createConnection(target, '127.0.0.1');
    keep(behind);
    const pair = [client, behind] as const;
    pairs.add(pair);
    for (const one of pair) one.on('close', () => { pairs.delete(pair); client.destroy(); behind.destroy(); });
    client.pipe(behind).pipe(client);
  };
  const server = createServer((client) => {
    if (state === 'shut') { client.resetAndDestroy(); return; }
    keep(client);
    if (state === 'held') waiting.add(client);
    else join(client);
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    port: (server.address() as { port: number }).port,
    shut() { state = 'shut'; for (const socket of sockets) socket.destroy(); },
    /** As if its process were stopped (SIGSTOP): the kernel goes on to accept, what is sent waits, nobody answers. */
    hold() {
      state = 'held';
      for (const [client, behind] of pairs) {
        client.unpipe(behind).pause();
        behind.unpipe(client).pause();
      }
    },
    open() {
      state = 'open';
      for (const [client, behind] of pairs) client.pipe(behind).pipe(client);
      for (const client of waiting) join(client);
      waiting.clear();
    },
    async stop() { for (const socket of sockets) socket.destroy(); await new Promise<void>((resolve) => { server.close(() => { resolve(); }); }); },
  };
}
