import { createConnection, createServer, type Socket } from 'node:net';

/** A TCP proxy that can be shut: a server that is there and cannot be reached. */
export async function tcpGate(target: number) {
  const sockets = new Set<Socket>();
  let open = true;
  const server = createServer((client) => {
    if (!open) { client.resetAndDestroy(); return; }
    const behind = createConnection(target, '127.0.0.1');
    for (const one of [client, behind]) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => { sockets.delete(one); client.destroy(); behind.destroy(); });
    }
    client.pipe(behind).pipe(client);
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    port: (server.address() as { port: number }).port,
    shut() { open = false; for (const socket of sockets) socket.destroy(); },
    open() { open = true; },
    async stop() { for (const socket of sockets) socket.destroy(); await new Promise<void>((resolve) => { server.close(() => { resolve(); }); }); },
  };
}
